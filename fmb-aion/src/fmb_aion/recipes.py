"""What a weights card says of AION: sizes of encoder and codecs, and the units they expect."""

from math import prod
from typing import Literal

from pydantic import Field, model_validator

from fmb import Config, WeightsError
from fmb.weights import Card, Depth, Length, Width
from fmb_aion.surveys import (
    DES_BANDS,
    EUCLID_BANDS,
    HSC_BANDS,
    HSC_UNIT,
    SDSS_INSTRUMENTS,
    SIZE_PX,
)

__all__ = [
    "AdapterRecipe",
    "AdapterSizes",
    "Architecture",
    "EncoderSizes",
    "ImageCodecSizes",
    "ImageSurvey",
    "Recipe",
    "SpectrumCodecSizes",
    "SpectrumRecipe",
    "unpack_card",
]

IMAGE_CODES, IMAGE_TOKENS = 4375, 576
SPECTRUM_CODES, SPECTRUM_TOKENS = 1024, 273
"""Vocabulary and length of each kind. Source: MODALITY_INFO of polymathic-aion 0.0.2."""


class EncoderSizes(Config):
    """The entries of upstream's configuration that shape the encoder, with upstream's defaults."""

    dim: Width
    encoder_depth: Depth
    num_heads: Width
    mlp_ratio: float = Field(default=4.0, gt=0, le=100)
    qkv_bias: bool = True
    proj_bias: bool = True
    mlp_bias: bool = True
    norm_bias: bool
    act_layer: Literal["SiLU", "GELU"]
    gated_mlp: bool = False
    qk_norm: bool = False

    @model_validator(mode="after")
    def _heads_and_positions_divide_the_width(self) -> "EncoderSizes":
        if self.dim % self.num_heads or self.dim % 4:
            raise ValueError(f"width {self.dim} is not a multiple of 4 and {self.num_heads} heads")
        return self


class ImageCodecSizes(Config):
    """Arguments of upstream's `ImageCodec`, with its defaults."""

    quantizer_levels: tuple[Width, ...] = Field(max_length=100)
    hidden_dims: Width = Field(default=512, multiple_of=4)
    multisurvey_projection_dims: Width = 54
    n_compressions: Literal[2] = 2
    """Halvings of the side: 96 pixels become 24 x 24 tokens."""
    num_consecutive: Depth = 4
    embedding_dim: int = 5
    range_compression_factor: float = Field(default=0.01, gt=0)
    mult_factor: float = 10.0

    @model_validator(mode="after")
    def _the_codes_are_the_networks(self) -> "ImageCodecSizes":
        if len(self.quantizer_levels) != self.embedding_dim:
            raise ValueError(
                f"{len(self.quantizer_levels)} levels for {self.embedding_dim} numbers"
            )
        if prod(self.quantizer_levels) != IMAGE_CODES:
            raise ValueError(
                f"makes a vocabulary of {prod(self.quantizer_levels)} codes, AION has {IMAGE_CODES}"
            )
        return self


class SpectrumCodecSizes(Config):
    """Arguments of upstream's `SpectrumCodec` that shape its encoder, with its defaults."""

    encoder_depths: tuple[Depth, ...] = Field(default=(3, 3, 9, 3), min_length=1, max_length=10)
    encoder_dims: tuple[Width, ...] = (96, 192, 384, 768)
    lambda_min: float = 3500.0
    """First wavelength of the codec's grid, Angstrom."""
    resolution: float = 0.8
    """Step of the grid, Angstrom."""
    num_pixels: Length = 8704
    latent_channels: Width = 512
    embedding_dim: Width = 4
    clip_ivar: float | None = 100.0
    clip_flux: float | None = None
    input_scaling: float = 0.2
    normalization_range: tuple[float, float] = (-1.0, 5.0)
    codebook_size: int = 1024
    dim: Width = 10

    @model_validator(mode="after")
    def _the_codes_are_the_networks(self) -> "SpectrumCodecSizes":
        if len(self.encoder_depths) != len(self.encoder_dims):
            raise ValueError("needs as many encoder_depths as encoder_dims")
        if self.encoder_dims[-1] != self.latent_channels or self.embedding_dim != self.dim:
            raise ValueError(
                "needs encoder_dims ending in latent_channels, and embedding_dim = dim"
            )
        if self.codebook_size != SPECTRUM_CODES:
            raise ValueError(
                f"makes a vocabulary of {self.codebook_size} codes, AION has {SPECTRUM_CODES}"
            )
        # The stem takes every fourth pixel, each later stage every second; one more token holds
        # the normalisation.
        tokens = self.num_pixels // (4 * 2 ** (len(self.encoder_dims) - 1)) + 1
        if tokens != SPECTRUM_TOKENS:
            raise ValueError(f"makes {tokens} tokens, AION takes {SPECTRUM_TOKENS}")
        return self


