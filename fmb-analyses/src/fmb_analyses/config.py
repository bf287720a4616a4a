"""Options of the analyses."""

from pydantic import Field, field_validator

from fmb import ROLES, Config

__all__ = ["NuisanceConfig"]

_TEXT = ("class", "group", "survey", "field", "split")


class NuisanceConfig(Config):
    """What a list may follow, and how long its head is."""

    roles: tuple[str, ...] = ("magnitude", "size", "snr", "depth", "psf", "ebv")
    """Roles of the catalogue that are nuisances; those that a list is given are added."""
    head: float = Field(default=0.01, gt=0, le=0.5)
    """Share of a list that is its head."""
    at_least: int = Field(default=50, ge=10)
    """Objects of the head at least."""
    folds: int = Field(default=5, ge=2)
    """Each object is told by a fit to the other folds."""
    resamples: int = Field(default=1000, ge=2)
    """Draws of the bootstrap behind an interval."""

    @field_validator("roles")
    @classmethod
    def _of_numbers(cls, roles: tuple[str, ...]) -> tuple[str, ...]:
        known = [role for role in ROLES if role not in _TEXT]
        for role in roles:
            if role not in known:
                raise ValueError(f"{role!r} is no role of numbers: {', '.join(known)}")
        return roles
