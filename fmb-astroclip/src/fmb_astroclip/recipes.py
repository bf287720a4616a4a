"""What a weights card says of AstroCLIP: the network's sizes and how data are prepared for it."""

from typing import Literal

from pydantic import Field, model_validator

from fmb import Accepts, Config, WeightsError
from fmb.weights import Card, Depth, Length, Width

__all__ = [
    "TEMPERATURE",
    "Architecture",
    "ImageRecipe",
    "ImageTower",
    "Recipe",
    "SpectrumRecipe",
    "SpectrumTower",
    "unpack_card",
]


TEMPERATURE = 15.5
"""Upstream's factor of the cosine in training. Source: the code of arXiv:2310.03024."""


class Tower(Config):
    """A transformer: `depth` blocks of `width` numbers a token, `heads` heads."""

    width: Width
    depth: Depth
    heads: Width

    @model_validator(mode="after")
    def _heads_divide_the_width(self) -> "Tower":
        if self.width % self.heads:
            raise ValueError(f"width {self.width} is not a multiple of {self.heads} heads")
        return self


class ImageTower(Tower):
    """The vision transformer."""

    patch_px: Width
    chunk: Depth
    """Blocks in one group; groups are part of the tensors' names and of nothing else."""
    positions: Length
    """Rows of the stored position embedding, which is not used."""


class SpectrumTower(Tower):
    """The transformer over sections of a spectrum."""

    max_tokens: Length = Field(gt=1)
    """Rows of the learned position embedding."""


class Architecture(Config):
    """Sizes of the network."""

    image: ImageTower
    spectrum: SpectrumTower
    embed: Width
    """Numbers in the vector of an image and of a spectrum."""
    cross_heads: Width
    """Heads of the attention that makes one vector of a tower's tokens."""
    temperature: float = Field(default=TEMPERATURE, gt=0)
    """Factor of the cosine in the contrastive loss; vectors do not depend on it."""

    @model_validator(mode="after")
    def _heads_divide_the_vector(self) -> "Architecture":
        if self.embed % self.cross_heads:
            raise ValueError(f"{self.embed} is not a multiple of {self.cross_heads} heads")
        return self


class ImageRecipe(Config):
    """How an image becomes the picture that the image tower was trained on."""

    bands: tuple[str, str, str]
    unit: Literal["nmgy"] = "nmgy"
    pixel_scale_arcsec: tuple[float, float]
    size_px: Width
    """Side of the central square."""
    scales: tuple[float, float, float]
    """Factor of each band before the stretch."""
    planes: tuple[Literal[0, 1, 2], Literal[0, 1, 2], Literal[0, 1, 2]]
    """Channel of each band: 0 red, 1 green, 2 blue."""
    offset: float
    """Added to the scaled flux; `m` of the formula."""
    softening: float = Field(gt=0)
    """`Q` of the formula."""
    transposed: bool
    """True when rows and columns are swapped, as upstream's collator does."""
    max_masked: float = Field(default=0.5, ge=0, lt=1)
    """Largest fraction of a band's pixels that may be masked."""

    @model_validator(mode="after")
    def _each_plane_once(self) -> "ImageRecipe":
        if sorted(self.planes) != [0, 1, 2]:
            raise ValueError("planes must name 0, 1 and 2 once each")
        return self


class SpectrumRecipe(Config):
    """How a spectrum becomes tokens; no resampling and no scaling outside the network."""

    unit: Literal["1e-17 erg / (s cm2 Angstrom)"] = "1e-17 erg / (s cm2 Angstrom)"
    wavelength_aa: tuple[float, float]
    """Range of the spectra in training."""
    section_px: Length = Field(gt=1)
    """Pixels in one token."""
    overlap_px: Length
    """Pixels that a token shares with the next."""
    min_std: float = Field(gt=0)
    """Floor of the standard deviation by which a spectrum is divided."""

    @model_validator(mode="after")
    def _sections_advance(self) -> "SpectrumRecipe":
        if self.overlap_px >= self.section_px:
            raise ValueError("needs overlap_px < section_px")
        return self

    @property
    def step_px(self) -> int:
        """Pixels from the start of a section to that of the next."""
        return self.section_px - self.overlap_px

    @property
    def min_pixels(self) -> int:
        """Shortest spectrum of which one section is kept."""
        return self.section_px + 1

    def tokens(self, pixels: int) -> int:
        """Tokens of a spectrum, the one of its level included."""
        return -(-(pixels - self.overlap_px) // self.step_px)

    def max_pixels(self, max_tokens: int) -> int:
        """Longest spectrum that makes `max_tokens` tokens, the one of its level included."""
        return self.overlap_px + self.step_px * max_tokens


class Recipe(Config):
    """The preprocessing of a card."""

    image: ImageRecipe
    spectrum: SpectrumRecipe

    def accepts(self, architecture: Architecture) -> tuple[Accepts, ...]:
        """What weights with this recipe can be fed, for their card."""
        # A nanomaggy is 3.631e-6 Jy; to astropy the two are different kinds of unit.
        return (
            Accepts(
                slot="image",
                kind="images",
                bands=self.image.bands,
                units=(self.image.unit, "3.631e-06 Jy"),
                instruments=("legacysurvey",),
                pixel_scale_arcsec=self.image.pixel_scale_arcsec,
                min_size_px=self.image.size_px,
                calibrated=True,
            ),
            Accepts(
                slot="spectrum",
                kind="spectra",
                units=(self.spectrum.unit,),
                instruments=("desi",),
                max_pixels=self.spectrum.max_pixels(architecture.spectrum.max_tokens),
                wavelength_aa=self.spectrum.wavelength_aa,
                calibrated=True,
            ),
        )


def unpack_card(card: Card, where: str) -> tuple[Architecture, Recipe]:
    """The typed content of a card of this model.

    Args:
        card: as read from a weights folder.
        where: names the card in messages.

    Raises:
        WeightsError: it is for another model, or a value is wrong.
    """
    architecture, recipe = card.unpack(where, "astroclip", Architecture, Recipe)
    if recipe.image.size_px % architecture.image.patch_px:
        raise WeightsError(
            f"{where}: preprocessing.image.size_px = {recipe.image.size_px} is not a multiple of"
            f" the patch of {architecture.image.patch_px} px"
        )
    return architecture, recipe
