"""Options of the figures."""

from typing import Literal

from pydantic import Field, field_validator

from fmb import Config

__all__ = ["ObjectPageConfig", "OutlierGridConfig", "ScoreHistogramConfig"]


class ObjectPageConfig(Config):
    """How images and spectra of objects are drawn."""

    bands: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    """Instrument -> one, two or three bands, red first; else chosen from the survey's order."""
    stretch: Literal["asinh", "linear"] = "asinh"
    """How flux becomes brightness; pictures of unit "display" are never stretched again."""
    lines: bool = True
    """Mark common lines at the catalogue's redshift."""
    smooth_aa: float = Field(default=8.0, ge=0.0, allow_inf_nan=False)
    """Full width at half maximum of the smoothed spectrum, Angstrom; 0 = raw only."""
    facts: tuple[str, ...] | None = None
    """Catalogue columns printed on each card; None = redshift and the first magnitude."""

    @field_validator("bands")
    @classmethod
    def _one_to_three(cls, bands: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
        for instrument, names in bands.items():
            if not 1 <= len(names) <= 3 or len(set(names)) != len(names):
                raise ValueError(f"name one, two or three different bands for {instrument}")
        return bands


class OutlierGridConfig(ObjectPageConfig):
    """What the gallery of the strangest objects shows and how."""

    n_objects: int = Field(default=12, ge=1, le=500)
    """Objects on the page; fewer when the run kept fewer cutouts."""
    columns: int | None = Field(default=None, ge=1)
    """Cards side by side; None = as many as fit a page of 16 inches, rows balanced."""


class ScoreHistogramConfig(Config):
    """What the histogram of all scores marks."""

    top_k: int = Field(default=20, ge=1)
    """The strangest objects that are marked."""
    labels: bool = True
    """Show where the labelled objects of the catalogue lie."""
    max_kinds: int = Field(default=20, ge=1)
    """Rows of labels; the commonest are shown and the number of the others is printed."""
