"""What vectors must be before anything is fitted to them: finite, enough, and not all alike."""

from collections.abc import Iterator

import numpy as np

from fmb.contract.arrays import Array
from fmb.contract.errors import DataError
from fmb.contract.vectors import BLOCK_ROWS, Judged, Pairs, Vectors
from fmb.scoring.stored import Stored, blocks_of

__all__ = [
    "all_alike",
    "all_finite",
    "require_enough",
    "require_sound",
    "require_spread",
    "widths",
]

_NAMED = 5


def _matrices(x: Judged) -> list[Array]:
    if isinstance(x, Vectors):
        return [x.values]
    if isinstance(x, Pairs):
        return [x.a, x.b]
    return [values[:, None] for values in x.percentiles.values()]


def widths(x: Judged | Stored) -> tuple[int, ...]:
    """Numbers in a vector of each matrix that a detector judges."""
    if isinstance(x, Stored):
        return (x.view.width,)
    return tuple(matrix.shape[1] for matrix in _matrices(x))


def _blocks(matrix: Array) -> Iterator[Array]:
    for start in range(0, len(matrix), BLOCK_ROWS):
        yield matrix[start : start + BLOCK_ROWS]


def all_finite(block: Array) -> bool:
    """True when no value is NaN or infinite; told from one sum, unless that overflows."""
    with np.errstate(over="ignore", invalid="ignore"):
        return bool(np.isfinite(block.sum()) or np.isfinite(block).all())


def require_sound(x: Judged | Stored, label: str) -> None:
    """Refuse values that are not finite.

    Raises:
        DataError: with the number of the objects, and the ids of the first.
    """
    bad: list[Array] = []
    if isinstance(x, Stored | Vectors):
        for rows, block in blocks_of(x):
            if not all_finite(block.values):
                bad.append(rows[~np.isfinite(block.values).all(axis=1)])
    else:
        for matrix in _matrices(x):
            if not all(map(all_finite, _blocks(matrix))):
                bad.append(np.flatnonzero(~np.isfinite(matrix).all(axis=1)))
    if bad:
        found = np.unique(np.concatenate(bad))
        ids = ", ".join(str(i) for i in x.ids[found[:_NAMED]])
        more = ", ..." if len(found) > _NAMED else ""
        raise DataError(
            f"{label}: {len(found)} of {len(x)} vectors hold values that are not finite"
            f" ({ids}{more}); mark these objects as not valid in this view"
        )


def require_spread(x: Judged, label: str) -> None:
    """Refuse vectors to which nothing can be fitted.

    Raises:
        DataError: there are fewer than two, or all are alike.
    """
    require_enough(len(x), widths(x), label)
    if not any((block != matrix[0]).any() for matrix in _matrices(x) for block in _blocks(matrix)):
        raise all_alike(len(x), label)


def require_enough(n: int, widths: tuple[int, ...], label: str) -> None:
    """Refuse fewer than two vectors, or vectors of no numbers.

    Raises:
        DataError: there are no more.
    """
    if n < 2 or not widths or min(widths) < 1:
        d = " and ".join(map(str, widths)) or "0"
        raise DataError(f"{label}: got {n} vectors of dimension {d}; a fit needs at least 2")


def all_alike(n: int, label: str) -> DataError:
    """What is said of n vectors that are all the same."""
    return DataError(
        f"{label}: all {n} vectors are the same, so none is strange; check the weights and the"
        " input of the model"
    )