class AdapterSizes(Config):
    """The two networks between Euclid's bands and HSC's, and the scale they see fluxes in."""

    hidden: Width = Field(default=16, multiple_of=8)
    """Channels at full resolution; twice and four times as many at half and a quarter of it."""
    softening_ujy: tuple[float, float, float, float] = (0.0072, 0.079, 0.072, 0.079)
    """Flux of a pixel in each of Euclid's bands at which the scale turns from linear to
    logarithmic: five times the noise of a pixel of 0.1 arcsec, which is 31.0, 28.4, 28.5 and 28.4
    mag. Source: the demo survey's reading of the depth of the Euclid Wide Survey."""


class Architecture(Config):
    """Everything that is needed to build the encoder and the two codecs."""

    encoder: EncoderSizes
    image_codec: ImageCodecSizes
    spectrum_codec: SpectrumCodecSizes
    adapter: AdapterSizes | None = None
    """None: these weights take the codec's own bands only."""


class ImageSurvey(Config):
    """Images of one survey: AION has tokens of their own for each."""

    domain: Literal["tok_image_hsc", "tok_image"]
    bands: tuple[str, ...]
    unit: str
    """What the codec expects, as an astropy unit; nmgy = nanomaggy = 3.631e-6 Jy."""


class SpectrumRecipe(Config):
    """How spectra are fed."""

    unit: str = "1e-17 erg / (s cm2 Angstrom)"
    sdss_instruments: tuple[str, ...] = SDSS_INSTRUMENTS
    """Instruments whose spectra get the tokens of SDSS; all others get DESI's."""


class AdapterRecipe(Config):
    """Images that reach the codec through the adapter."""

    bands: tuple[str, ...] = EUCLID_BANDS
    unit: Literal["uJy"] = "uJy"
    field_px: Width = SIZE_PX
    """Side of the central square that is used, in pixels of the survey; it is brought to the
    codec's 96 pixels with its flux conserved."""
    domain: Literal["tok_image_hsc"] = "tok_image_hsc"
    """Tokens that the images become."""

    @model_validator(mode="after")
    def _the_networks_know_the_bands(self) -> "AdapterRecipe":
        if self.bands != EUCLID_BANDS:
            raise ValueError(f"an adapter takes the bands {', '.join(EUCLID_BANDS)}")
        return self


class Recipe(Config):
    """From the survey's units to the codecs'; the rest of the way is the codecs' own."""

    size_px: Width = SIZE_PX
    """Side of the central square that is used; the codec takes 96."""
    images: tuple[ImageSurvey, ...] = (
        ImageSurvey(domain="tok_image_hsc", bands=HSC_BANDS, unit=HSC_UNIT),
        ImageSurvey(domain="tok_image", bands=DES_BANDS, unit="nmgy"),
    )
    spectrum: SpectrumRecipe = SpectrumRecipe()
    adapter: AdapterRecipe | None = None
    """None: no other bands than those of `images`."""


def unpack_card(card: Card, where: str) -> tuple[Architecture, Recipe]:
    """The typed content of a card of this model.

    Args:
        card: as read from a weights folder.
        where: names the card in messages.

    Raises:
        WeightsError: it is for another model, or a value is wrong.
    """
    architecture, recipe = card.unpack(where, "aion", Architecture, Recipe)
    if (architecture.adapter is None) != (recipe.adapter is None):
        raise WeightsError(f"{where}: architecture and preprocessing differ on having an adapter")
    return architecture, recipe
