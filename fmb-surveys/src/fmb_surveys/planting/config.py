"""What can be chosen about planted anomalies."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, PositiveFloat

from fmb import Config, did_you_mean
from fmb_surveys.planting.kinds import KINDS

__all__ = ["KindNames", "PlantingConfig", "Strengths"]


def _known(names: tuple[str, ...]) -> tuple[str, ...]:
    for name in names:
        if name not in KINDS:
            raise ValueError(f"no kind of anomaly is called {name!r}{did_you_mean(name, KINDS)}")
    return names


def _in_range(strengths: tuple[float, ...]) -> tuple[float, ...]:
    if not all(0.0 <= strength <= 1.0 for strength in strengths):
        raise ValueError("strengths lie between 0 (weak) and 1 (strong)")
    return strengths


KindNames = Annotated[tuple[str, ...], AfterValidator(_known)]
Strengths = Annotated[tuple[float, ...], AfterValidator(_in_range)]


class PlantingConfig(Config):
    """Kinds, numbers and strengths of planted anomalies."""

    mode: Literal["in-survey", "paired"]
    """Turn hosts into anomalies, or add changed copies and keep the hosts."""
    kinds: KindNames = ()
    """Names of kinds; empty = all that the survey allows."""
    prevalence: float = Field(default=0.04, gt=0.0, le=0.5)
    """In-survey: share of objects that become anomalies, divided equally among the kinds."""
    n_per_kind: int = Field(default=100, ge=1)
    """Paired: hosts of each kind; each gets one copy at each strength."""
    strengths: Strengths = ()
    """Between 0 (weak) and 1 (strong); empty = even steps."""
    spread: bool = False
    """Paired: each host gets one copy, at strengths spread evenly from the least to the largest."""
    where: str = ""
    """Condition on the catalogue that hosts satisfy; "" = all may be hosts."""
    remeasure: bool = True
    """Measure the catalogue rows of planted objects again, on their pixels."""
    seed: int = Field(default=0, ge=0)
    columns: dict[str, str] = Field(default_factory=dict)
    """Role (redshift, magnitude, snr, logmass, logsfr) -> catalogue column of another name."""
    psf_fwhm_arcsec: dict[str, tuple[PositiveFloat, ...]] = Field(default_factory=dict)
    """Image input -> widths of the point-spread functions by band, for data that tell none."""
    host_magnitude: float | None = Field(default=None, ge=0.0, le=40.0)
    """AB, of the hosts on pictures without a flux scale, which it gives them; None = refused."""
