"""What can be chosen about the demo survey."""

from typing import Literal

from pydantic import Field

from fmb import Config
from fmb_surveys.planting.config import KindNames, Strengths

__all__ = ["DemoConfig", "DemoEvalConfig"]


class DemoConfig(Config):
    """Size, seed and planted anomalies of the simulated survey."""

    n_objects: int = Field(default=2000, ge=1)
    """Galaxies observed, before copies with planted anomalies are added."""
    seed: int = Field(default=0, ge=0)
    inputs: tuple[Literal["euclid", "legacysurvey", "desi"], ...] = (
        "euclid",
        "legacysurvey",
        "desi",
    )
    """Instruments that there are; where kept, an object takes 0.22, 0.44 and 0.05 MB in them."""
    planting: Literal["in-survey", "paired", "none"] = "in-survey"
    """Turn hosts into anomalies, add changed copies and keep the hosts, or plant nothing."""
    prevalence: float = Field(default=0.04, gt=0.0, le=0.5)
    """In-survey: share of objects that become an anomaly, divided equally among the kinds."""
    n_per_kind: int = Field(default=100, ge=1)
    """Paired: copies of each kind at each strength."""
    kinds: KindNames = ()
    """Kinds to plant; empty = all."""
    strengths: Strengths = ()
    """Between 0 (weak) and 1 (strong); empty = evenly spread over the range."""
    remeasure: bool = False
    """Measure the catalogue rows of planted objects again; opening then simulates them."""


class DemoEvalConfig(DemoConfig):
    """The same simulation for numbers: more hosts, a changed copy of some at each strength."""

    n_objects: int = Field(default=10_000, ge=1)
    seed: int = Field(default=1, ge=0)
    """Not the seed of `demo`, and not one that bundled weights were trained on."""
    inputs: tuple[Literal["euclid", "legacysurvey", "desi"], ...] = ("euclid", "desi")
    planting: Literal["in-survey", "paired", "none"] = "paired"
    strengths: Strengths = (0.0, 0.5, 1.0)
    remeasure: bool = True
