"""What a user may set for AstroPT."""

from typing import Literal

from pydantic import Field

from fmb import Config

__all__ = ["AstroPTConfig"]


class AstroPTConfig(Config):
    """Options of the model `astropt`.

    The card of the weights says how the network is built and fed. `preset` and `bands` write that
    card for random weights, `tokenisation`, `bands` and `image_size_px` for an imported checkpoint.
    """

    preset: Literal["tiny", "tiny-one-band", "small", "one-band", "full"] = "small"
    """Sizes of random weights."""
    bands: tuple[str, ...] | None = None
    """Bands in the order of the channels; None: those of the preset."""
    min_coverage: float = Field(default=0.3, gt=0, le=1)
    """Smallest part of the wavelength grid that a spectrum must cover to be used."""
    tokenisation: Literal["auto", "fmb", "upstream"] = "auto"
    """Whose tokens a checkpoint was trained on; "auto": upstream's when it holds a registry."""
    image_size_px: int | None = Field(default=None, gt=0)
    """Side of the images a checkpoint was trained on, when the checkpoint does not say."""
