"""Vectors in float32, block by block, and which of them are finite."""

from collections.abc import Iterator, Sequence

import numpy as np

from fmb.contract.arrays import Array
from fmb.messages.errors import DataError
from fmb.vectors.table import VectorTable, block_rows

__all__ = ["converted", "finite_rows", "in_float32", "matrix_rows"]


def in_float32(block: Array, ids: Array, where: str) -> Array:
    """(k, d), float32, row by row; `block` itself where it is that.

    Raises:
        DataError: a number is beyond float32; names its object.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        small: Array = np.ascontiguousarray(block, dtype=np.float32)
    if block.dtype.kind == "f" and block.dtype.itemsize > small.itemsize:
        lost = np.isinf(small) & np.isfinite(block)
        if lost.any():
            row, column = np.argwhere(lost)[0]
            raise DataError(
                f"{where}: {block[row, column]:.3g} in the vector of object {ids[row]} is an"
                " overflow of float32, in which FMB computes; scale the vectors"
            )
    return small


def finite_rows(block: Array) -> Array:
    """(k,), bool: which rows of (k, d) are finite throughout."""
    with np.errstate(over="ignore", invalid="ignore"):
        # One sum says so of all: it is not finite if one of them is not.
        if block.dtype.kind != "f" or np.isfinite(block.sum(dtype=block.dtype)):
            return np.ones(len(block), dtype=bool)
    return np.asarray(np.isfinite(block).all(axis=1))


def matrix_rows(parts: Sequence[Array], ids: Array, where: str) -> Array:
    """Positions of the finite rows of a matrix in parts, where it lies.

    Raises:
        DataError: a number is beyond float32.
    """
    good, first = [], 0
    for part in parts:
        rows = block_rows(part.shape[1] * part.itemsize)
        for at in range(0, len(part), rows):
            block = np.asarray(part[at : at + rows])
            small = in_float32(block, ids[first + at :], where)
            good.append(finite_rows(small))
        first += len(part)
    return np.flatnonzero(np.concatenate(good))


def converted(tables: Sequence[VectorTable], ids: Array, where: str) -> Iterator[tuple[str, Array]]:
    """(view, (k, d) float32) of files laid end to end, the blocks of a view in order.

    Raises:
        DataError: a number is beyond float32.
    """
    done: dict[str, int] = {}
    for table in tables:
        for view, block in table.blocks():
            first = done.get(view, 0)
            done[view] = first + len(block)
            yield view, in_float32(block, ids[first:], f"{where}: {view!r}")
