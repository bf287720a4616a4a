"""What a user may set for AION."""

from typing import Literal

from pydantic import Field

from fmb import Config

__all__ = ["AionConfig"]


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
