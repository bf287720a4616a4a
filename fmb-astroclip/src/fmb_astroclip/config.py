"""What a user may set for AstroCLIP."""

from typing import Literal

from pydantic import Field

from fmb import Config

__all__ = ["AstroCLIPConfig"]


class AstroCLIPConfig(Config):
    """Options of the model `astroclip`.

    The card of the weights says how the network is built and fed. `preset` writes that card for
    random weights; the numbers of heads complete it for a checkpoint, whose tensors do not tell
    them.
    """

    preset: Literal["tiny", "small", "full"] = "small"
    """Sizes of random weights; "full": those of the published ones."""
    min_coverage: float = Field(default=0.5, gt=0, le=1)
    """Smallest part of a spectrum's pixels that must be good."""
    image_heads: int | None = Field(default=None, gt=0)
    """Heads of the image tower of a checkpoint; None: the published number for its width."""
    spectrum_heads: int | None = Field(default=None, gt=0)
    """The same for the spectrum tower."""
    cross_heads: int | None = Field(default=None, gt=0)
    """The same for the attention that makes one vector of a tower's tokens."""
