"""What a user may set for AION."""

from typing import Literal

from pydantic import Field

from fmb.contract.config import Config
from fmb.train_config import TrainConfig

__all__ = ["AionConfig", "AionTraining"]


class AionConfig(Config):
    """Options of the model `aion`."""

    preset: Literal["small", "base", "large", "xlarge"] = "small"
    """Sizes of random weights."""
    spectrum_survey: Literal["auto", "desi", "sdss"] = "auto"
    """Whose spectra these are; "auto": SDSS for an instrument sdss, boss or eboss, else DESI."""
    max_masked: float = Field(default=0.5, ge=0, lt=1)
    """Largest part of a band's pixels that may be masked."""
    min_coverage: float = Field(default=0.3, gt=0, le=1)
    """Smallest part of the wavelength range that good pixels must cover."""


class AionTraining(TrainConfig):
    """Options of training `aion`: an adapter that lets the image codec read Euclid's bands.

    Encoder and codecs are frozen.
    """

    learning_rate: float = Field(default=1e-2, gt=0)
    """Of AdamW, at the end of the warm-up; higher than usual: the networks are small."""
    hidden: int | None = Field(default=None, gt=0, multiple_of=8)
    """Channels of the adapter at full resolution; None: as in the weights, else 16."""
    field_px: int | None = Field(default=None, gt=0)
    """Side of the central square in the survey's pixels; None: as in the weights, else 96."""
