"""Vectors given roles: the residuals of what the roles predict, in units of their spread."""

import math
from dataclasses import dataclass

import numpy as np

from fmb.conditioning.polynomials import Polynomial
from fmb.contract.arrays import Array
from fmb.messages.errors import ShapeError

__all__ = ["CACHED_ROWS", "REVISION", "Conditioning", "Piece"]

REVISION = 1
"""Of the formulas; part of the key of a list."""
CACHED_ROWS = 256
"""Rows at a time: a block that goes through several operations stays in a core's cache."""
WIDEST = math.log(5.0)
"""How far a spread may be from the mean of its logarithm: at the edge of the roles a parabola in
the exponent would reach anything."""


@dataclass(frozen=True, eq=False)
class Piece:
    """What is predicted of objects that know some roles."""

    polynomial: Polynomial
    means: Array
    """(c, d), float32: polynomial @ means is the prediction m, in units of the vectors."""
    shrinks: Array
    """(c, d), float32: polynomial @ shrinks is -log s, before it is held."""
    middle: Array
    """(d,), float32: the mean of -log s over the fit's rows; -inf for a component that does not
    vary beyond rounding, whose residual is 0."""

    @property
    def roles(self) -> tuple[int, ...]:
        """Positions of the roles it takes."""
        return self.polynomial.roles

    def residuals(self, values: Array, roles: Array) -> Array:
        """(x - m) / s of vectors (n, d) that know its roles, float32."""
        p = self.polynomial(roles).astype(np.float32)
        low, high = self.middle - np.float32(WIDEST), self.middle + np.float32(WIDEST)
        made: Array = np.empty(values.shape, dtype=np.float32)
        for start in range(0, len(p), CACHED_ROWS):
            part = slice(start, start + CACHED_ROWS)
            away, narrow = made[part], p[part] @ self.shrinks
            np.matmul(p[part], self.means, out=away)
            np.subtract(values[part], away, out=away)
            np.maximum(narrow, low, out=narrow)
            np.minimum(narrow, high, out=narrow)
            np.exp(narrow, out=narrow)
            away *= narrow
        return made


@dataclass(frozen=True, eq=False)
class Conditioning:
    """A fitted transform: vectors x with roles c to r = (x - m(c)) / s(c).

    m is a ridge regression of all components of x on a polynomial of the standardised, clipped
    roles; s is exp of half a ridge regression of log (x - m)^2 on the same. An object is
    conditioned on the roles it has, by the piece of most roles among these.
    """

    pieces: tuple[Piece, ...]
    """Most roles first; the last takes none: mean and spread of all."""

    @property
    def width(self) -> int:
        """Numbers in a vector."""
        return len(self.pieces[0].middle)

    def stratum(self, roles: Array) -> Array:
        """(n,), int64: the roles an object is conditioned on, as the sum of 2 ** position.

        Args:
            roles: (n, R), float64, NaN where unknown.
        """
        codes = np.array([sum(1 << role for role in piece.roles) for piece in self.pieces])
        return np.asarray(codes[self._piece_of(roles)])

    def residuals(self, values: Array, roles: Array) -> Array:
        """The residuals r, (n, d), float32, in the row order given.

        Args:
            values: (n, d), finite.
            roles: (n, R), float64, NaN where unknown.

        Raises:
            ShapeError: the vectors have another width than the fitted ones.
        """
        if values.shape[1] != self.width:
            raise ShapeError(
                f"the conditioning was fitted on d={self.width}, got d={values.shape[1]}; embed"
                " both sets with the same model"
            )
        which = self._piece_of(roles)
        if len(which) and (which == which[0]).all():
            return np.asarray(self.pieces[which[0]].residuals(values, roles))
        made: Array = np.empty(values.shape, dtype=np.float32)
        for i in np.unique(which):
            at = np.flatnonzero(which == i)
            made[at] = self.pieces[i].residuals(values[at], roles[at])
        return made

    def _piece_of(self, roles: Array) -> Array:
        which = np.full(len(roles), len(self.pieces) - 1)
        for i in reversed(range(len(self.pieces))):
            which[self.pieces[i].polynomial.known(roles)] = i
        return which
