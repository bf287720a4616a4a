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
"""How far log g may be from its mean: at the edge of the roles a parabola in the exponent would
reach anything."""


@dataclass(frozen=True, eq=False)
class Piece:
    """What is predicted of objects that know some roles."""

    polynomial: Polynomial
    means: Array
    """(c, d), float32: polynomial @ means is the prediction m, in units of the vectors."""
    shrinks: Array
    """(c,), float64: polynomial @ shrinks is -log g, before it is held; of mean 0 over the fit."""
    sizes: Array
    """(d,), float32: 1 / size of each component's residuals; 0 for one that does not vary beyond
    rounding, whose residual is 0."""

    @property
    def roles(self) -> tuple[int, ...]:
        """Positions of the roles it takes."""
        return self.polynomial.roles

    def residuals(self, values: Array, roles: Array) -> Array:
        """(x - m) / s of vectors (n, d) that know its roles, float32."""
        p = self.polynomial(roles)
        narrow = np.exp((p @ self.shrinks).clip(-WIDEST, WIDEST)).astype(np.float32)[:, None]
        p = p.astype(np.float32)
        made: Array = np.empty(values.shape, dtype=np.float32)
        for start in range(0, len(p), CACHED_ROWS):
            part = slice(start, start + CACHED_ROWS)
            away = made[part]
            np.matmul(p[part], self.means, out=away)
            np.subtract(values[part], away, out=away)
            away *= self.sizes
            away *= narrow[part]
        return made


@dataclass(frozen=True, eq=False)
class Conditioning:
    """A fitted transform: vectors x with roles c to r = (x - m(c)) / s(c).

    m is a ridge regression of all components of x on a polynomial of the standardised, clipped
    roles. s_j = size_j g(c): log size_j is the mean of log |x - m|_j over the fit, and log g a
    ridge regression, on the same polynomial, of the mean over the components of log |x - m|, held
    within a factor of 5. One g for all components leaves their correlations as they are. With a g
    for each, noise of the regressions broke these, and what is strange was then whatever lies at
    the edge of the roles: in a simulated survey of 2,000 that owned 56 % of the top 2 %, of
    vectors as they are 21 %, and with one g 28 %.

    An object is conditioned on the roles it has, by the piece of most roles among these.
    """

    pieces: tuple[Piece, ...]
    """Most roles first; the last takes none: mean and spread of all."""

    @property
    def width(self) -> int:
        """Numbers in a vector."""
        return len(self.pieces[0].sizes)

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
