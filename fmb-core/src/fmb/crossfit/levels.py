"""Scores of residuals without what they tell of the roles, by fits that have not seen them."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from fmb.blocks.stored import gathered
from fmb.contract.arrays import Array
from fmb.contract.vectors import Pairs, Vectors
from fmb.crossfit.checked import Checked
from fmb.crossfit.given import Given, Transforms

__all__ = ["level_fits"]

MOST_ROWS = 2000
"""Objects of a fit whose scores its level is taken from, more where the polynomial has many
columns: twice as many moved no result of the simulated survey."""
ROWS_PER_COLUMN = 60


def level_fits(
    detectors: Sequence[Checked],
    x: Given,
    fits: Sequence[Transforms],
    scores: Array,
    fold: Array,
    fitted: Array,
) -> tuple[Array, list[Transforms]]:
    """Take out of the scores of each fold what those of its fit's own objects tell of the roles.

    Residuals have one mean and one spread along the roles, their correlations may still change, and
    with them the level of any score. The level of a fit is taken from some of its own objects, with
    the residuals that they would have without themselves: an object at the edge of the roles makes
    much of its own prediction, and would look ordinary there.

    Args:
        detectors: fitted ones, one a fold; one alone for an in-sample fit.
        x: n objects.
        fits: what each sees them through.
        scores: (n,), of each object by the fit of its fold.
        fold: (n,), int, positions in `detectors`; all -1 = in-sample, in which an object's residual
            and its score have seen it, so that those of the level have too.
        fitted: (n,), bool: which objects fits may see.

    Returns:
        (n,) float64, and the fits with their levels.
    """
    levelled, made = scores.copy(), []
    for i, (detector, by) in enumerate(zip(detectors, fits, strict=True)):
        own = np.flatnonzero((fold != i) & fitted)
        columns = 2 + max(piece.polynomial.columns for piece in by[0].pieces)
        most = max(MOST_ROWS, ROWS_PER_COLUMN * columns)
        some = own[:: -(-len(own) // most)]
        chosen = x.take(some)
        seen = _residuals(chosen, by, left_out=bool((fold >= 0).all()))
        first = by[0].with_level(detector.score(seen), chosen.roles)
        made.append((first, *by[1:]))
        inside = fold == (i if len(detectors) > 1 or (fold >= 0).all() else -1)
        levelled[inside] = first.levelled(scores[inside], x.roles[inside])
    return levelled, made


def _residuals(x: Given, by: Transforms, *, left_out: bool) -> Vectors | Pairs:
    """The residuals of objects of the fit, as without themselves where asked."""
    of = gathered(x.of)
    matrices = [of.values] if isinstance(of, Vectors) else [of.a, of.b]  # type: ignore[union-attr]
    made = [
        one.left_out(values, x.roles) if left_out else one.residuals(values, x.roles)
        for one, values in zip(by, matrices, strict=True)
    ]
    if isinstance(of, Vectors):
        return replace(of, values=made[0])
    assert isinstance(of, Pairs)
    return replace(of, a=made[0], b=made[1])
