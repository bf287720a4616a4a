"""Vectors given roles: the residuals of what the roles predict, in units of their spread."""

import math
from dataclasses import dataclass, replace

import numpy as np

from fmb.conditioning.level import Level, fit_level
from fmb.conditioning.polynomials import ROWS_PER_COLUMN, Polynomial
from fmb.contract.arrays import Array
from fmb.messages.errors import ShapeError

__all__ = ["CACHED_ROWS", "REVISION", "Conditioning", "Piece"]

REVISION = 3
"""Of the formulas; part of the key of a list."""
CACHED_ROWS = 256
"""Rows at a time: a block that goes through several operations stays in a core's cache."""
LEVELLED_ROWS = 16_384
"""Of which there are polynomials in float64."""
WIDEST = math.log(5.0)
"""How far a log spread may be from its mean over the fit, in either direction."""
MOST_OWN = 0.9
"""No object of a fit is taken to have made more of its own prediction."""


@dataclass(frozen=True, eq=False)
class Piece:
    """What is predicted of objects that know some roles."""

    polynomial: Polynomial
    means: Array
    """(c, d), float32: polynomial @ means is the prediction m, in units of the vectors."""
    shrinks: Array
    """(1 + R, d), float32: (1, roles) @ shrinks is minus the logarithm of each component's spread,
    before it is held, in units of its size; of mean 0 over the fit."""
    sizes: Array
    """(d,), float32: 1 / size of each component's residuals; 0 for one that does not vary beyond
    rounding, whose residual is 0."""
    inverse: Array
    """(c, c), float64: p @ inverse @ p is the leverage of an object of the fit: what share of its
    own prediction is its own."""

    @property
    def roles(self) -> tuple[int, ...]:
        """Positions of the roles it takes."""
        return self.polynomial.roles

    def residuals(self, values: Array, roles: Array) -> Array:
        """(x - m) / s of vectors (n, d) that know its roles, float32."""
        p = self.polynomial(roles).astype(np.float32)
        linear = np.ascontiguousarray(p[:, : len(self.shrinks)])
        made: Array = np.empty(values.shape, dtype=np.float32)
        for start in range(0, len(p), CACHED_ROWS):
            part = slice(start, start + CACHED_ROWS)
            away = made[part]
            np.matmul(p[part], self.means, out=away)
            np.subtract(values[part], away, out=away)
            narrow = linear[part] @ self.shrinks
            np.clip(narrow, -WIDEST, WIDEST, out=narrow)
            np.exp(narrow, out=narrow)
            narrow *= self.sizes
            away *= narrow
        return made

    def columns(self, roles: Array) -> Array:
        """(n, c + 2), float64: the polynomial of roles, and how far out they are."""
        return np.hstack([self.polynomial(roles), self.polynomial.far(roles)])

    def own_share(self, roles: Array) -> Array:
        """(n,), float64, in [0, 1): the leverages of objects of the fit that know its roles."""
        p = self.polynomial(roles)
        share = np.einsum("ni,ij,nj->n", p, self.inverse, p)
        return np.asarray(np.clip(share, 0.0, MOST_OWN))


@dataclass(frozen=True, eq=False)
class Conditioning:
    """A fitted transform: vectors x with roles c to r = (x - m(c)) / s(c).

    m is a ridge regression of all components of x on a polynomial of the standardised, clipped
    roles. log s_j is one of log |x_j - m_j| on the roles themselves, held within a factor of 5 of
    its mean, for each component j: its slopes are pooled with those of the others by what noise
    leaves of their differences (James and Stein 1961), since slopes that are noise break the
    correlations of the components. Scores of what is left still follow the roles where the
    correlations do; `level` takes that out.

    An object is conditioned on the roles it has, by the piece of most roles among these.
    """

    pieces: tuple[Piece, ...]
    """Most roles first; the last takes none: mean and spread of all."""
    level: tuple[Level, ...] = ()
    """What scores of residuals tell of the roles, a piece. () = not asked."""

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

    def left_out(self, values: Array, roles: Array) -> Array:
        """The residuals that objects of the fit would have by a fit without them, (n, d), float32.

        Exact for the mean; see Allen 1974, Technometrics 16, 125.
        """
        made, which = self.residuals(values, roles), self._piece_of(roles)
        for i in np.unique(which):
            at = np.flatnonzero(which == i)
            made[at] /= (1 - self.pieces[i].own_share(roles[at]))[:, None].astype(np.float32)
        return made

    def levelled(self, scores: Array, roles: Array) -> Array:
        """How far scores of residuals are above those of objects with such roles, (n,), float64."""
        if not self.level:
            return scores
        made, which = scores.copy(), self._piece_of(roles)
        for i in np.unique(which):
            of_piece = np.flatnonzero(which == i)
            for start in range(0, len(of_piece), LEVELLED_ROWS):
                at = of_piece[start : start + LEVELLED_ROWS]
                made[at] = self.level[i](scores[at], self.pieces[i].columns(roles[at]))
        return made

    def with_level(self, scores: Array, roles: Array) -> "Conditioning":
        """The same with levels, from scores (m,) of residuals of objects of the fit.

        Where fewer than 40 of them are conditioned on the same roles, from those of all.
        """
        which = self._piece_of(roles)
        levels = []
        for i, piece in enumerate(self.pieces):
            at = np.flatnonzero(which == i)
            width = piece.polynomial.columns
            if len(at) < ROWS_PER_COLUMN:
                constant = np.zeros((len(scores), width + 2))
                constant[:, 0] = 1.0
                levels.append(fit_level(scores, constant, [1]))
            else:
                columns = piece.columns(roles[at])
                levels.append(fit_level(scores[at], columns, [width + 2, width]))
        return replace(self, level=tuple(levels))

    def _piece_of(self, roles: Array) -> Array:
        which = np.full(len(roles), len(self.pieces) - 1)
        for i in reversed(range(len(self.pieces))):
            which[self.pieces[i].polynomial.known(roles)] = i
        return which
