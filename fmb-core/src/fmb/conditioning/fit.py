"""Fits of the conditioning: one a fold, all from two passes over a survey."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from fmb.conditioning.conditioned import CACHED_ROWS, Conditioning, Piece
from fmb.conditioning.polynomials import Polynomial, chosen_polynomials
from fmb.conditioning.ridge import Sums
from fmb.contract.arrays import Array

__all__ = ["Blocks", "fit_conditionings"]

Blocks = Callable[[], Iterator[tuple[Array, Array]]]
"""A pass over a survey: positions, and the vectors (n, d) there; the same blocks each time."""

SUMMED_ROWS = 1024
"""Rows of which there is a copy in float64."""
FAINTEST = 1e-2
"""Residuals below this share of their root mean square count as that: log 0 is no number, one tiny
residual would weigh like many, and float32 knows it to a few digits only. Of a normal distribution
it is 1 in 125, and moves the spreads of all alike by 0.8 %."""
ROUNDING = 1e-5
"""Spread of residuals, in units of the component's, that is left by arithmetic in float32."""


@dataclass(eq=False)
class _Draft:
    """A piece of the fit to all objects but those of a fold, as its sums come in."""

    fold: int
    polynomial: Polynomial
    sums: Sums
    squares: Array
    """(d,), float64: of the vectors about the centre."""

    def columns(self, fold: Array, roles: Array) -> Array:
        """(n, c): the polynomial; 0 for objects of its fold, or that do not know its roles."""
        made = self.polynomial(roles)
        made[fold == self.fold] = 0.0
        return made


@dataclass(eq=False)
class _Predicted:
    """A piece that knows its means, as the sums for its spreads come in."""

    draft: _Draft
    piece: Piece
    faintest: Array
    """(d,), float32: no residual counts as smaller."""
    sums: Sums
    """Of the logarithms of the residuals, on the roles."""
    squares: Array
    """(d,), float64: of these logarithms."""


def fit_conditionings(blocks: Blocks, roles: Array, fold: Array, k: int) -> list[Conditioning]:
    """The transform fitted to all objects but those of fold i, for each of k folds.

    The means are summed about a centre in float64; the spreads, which need fewer digits, from
    logarithms and products in float32, block by block. Both are solved in float64.

    Args:
        blocks: finite vectors of n objects.
        roles: (n, R), float64, NaN where unknown.
        fold: (n,), int; objects of none of 0 .. k-1 are seen by every fit.
        k: number of fits.
    """
    _, first = next(blocks())
    d = first.shape[1]
    centre = first.mean(axis=0, dtype=np.float64)
    drafts = [
        _Draft(i, polynomial, Sums.empty(polynomial.columns, d), np.zeros(d))
        for i in range(k)
        for polynomial in chosen_polynomials(roles[fold != i])
    ]
    for rows, values in blocks():
        for start in range(0, len(rows), SUMMED_ROWS):
            at = rows[start : start + SUMMED_ROWS]
            away = values[start : start + SUMMED_ROWS].astype(np.float64)
            away -= centre
            _add_values(drafts, away, fold[at], roles[at])
    predicted = [_with_means(draft, centre) for draft in drafts]
    for rows, values in blocks():
        for one in predicted:
            _add_residuals(one, values, fold[rows], roles[rows])
    return [
        Conditioning(tuple(_with_spreads(one) for one in predicted if one.draft.fold == i))
        for i in range(k)
    ]


def _add_values(drafts: Sequence[_Draft], away: Array, fold: Array, roles: Array) -> None:
    """Take vectors about the centre, float64, into the sums of all drafts, with one product."""
    made = [draft.columns(fold, roles) for draft in drafts]
    cross = np.hstack(made).T @ away
    squares = np.column_stack([p[:, 0] for p in made]).T @ np.square(away, out=away)
    end = 0
    for i, (draft, p) in enumerate(zip(drafts, made, strict=True)):
        start, end = end, end + p.shape[1]
        draft.sums.gram += p.T @ p
        draft.sums.cross += cross[start:end]
        draft.squares += squares[i]


def _with_means(draft: _Draft, centre: Array) -> _Predicted:
    """The piece with the regression of the values."""
    sums, means = draft.sums, draft.sums.coefficients()
    left = np.sqrt(sums.residual_squares(means, draft.squares))
    spread = np.sqrt(draft.squares / sums.n)
    still = left <= ROUNDING * (spread + 0.1 * np.abs(centre))
    means[0] += centre
    linear = 1 + len(draft.polynomial.roles)
    piece = Piece(draft.polynomial, means.astype(np.float32), np.empty(0), ~still, sums.inverse())
    faintest = np.where(still, 1.0, FAINTEST * left).astype(np.float32)
    d = len(left)
    return _Predicted(draft, piece, faintest, Sums.empty(linear, d), np.zeros(d))


def _add_residuals(one: _Predicted, values: Array, fold: Array, roles: Array) -> None:
    """Take the logarithms of the residuals of vectors into the sums."""
    p = one.draft.columns(fold, roles)
    at = np.flatnonzero(p[:, 0])
    if len(at) < len(p):
        p, values = p[at], values[at]
    linear = p[:, : len(one.sums.gram)]
    one.sums.gram += linear.T @ linear
    narrow, roles_of = p.astype(np.float32), linear.astype(np.float32)
    for start in range(0, len(p), CACHED_ROWS):
        part = slice(start, start + CACHED_ROWS)
        away = narrow[part] @ one.piece.means
        np.subtract(values[part], away, out=away)
        np.abs(away, out=away)
        np.maximum(away, one.faintest, out=away)
        np.log(away, out=away)
        one.sums.cross += roles_of[part].T @ away
        one.squares += np.einsum("ij,ij->j", away, away)


def _with_spreads(one: _Predicted) -> Piece:
    """The piece with the sizes of its residuals, and the regressions of their logarithms."""
    varying = one.piece.sizes.astype(bool)
    slopes = one.sums.pooled_coefficients(one.squares, varying)
    level = one.sums.cross[0] / one.sums.n
    slopes[0] -= level
    sizes = np.where(varying, np.exp(-level), 0.0)
    shrinks = -slopes.astype(np.float32)
    return replace(one.piece, shrinks=shrinks, sizes=sizes.astype(np.float32))
