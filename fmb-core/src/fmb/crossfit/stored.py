"""Vectors of a survey where they lie: gathered for who needs all of them, else block by block."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import numpy.typing as npt

from fmb.contract.arrays import Array, Rows
from fmb.contract.vector_view import VectorView
from fmb.contract.vectors import Judged, Vectors

__all__ = ["Stored", "blocks_of", "gathered"]

BLOCK_NUMBERS = 1 << 21
"""In a block: 8 MiB of float32, so that calls cost nothing beside the arithmetic."""
FEWEST_ROWS = 1024
"""In a block of any width: products of fewer rows are slow."""


@dataclass(frozen=True, eq=False)
class Stored(Rows):
    """Vectors of n objects that stay where they are until somebody asks for them."""

    ids: Array
    """(n,), int64, uint64 or str, in canonical order."""
    view: VectorView
    """Where they are: a vector for each of the n objects."""
    columns: Mapping[str, Array] = field(default_factory=dict)
    """As in `Vectors`."""

    def take(self, rows: npt.ArrayLike) -> "Stored":
        """The objects at `rows` in that order; no vector is read."""
        at = np.arange(len(self))[np.asarray(rows)]
        columns = {role: values[at] for role, values in self.columns.items()}
        return Stored(self.ids[at], self.view.select(at), columns)

    def vectors(self) -> Vectors:
        """All of them in the order of `ids`: a copy, unless they lie so."""
        return Vectors(self.ids, self.view.values, self.columns)

    def blocks(self) -> Iterator[tuple[Array, Vectors]]:
        """Positions among the n objects and their vectors, in the order of storage.

        Where stored rows follow each other they come without a copy.
        """
        order = self._order
        at, start, first = self.view.at[order], 0, 0
        for part in self.view.parts:
            end = int(np.searchsorted(at, start + len(part)))
            most = _rows_at_once(part.shape[1])
            for low in range(first, end, most):
                rows = order[low : min(low + most, end)]
                yield rows, self._block(rows, np.asarray(part), at[low : low + len(rows)] - start)
            start, first = start + len(part), end

    @cached_property
    def _order(self) -> Array:
        # Unstable, which is faster: only objects that share a stored vector stand at one place.
        return np.argsort(self.view.at)

    def _block(self, rows: Array, part: Array, at: Array) -> Vectors:
        follow = bool((np.diff(at) == 1).all())
        values = part[at[0] : at[-1] + 1] if follow else part[at]
        columns = {role: column[rows] for role, column in self.columns.items()}
        return Vectors(self.ids[rows], values.astype(np.float32, copy=False), columns)


def blocks_of(x: Vectors | Stored) -> Iterator[tuple[Array, Vectors]]:
    """Positions in `x`, and the objects there: all of them, a block at a time."""
    if isinstance(x, Stored):
        yield from x.blocks()
        return
    for rows, values in x.blocks(_rows_at_once(x.values.shape[1])):
        columns = {role: column[rows] for role, column in x.columns.items()}
        yield np.arange(rows.start, rows.stop), Vectors(x.ids[rows], values, columns)


def gathered(x: Judged | Stored) -> Judged:
    """What a detector is given in one piece."""
    return x.vectors() if isinstance(x, Stored) else x


def _rows_at_once(width: int) -> int:
    return max(FEWEST_ROWS, BLOCK_NUMBERS // max(width, 1))
