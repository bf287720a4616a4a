"""Scores that mean different things on one scale, by the place of each among its like."""

import numpy as np
import numpy.typing as npt

from fmb.contract.arrays import Array
from fmb.messages.errors import ShapeError
from fmb.scoring.ranking import check_finite

__all__ = ["on_one_scale"]


def on_one_scale(
    scores: npt.ArrayLike, stratum: npt.ArrayLike, copies: npt.ArrayLike | None = None
) -> Array:
    """Scores of all strata in the units of those of the largest, in which they can be ranked.

    An object of another stratum gets the score that stands in the largest where its own stands
    among its like: of n objects that of place r (1 = lowest) stands at (r - 1/2) / n. So a stratum
    owns its share of any list, and one of few objects cannot lead it.

    Args:
        scores: (n,), finite, higher is stranger; comparable within a stratum only.
        stratum: (n,), integers or text; of equally large ones that which sorts first is the scale.
        copies: (n,), bool: changed copies of other objects, which get a place and make none.

    Returns:
        (n,), float64, in the order given; those of the largest stratum as they are.

    Raises:
        ScoreError: a score is not finite.
        ShapeError: the arrays differ in length.
    """
    values, which = np.asarray(scores, dtype=np.float64), np.asarray(stratum)
    if values.shape != which.shape:
        raise ShapeError(f"{values.size} scores and {which.size} strata do not fit together")
    check_finite(values, np.arange(len(values)), "strata: rows")
    own = np.ones(len(values), dtype=bool) if copies is None else ~np.asarray(copies, dtype=bool)
    keys, codes = np.unique(which, return_inverse=True)
    if len(keys) < 2:
        return values.copy()
    largest = int(np.argmax(np.bincount(codes[own], minlength=len(keys))))
    scale = np.sort(values[own & (codes == largest)])
    places = (np.arange(len(scale)) + 0.5) / len(scale)
    pooled = values.copy()
    for other in np.flatnonzero(np.arange(len(keys)) != largest):
        inside = codes == other
        like = np.sort(values[inside & own] if (inside & own).any() else values[inside])
        below, up_to = (np.searchsorted(like, values[inside], side) for side in ("left", "right"))
        pooled[inside] = np.interp((below + up_to) / 2 / len(like), places, scale)
    return pooled
