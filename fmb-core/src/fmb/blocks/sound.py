"""What vectors must be before anything is fitted to them: finite, enough, and not all alike."""

from collections.abc import Iterator

import numpy as np

from fmb.blocks.stored import Stored, StoredPairs, blocks_of
from fmb.contract.arrays import Array
from fmb.contract.vectors import BLOCK_ROWS, Judged, Pairs, Vectors
from fmb.messages.errors import DataError

__all__ = ["all_sound", "require_enough", "require_sound", "require_spread", "sizes", "widths"]

_NAMED = 5


def _matrices(x: Judged) -> list[Array]:
    if isinstance(x, Vectors):
        return [x.values]
    if isinstance(x, Pairs):
        return [x.a, x.b]
    return [values[:, None] for values in x.percentiles.values()]


def widths(x: Judged | Stored | StoredPairs) -> tuple[int, ...]:
    """Numbers in a vector of each matrix that a detector judges."""
    if isinstance(x, Stored):
        return (x.view.width,)
    if isinstance(x, StoredPairs):
        return (x.a.width, x.b.width)
    return tuple(matrix.shape[1] for matrix in _matrices(x))


def _in_blocks(x: Judged | Stored | StoredPairs) -> list[Iterator[tuple[Array, Array]]]:
    """Of each matrix that a detector judges some positions and the rows there, at a time."""
    if isinstance(x, StoredPairs):
        return [one for view in x.views for one in _in_blocks(view)]
    if isinstance(x, Stored | Vectors):
        return [((rows, _matrices(block)[0]) for rows, block in blocks_of(x))]
    return [_blocks(matrix) for matrix in _matrices(x)]


def _blocks(matrix: Array) -> Iterator[tuple[Array, Array]]:
    for start in range(0, len(matrix), BLOCK_ROWS):
        block = matrix[start : start + BLOCK_ROWS]
        yield np.arange(start, start + len(block)), block


def _varies(blocks: Iterator[tuple[Array, Array]]) -> bool:
    _, first = next(blocks)
    return (first != first[0]).any() or any((block != first[0]).any() for _, block in blocks)


def sizes(x: Judged | Stored | StoredPairs) -> Array:
    """(n, matrices), float64: the largest absolute number of each object in each matrix."""
    largest = np.zeros((len(x), len(widths(x))))
    for column, matrix in enumerate(_in_blocks(x)):
        for rows, block in matrix:
            largest[rows, column] = np.abs(block).max(axis=1, initial=0)
    return largest


def all_sound(block: Vectors | Pairs) -> bool:
    """True when no value of a block is NaN or infinite."""
    return all(map(all_finite, _matrices(block)))


def all_finite(block: Array) -> bool:
    """True when no value is NaN or infinite; told from the sum of squares unless that overflows."""
    values = block.ravel(order="K")  # no copy of rows that follow each other
    with np.errstate(over="ignore", invalid="ignore"):
        return bool(np.isfinite(values @ values) or np.isfinite(values).all())


def require_sound(x: Judged | Stored | StoredPairs, label: str) -> None:
    """Refuse values that are not finite.

    Raises:
        DataError: with the number of the objects, and the ids of the first.
    """
    bad: list[Array] = []
    for matrix in _in_blocks(x):
        for rows, block in matrix:
            if not all_finite(block):
                bad.append(rows[~np.isfinite(block).all(axis=1)])
    if bad:
        found = np.unique(np.concatenate(bad))
        ids = ", ".join(str(i) for i in x.ids[found[:_NAMED]])
        more = ", ..." if len(found) > _NAMED else ""
        raise DataError(
            f"{label}: {len(found)} of {len(x)} vectors hold values that are not finite"
            f" ({ids}{more}); mark these objects as not valid in this view"
        )


def require_spread(x: Judged | Stored | StoredPairs, label: str) -> None:
    """Refuse vectors to which nothing can be fitted.

    Raises:
        DataError: there are fewer than two, or all are alike.
    """
    require_enough(len(x), widths(x), label)
    if not any(map(_varies, _in_blocks(x))):
        raise DataError(
            f"{label}: all {len(x)} vectors are the same, so none is strange; check the weights and"
            " the input of the model"
        )


def require_enough(n: int, widths: tuple[int, ...], label: str) -> None:
    """Refuse fewer than two vectors, or vectors of no numbers.

    Raises:
        DataError: there are no more.
    """
    if n < 2 or not widths or min(widths) < 1:
        d = " and ".join(map(str, widths)) or "0"
        raise DataError(f"{label}: got {n} vectors of dimension {d}; a fit needs at least 2")
