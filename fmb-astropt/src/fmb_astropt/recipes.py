"""What a weights card says of AstroPT: the network's sizes and how data become tokens."""

from typing import Any, Literal

from pydantic import Field, model_validator

from fmb import Accepts, Config, WeightsError
from fmb.weights import Card, Depth, Length, Width

__all__ = ["Architecture", "ImageRecipe", "Modality", "Recipe", "SpectrumRecipe", "unpack_card"]


class Modality(Config):
    """One kind of token of the network, in the words of upstream's `ModalityConfig`."""

    name: Literal["images", "spectra"]
    input_size: Length
    """Numbers in one token."""
    patch_size: Width
    """Pixels along one side of a patch."""
    pos_input_size: Length = 1
    embed_pos: bool = True
    """True: a learned vector for each position; False: a network over the wavelengths."""


class Architecture(Config):
    """Sizes of the network: the fields of upstream's `GPTConfig` that shape its tensors."""

    n_layer: Depth
    n_head: Width
    n_embd: Width
    block_size: Length
    """Most tokens in one sequence."""
    bias: bool = False
    tokeniser: Literal["aim", "affine"] = "aim"
    lora_r: int = Field(default=0, ge=0, le=65_536)
    """Rank of the low-rank update of fine-tuned checkpoints; 0 = none."""
    modalities: tuple[Modality, ...] = Field(max_length=2)

    @model_validator(mode="after")
    def _heads_divide_the_width(self) -> "Architecture":
        if self.n_embd % self.n_head:
            raise ValueError(f"width {self.n_embd} is not a multiple of {self.n_head} heads")
        return self


class ImageRecipe(Config):
    """How an image becomes tokens."""

    bands: tuple[str, ...] = Field(min_length=1, max_length=1000)
    """In the order of the channels."""
    size_px: Width
    """Side of the central square that is used at most."""
    min_size_px: Width
    """Smallest side that is taken; between the two the largest multiple of the patch is used."""
    patch_px: Width
    patch_order: Literal["raster", "spiral"]
    """Rows from the stored first one, or from the centre outwards."""
    patch_layout: Literal["c p1 p2", "p1 p2 c"]
    """Order of the numbers in a token: band, row, column, or row, column, band."""
    transposed: bool = False
    """True when rows and columns are swapped before cutting, as upstream's training loader does."""
    scaling: Literal["none", "uint8", "patch-standard", "asinh-noise"]
    max_masked: float = Field(default=0.5, ge=0, lt=1)
    """Largest fraction of a band's pixels that may be masked."""

    @model_validator(mode="after")
    def _a_patch_fits(self) -> "ImageRecipe":
        if not self.patch_px <= self.min_size_px <= self.size_px:
            raise ValueError("needs patch_px <= min_size_px <= size_px")
        return self

    @property
    def token_size(self) -> int:
        """Numbers in one token."""
        return self.patch_px**2 * len(self.bands)

    @property
    def n_tokens(self) -> int:
        """Tokens of an image of the full size."""
        return (self.size_px // self.patch_px) ** 2


class SpectrumRecipe(Config):
    """How a spectrum becomes tokens: pixels of a linear grid, cut into patches."""

    start_aa: float = Field(gt=0)
    """Centre of the first pixel, Angstrom."""
    step_aa: float = Field(gt=0)
    n_pixels: Length = Field(gt=1)
    patch_px: Width
    normalisation: Literal["none", "std", "robust"]
    positions: Literal["index", "wavelength"]

    @property
    def token_size(self) -> int:
        """Numbers in one token."""
        return self.patch_px

    @property
    def n_tokens(self) -> int:
        """Tokens of one spectrum; the last is filled up with zeros."""
        return -(-self.n_pixels // self.patch_px)

    @property
    def range_aa(self) -> tuple[float, float]:
        """Outer edges of the grid, Angstrom."""
        first = self.start_aa - self.step_aa / 2
        return first, first + self.n_pixels * self.step_aa


class Recipe(Config):
    """The tokenisation preset of a card: one recipe for each slot that the weights know."""

    image: ImageRecipe | None = None
    spectrum: SpectrumRecipe | None = None

    def accepts(self) -> tuple[Accepts, ...]:
        """What weights with this recipe can be fed, for their card."""
        found = []
        if self.image is not None:
            found.append(
                Accepts(
                    slot="image",
                    kind="images",
                    bands=self.image.bands,
                    units=("display",) if self.image.scaling == "uint8" else (),
                    min_size_px=self.image.min_size_px,
                )
            )
        if self.spectrum is not None:
            found.append(
                Accepts(slot="spectrum", kind="spectra", wavelength_aa=self.spectrum.range_aa)
            )
        return tuple(found)


def unpack_card(card: Card, where: str) -> tuple[Architecture, Recipe]:
    """The typed content of a card of this model.

    Args:
        card: as read from a weights folder.
        where: names the card in messages.

    Raises:
        WeightsError: it is for another model, a value is wrong, or its two halves disagree.
    """
    architecture, recipe = card.unpack(where, "astropt", Architecture, Recipe)
    for problem in _disagreements(architecture, recipe):
        raise WeightsError(f"{where}: {problem}")
    return architecture, recipe


def _disagreements(architecture: Architecture, recipe: Recipe) -> list[str]:
    """Where sizes of the network and of the tokens do not fit each other."""
    known: dict[str, Modality] = {m.name: m for m in architecture.modalities}
    slots: dict[str, tuple[str, Any]] = {
        "images": ("image", recipe.image),
        "spectra": ("spectrum", recipe.spectrum),
    }
    found = []
    if not known:
        found.append("the network has no modality")
    if len(known) < len(architecture.modalities):
        found.append("architecture.modalities names one modality twice")
    for name, (slot, made) in slots.items():
        if (name in known) != (made is not None):
            found.append(
                f"modality {name!r} and preprocessing.{slot} must both be there or neither"
            )
        elif made is not None:
            found += _misfits(known[name], slot, made)
    n_tokens = sum(made.n_tokens for _, made in slots.values() if made is not None)
    if n_tokens > architecture.block_size:
        found.append(f"{n_tokens} tokens do not fit a block of {architecture.block_size}")
    return found


def _misfits(modality: Modality, slot: str, made: ImageRecipe | SpectrumRecipe) -> list[str]:
    found = []
    if made.token_size != modality.input_size or made.patch_px != modality.patch_size:
        found.append(
            f"preprocessing.{slot} makes tokens of {made.token_size} numbers from patches of"
            f" {made.patch_px} px, modality {modality.name!r} takes {modality.input_size} from"
            f" {modality.patch_size} px"
        )
    by_index = isinstance(made, ImageRecipe) or made.positions == "index"
    if by_index != modality.embed_pos:
        found.append(f"positions of preprocessing.{slot} do not fit modality {modality.name!r}")
    if not by_index and modality.pos_input_size != made.patch_px:
        found.append(
            f"modality {modality.name!r} takes {modality.pos_input_size} wavelengths a token,"
            f" preprocessing.{slot} gives {made.patch_px}"
        )
    return found
