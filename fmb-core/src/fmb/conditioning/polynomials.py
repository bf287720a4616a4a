"""Polynomials of roles: which a fit can carry, and their columns."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations_with_replacement

import numpy as np

from fmb.contract.arrays import Array

__all__ = ["Polynomial", "chosen_polynomials", "columns_of", "degree_for"]

CLIP = 3.0
"""Roles further out count as this far, in units of their spread: beyond it there are too few
objects to fix a parabola, which would throw the object at the edge furthest. Vectors are never
clipped: their extremes are the signal."""
HIGHEST_DEGREE = 2
"""Of degree 3, measured, lists are led by objects at the edge of the roles (their outer 2 % owned
17 % of the top 1 %; of degree 2, 4 %)."""
ROWS_PER_COLUMN = 40
"""Fewer rows leave so much noise in a prediction that it shows in the residuals of a new object."""
FARTHEST = 1e6
"""Roles further out, in units of their spread, are as far: of larger ones squares overflow."""
NORMAL = 1.4826
"""Spread of a normal distribution in units of its median absolute deviation."""


@dataclass(frozen=True, eq=False)
class Polynomial:
    """All products of some standardised, clipped roles up to a degree."""

    roles: tuple[int, ...]
    """Which columns of the roles it takes, ascending; () = it is the constant."""
    degree: int
    """0 for the constant, else 1 or 2."""
    centre: Array
    spread: Array
    """(roles,), float64: median and scaled median absolute deviation of each in the fit's rows."""

    @classmethod
    def of(cls, values: Array, roles: tuple[int, ...], degree: int) -> "Polynomial":
        """The polynomial standardised on some rows.

        Args:
            values: (m, R), the rows of a fit that know all of `roles`.
            roles: columns of `values`.
            degree: 0 where there are none.
        """
        if not roles or not len(values):
            return cls(roles, degree, np.zeros(len(roles)), np.ones(len(roles)))
        centre, spread = np.transpose([_middle(values[:, role]) for role in roles])
        return cls(roles, degree, centre, spread)

    @property
    def columns(self) -> int:
        """Columns, the constant among them."""
        return 1 + columns_of(len(self.roles), self.degree)

    def known(self, values: Array) -> Array:
        """(n,), bool: which objects know all of its roles."""
        return np.asarray(np.isfinite(values[:, self.roles]).all(axis=1))

    def __call__(self, values: Array) -> Array:
        """(n, columns), float64: 1, the roles, their products; 0 where a role is unknown.

        Args:
            values: (n, R), NaN where unknown.
        """
        made = np.zeros((len(values), self.columns))
        known = self.known(values)
        z = (values[:, self.roles][known] - self.centre) / self.spread
        z.clip(-CLIP, CLIP, out=z)
        parts = [np.ones((len(z), 1)), z]
        if self.degree == HIGHEST_DEGREE:
            pairs = list(combinations_with_replacement(range(z.shape[1]), 2))
            parts += [z[:, [i]] * z[:, [j]] for i, j in pairs]
        made[known] = np.hstack(parts)
        return made

    def far(self, values: Array) -> Array:
        """(n, 2), float64: how far out the roles of objects are, u = log(1 + mean z^2), and u^2.

        z: the standardised roles, not clipped. 0 where a role is unknown, and of the constant.

        Args:
            values: (n, R), NaN where unknown.
        """
        made = np.zeros((len(values), 2))
        known = self.known(values)
        if self.roles:
            z = (values[:, self.roles][known] - self.centre) / self.spread
            z.clip(-FARTHEST, FARTHEST, out=z)
            made[known, 0] = np.log1p(np.mean(z**2, axis=1))
            made[:, 1] = made[:, 0] ** 2
        return made


def columns_of(roles: int, degree: int) -> int:
    """Columns of a polynomial besides the constant."""
    return (0, roles, roles * (roles + 3) // 2)[degree]


def degree_for(rows: int, roles: int) -> int:
    """The degree that so many rows of a fit can carry; 0 = none."""
    fitting = [
        degree
        for degree in range(1, HIGHEST_DEGREE + 1)
        if rows >= ROWS_PER_COLUMN * columns_of(roles, degree)
    ]
    return max(fitting, default=0) if roles else 0


def chosen_polynomials(values: Array) -> list[Polynomial]:
    """The polynomials of a fit: one for each set of roles that objects know, the constant last.

    A set that too few rows know is made smaller until enough do: of the roles in it that which the
    fewest rows know is left out, of equal ones the last.

    Args:
        values: (m, R), the rows of the fit, NaN where unknown.

    Returns:
        Those of most roles first, then those that more rows know; each on all rows that know its
        roles.
    """
    known = np.isfinite(values)
    chosen: dict[tuple[int, ...], int] = {}
    for code in np.unique(known @ (1 << np.arange(known.shape[1]))).tolist():
        roles = tuple(role for role in range(known.shape[1]) if code >> role & 1)
        while roles and not degree_for(_rows(known, roles), len(roles)):
            fewest = min(reversed(roles), key=lambda role: int(known[:, role].sum()))
            roles = tuple(role for role in roles if role != fewest)
        chosen[roles] = _rows(known, roles)
    chosen[()] = len(values)
    order = sorted(chosen, key=lambda roles: (-len(roles), -chosen[roles], roles))
    return [
        Polynomial.of(
            values[known[:, roles].all(axis=1)], roles, degree_for(chosen[roles], len(roles))
        )
        for roles in order
    ]


def _middle(role: Array) -> tuple[float, float]:
    """Median and scaled median absolute deviation of known values of a role, (m,)."""
    centre = float(np.median(role))
    spread = NORMAL * float(np.median(np.abs(role - centre)))
    # Half of all values may be the same; of a constant any unit will do.
    return centre, spread or float(role.std()) or 1.0


def _rows(known: Array, roles: Sequence[int]) -> int:
    return int(known[:, roles].all(axis=1).sum())
