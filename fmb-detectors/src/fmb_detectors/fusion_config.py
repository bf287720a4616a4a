"""Options of the detectors that fuse lists."""

from typing import Annotated

from pydantic import Field

from fmb import Config

__all__ = ["ConsensusConfig", "GeoConfig", "QuotaConfig"]


class GeoConfig(Config):
    """How much each list counts."""

    weights: dict[str, Annotated[float, Field(gt=0)]] = Field(default={})
    """Label, view or both of a list -> its weight; others: 1 for a pair, 1/2 for one view, which
    the lists of a view share."""


class QuotaConfig(Config):
    """Who has a turn."""

    fused: bool = False
    """The Cauchy combination of all lists has a turn too, after each of them."""


class ConsensusConfig(Config):
    """When lists agree on an object."""

    top: float = Field(default=0.01, gt=0, le=1)
    """Share of a list that counts as its top."""
    at_least: int = Field(default=2, ge=1)
    """Lists that must have an object in their top before they count as agreeing."""
