"""Fits that are sums: each object is seen once to fit and once to score, whatever the folds."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeGuard

import numpy as np

from fmb.blocks.sound import all_sound, require_sound, require_spread
from fmb.blocks.stored import InBlocks, Stored, StoredPairs, blocks_of
from fmb.contract.arrays import Array
from fmb.contract.detector import Summable
from fmb.contract.vectors import Judged, Pairs, Vectors
from fmb.crossfit.checked import Checked

__all__ = ["fits_done", "has_sums", "score_blocks", "sum_blocks"]

Seen = Callable[[int, Array, Any], Vectors | Pairs]


def has_sums(x: Judged | Stored | StoredPairs, detector: Checked) -> TypeGuard[InBlocks]:
    """True when the fit of a detector to `x` is a sum over blocks of it."""
    return isinstance(x, InBlocks) and isinstance(detector.detector, Summable)


def sum_blocks(
    parts: Sequence[Checked],
    x: InBlocks,
    fold: Array,
    label: str,
    told: Callable[[int], None] = lambda objects: None,
) -> None:
    """Take each object into the sums of the part that its fold is.

    Args:
        parts: new ones.
        x: n objects.
        fold: (n,), int, positions in `parts`.
        label: names the detector in messages about all objects.
        told: called with how many more objects are done.

    Raises:
        DataError: a value is not finite, there are fewer than two objects, or all are alike.
        PluginError: the detector changes its input.
    """
    require_spread(x, label)
    for rows, block in blocks_of(x):
        if not all_sound(block):
            require_sound(x, label)
        for i, _, some in _by_fold(rows, block, fold, len(parts)):
            parts[i].add(some)
        told(len(rows))


def score_blocks(
    fits: Sequence[Checked],
    x: InBlocks,
    fold: Array,
    details: Sequence[str] = (),
    told: Callable[[int], None] = lambda objects: None,
    seen: Seen = lambda i, rows, block: block,
) -> tuple[Array, dict[str, Array]]:
    """Scores and details of objects whose values were seen to be finite, each by its fold's fit.

    Args:
        fits: fitted ones.
        x: n objects.
        fold: (n,), int, positions in `fits`.
        details: columns that the detector tells of each object.
        told: as for `sum_blocks`.
        seen: what a fit sees of the objects at some rows of `x`.

    Returns:
        (n,) float64, and column -> (n,) float64, in the row order of `x`.

    Raises:
        PluginError, ScoreError: as `Checked.judge`.
    """
    scores = np.empty(len(x))
    tables = {column: np.empty(len(x)) for column in details}
    for rows, block in blocks_of(x):
        for i, at, some in _by_fold(rows, block, fold, len(fits)):
            scores[at], told_of = fits[i].judge(seen(i, at, some), details, sound=True)
            for column, values in told_of.items():
                tables[column][at] = values
        told(len(rows))
    return scores, tables


def fits_done(objects: int, k: int, told: Callable[[int], None]) -> Callable[[int], None]:
    """Told of objects, it tells how many of k fits that go side by side through all are done."""
    seen = 0

    def count(more: int) -> None:
        nonlocal seen
        before, seen = k * seen // objects, seen + more
        if k * seen // objects > before:
            told(k * seen // objects)

    return count


def _by_fold(
    rows: Array, block: Vectors | Pairs, fold: Array, k: int
) -> Iterator[tuple[int, Array, Vectors | Pairs]]:
    """The folds of a block: which, the positions of its objects in the survey, these objects."""
    if k == 1:
        yield 0, rows, block
        return
    of_row = fold[rows]
    for i in range(k):
        chosen = np.flatnonzero(of_row == i)
        if len(chosen):
            yield i, rows[chosen], block.take(chosen)
