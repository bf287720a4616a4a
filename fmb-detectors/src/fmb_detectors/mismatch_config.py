"""Options of the detectors of pairs."""

from typing import Literal

from pydantic import Field

from fmb import Config

__all__ = ["CriticConfig", "MismatchConfig"]


class CriticConfig(Config):
    """Options of the boosted critic, those of the ratio it looks at included."""

    variance: float = Field(default=0.99, gt=0, le=1)
    """Share of the variance of each view that its components keep."""
    components: int = Field(default=128, ge=1)
    """At most so many of each view, and one for ten fitted pairs."""
    trees: int = Field(default=150, ge=1)
    """Boosted one after the other."""
    pairs: int = Field(default=4096, ge=10)
    """Fitted pairs it is trained on at most, each beside six strangers."""


class MismatchConfig(Config):
    """Options of the list of pairs that do not fit together."""

    kind: Literal["auto", "ratio", "cosine"] = "auto"
    """Score: "cosine" for views of one space, "ratio" for any; "auto" = as the model has them."""
    variance: float = Field(default=0.99, gt=0, le=1)
    """Share of the variance of each view that its components keep."""
    components: int = Field(default=128, ge=1)
    """At most so many of each view, and one for ten fitted pairs."""
    strangers: int = Field(default=100, ge=1)
    """Pairs alike in the catalogue whose partners are tried in place of an object's own."""
