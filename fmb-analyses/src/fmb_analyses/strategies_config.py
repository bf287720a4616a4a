"""Options of the comparison of strategies."""

from pydantic import Field

from fmb import Config

__all__ = ["StrategiesConfig"]


class StrategiesConfig(Config):
    """How many objects are looked at, and what counts as odd."""

    looks: int = Field(default=100, ge=1)
    """Objects of each list."""
    top: float = Field(default=0.05, gt=0, lt=1)
    """Share of a view's objects that are odd in it."""
