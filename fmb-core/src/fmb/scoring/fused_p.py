"""p-values of a score that is made of ranks in several lists, against a reference.

Ranks are relative: an object moves the ranks of those it is ranked with. So it is ranked with the
reference, each of which is ranked with it and the others, all m + 1 alike, and the score is made
of these ranks. Then an ordinary object is exchangeable with the reference and its p-value valid.
Ranked within the reference alone, an object can stand where none of the reference does: for a
Cauchy combination of two lists and m = 999, P(p <= 0.002) was 0.0032 in 1,000 simulated surveys.
"""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from fmb.contract.arrays import Array
from fmb.messages.errors import DataError, ShapeError
from fmb.scoring.ranking import check_finite, rank

__all__ = ["fused_p_values"]

AT_ONCE = 1 << 20
"""Pairs of an object and one of the reference that are looked at in one go."""
ROUNDING = 1e-12
"""Of a score, in units of itself: scores that differ by less count as equal, for the reference."""


def fused_p_values(
    scores: npt.ArrayLike, reference_scores: npt.ArrayLike, rule: Callable[[Array], Array]
) -> Array:
    """The p-value of each object, (1 + #{r: T_r >= T}) / (1 + m), by ranks among all m + 1.

    Few of the reference are ranked anew for each object: the ranks of one of them shift by one at
    most, so its score lies between two bounds that are the same for all objects.

    Args:
        scores: (n, lists), finite, higher is stranger; each column by one fit.
        reference_scores: (m, lists), finite, of ordinary objects, by the same fits.
        rule: (rows, lists) percentiles among m + 1 -> (rows,) scores, each of its own row, that
            never fall when a percentile rises.

    Returns:
        (n,), float64, in (0, 1].

    Raises:
        DataError: the reference is empty.
        ScoreError: a score is not finite.
        ShapeError: the arrays do not fit each other.

    Source: conformal p-values, Bates et al. 2023, Ann. Stat. 51, 149.
    """
    x, reference = np.asarray(scores, float), np.asarray(reference_scores, float)
    if x.ndim != 2 or reference.ndim != 2 or x.shape[1] != reference.shape[1]:
        raise ShapeError(f"scores of shape {x.shape} do not fit a reference of {reference.shape}")
    m = len(reference)
    if not m:
        raise DataError("the reference holds no object that is in all lists of a fusion")
    for values in (x, reference):
        check_finite(values.sum(axis=1), np.arange(len(values)), "fused lists: rows")
    within = np.column_stack([rank(column) for column in reference.T])
    lowest, highest = rule(_percentiles(within + 1)), rule(_percentiles(within))
    own = rule(_percentiles(_ranks_among(x, reference), m + 1))
    level = own - ROUNDING * np.abs(own)
    beaten = m - np.searchsorted(np.sort(lowest), level, side="left")
    step = max(1, AT_ONCE // m)
    for start in range(0, len(x), step):
        part = slice(start, start + step)
        unclear = (lowest < level[part, None]) & (highest >= level[part, None])
        at, which = np.nonzero(unclear)
        moved = np.where(
            x[part][at] > reference[which], 1.0, np.where(x[part][at] == reference[which], 0.5, 0)
        )
        found = rule(_percentiles(within[which] + moved, m + 1)) >= level[part][at]
        beaten[part] += np.bincount(at[found], minlength=len(x[part]))
    return np.asarray((1 + beaten) / (1 + m), dtype=np.float64)


def _ranks_among(x: Array, reference: Array) -> Array:
    """(n, lists): the rank each row of `x` would have among `reference` and itself."""
    ranks = np.empty(x.shape)
    for j, column in enumerate(reference.T):
        rising = np.sort(column)
        below = np.searchsorted(rising, x[:, j], side="left")
        not_above = np.searchsorted(rising, x[:, j], side="right")
        ranks[:, j] = 1 + (len(rising) - not_above) + (not_above - below) / 2
    return ranks


def _percentiles(ranks: Array, n: int = 0) -> Array:
    """(n - rank + 1) / n; without n, that of the rows and one object more."""
    total = n or len(ranks) + 1
    return (total - ranks + 1) / total
