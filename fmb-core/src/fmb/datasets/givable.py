"""Roles that lists of a survey may be given: those asked for, or chosen, and why not others."""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from fmb.conditioning.polynomials import ROWS_PER_COLUMN
from fmb.contract.arrays import Array
from fmb.contract.dataset import ROLES
from fmb.datasets.objects import TEXT_ROLES, role_columns
from fmb.messages.errors import ConfigError, DataError, UnknownNameError, did_you_mean
from fmb.messages.notes import Note

__all__ = ["Givable", "check_roles"]

CHOSEN = ("magnitude", "snr", "depth", "psf", "ebv", "size")
"""What lists are given unasked, most important first. Never redshift, which may come from the
spectrum that is judged; never colours, which are what strange objects are strange by."""
FEWEST_OBJECTS = 280
"""Below that nothing is given unasked: seven roles of degree 1 need forty rows each."""
Asked = str | tuple[str, ...]
"""Roles by name, or "auto" or "none"."""
KNOWN_SHARE = 0.5
"""Of the objects know a role that is given unasked."""


def check_roles(asked: Asked, where: str, measured: Collection[str] = ()) -> None:
    """Refuse what can be no role of numbers, before a survey is opened.

    Args:
        asked: "auto", "none" or names; one of an instrument as "light@euclid".
        where: names the setting in messages.
        measured: roles that are measured on inputs, which no column plays.

    Raises:
        UnknownNameError: there is no such role.
        ConfigError: it is one of text.
    """
    counted = [*(role for role in ROLES if role not in TEXT_ROLES), *measured]
    for name in () if isinstance(asked, str) else asked:
        if name in TEXT_ROLES:
            raise ConfigError(
                f"{where} names {name!r}, a role of text: lists are given numbers; choose one"
                " value of it with --where"
            )
        plain, at, _ = name.partition("@")
        if name not in counted and not (at and plain in measured):
            raise UnknownNameError(f"{where} names {name!r}{did_you_mean(name, counted)}")


@dataclass(frozen=True)
class Givable:
    """The roles of a survey that its lists may be given."""

    catalog: pd.DataFrame
    """One row an object, with role -> column in `attrs["roles"]`."""
    fit_rows: int
    """Objects that a fit sees."""

    def roles(
        self,
        asked: Asked,
        where: str,
        *,
        judged: bool = False,
        measured: Callable[[str], bool] = lambda role: False,
    ) -> tuple[str, ...]:
        """The roles that `asked` comes to.

        Args:
            asked: "auto", "none" or names that `check_roles` has seen.
            where: names the setting in messages.
            judged: they are what is judged, which any number of objects will do for.
            measured: tells roles that are measured on inputs, about which it has nothing to say.

        Raises:
            DataError: no column plays a role, or what it holds tells nothing.
            ConfigError: there are too few objects for so many roles.
        """
        if isinstance(asked, str):
            chosen = self._fit if judged or not self._too_few else []
            return tuple(chosen) if asked == "auto" else ()
        for role in asked:
            if not measured(role) and (why := self._why_not(role, f"{where} names {role!r}")):
                raise DataError(why)
        if self.fit_rows < ROWS_PER_COLUMN * len(asked) and not judged:
            raise ConfigError(
                f"{where} names {len(asked)} roles, which need {ROWS_PER_COLUMN} objects each; a"
                f" fit has {self.fit_rows:,}: name fewer, or none"
            )
        return asked

    def notes(self) -> Iterator[Note]:
        """What a reader must know of the choice: which roles were left out, and why."""
        if self._here and self._too_few:
            yield Note("given", f"lists are given no role of the catalogue: {self._too_few}")
            return
        left = [f"{role} ({why})" for role in self._here if (why := self._odd(role))]
        if left:
            yield Note("given", f"lists are not given {', '.join(left)}")

    @property
    def silent(self) -> bool:
        """True where the catalogue has no role that could be given unasked."""
        return not self._here

    @property
    def few(self) -> bool:
        """True where there are too few objects for three roles and their intercept."""
        return len(self.catalog) < FEWEST_OBJECTS or self.fit_rows < 4 * ROWS_PER_COLUMN

    @property
    def _here(self) -> list[str]:
        return [role for role in CHOSEN if self._column(role) in self.catalog]

    @cached_property
    def _fit(self) -> list[str]:
        return [role for role in self._here if not self._odd(role)]

    @cached_property
    def _too_few(self) -> str:
        """Why there are too few objects for the roles that are here, "" where there are enough."""
        n, need = len(self.catalog), ROWS_PER_COLUMN * len(self._fit)
        if n < FEWEST_OBJECTS:
            return f"{n:,} objects are fewer than {FEWEST_OBJECTS}"
        if self.fit_rows < need:
            return f"{len(self._fit)} roles need {need} objects in a fit, there are {self.fit_rows}"
        return ""

    def _column(self, role: str) -> str:
        return str(self.catalog.attrs.get("roles", {}).get(role, role))

    def _values(self, role: str) -> Array:
        return role_columns(self.catalog, [role])[role]

    def _odd(self, role: str) -> str:
        """Why a role that is here is not given unasked, "" where it is."""
        values = self._values(role)
        known = np.isfinite(values)
        if known.sum() < KNOWN_SHARE * len(values):
            return f"known of {int(known.sum()):,} of {len(values):,} objects"
        return "" if np.ptp(values[known]) > 0 else "the same for all"

    def _why_not(self, role: str, named: str) -> str:
        """What to say of a role that was asked for and cannot be given, "" where it can."""
        column = self._column(role)
        if column not in self.catalog:
            has = [
                one if self._column(one) == one else f"{one} ({self._column(one)})"
                for one in ROLES
                if one not in TEXT_ROLES and self._column(one) in self.catalog
            ]
            return (
                f"{named}, which no column of this survey plays; it has"
                f" {', '.join(has) or 'no role of numbers'}: declare it in survey.toml as"
                f' roles = {{ {role} = "COLUMN" }} of [catalog]'
            )
        values = self._values(role)
        values = values[np.isfinite(values)]
        what = f"{named}, and column {column!r}"
        if not len(values):
            return f"{what} knows it of no object: name another, or none"
        return (
            "" if np.ptp(values) > 0 else f"{what} holds {values[0]:g} only: name another, or none"
        )
