"""Fits to few objects on one scale: each measured from the middle of what it was fitted to."""

from collections.abc import Callable, Sequence

import numpy as np

from fmb.contract.arrays import Array
from fmb.contract.vectors import Judged
from fmb.crossfit.checked import Checked

__all__ = ["centre_fits"]

MOST_ROWS = 1000
"""Fitted objects whose median is taken: the same ones for all fits, so that little of it differs
by chance."""


def centre_fits(
    fits: Sequence[Checked], seen: Callable[[int, Array], Judged], fold: Array, fitted: Array
) -> Array:
    """Let the scores of each fit have one median over the objects that it was fitted to.

    A fit to fewer objects than a few times their dimension has a level of its own, the
    log-determinant of a density for instance, which says nothing of an object. The median of the
    fitted objects' scores is that level; those of the held-out fold are left out of it, so that a
    fold of strange objects keeps them. What is taken off is kept as `Checked.offset`: new objects
    are scored alike.

    Args:
        fits: one a fold, fitted to the objects of the others.
        seen: what fit i sees of the objects at some rows.
        fold: (n,), int, positions in `fits`.
        fitted: (n,), bool: those that fits may see.

    Returns:
        (fits,) float64, what each fit's scores are lowered by; their mean is 0.
    """
    every = np.flatnonzero(fitted)
    some = every[:: -(-len(every) // MOST_ROWS)]
    middle = np.array(
        [np.median(one.score(seen(i, some[fold[some] != i]))) for i, one in enumerate(fits)]
    )
    offsets = middle - middle.mean()
    for one, offset in zip(fits, offsets, strict=True):
        one.offset = float(offset)
    return np.asarray(offsets)
