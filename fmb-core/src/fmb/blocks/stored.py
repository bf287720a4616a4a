"""Vectors of a survey where they lie: gathered for who needs all of them, else block by block."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import overload

import numpy as np
import numpy.typing as npt

from fmb.contract.arrays import Array, Rows
from fmb.contract.names import VectorName
from fmb.contract.vector_view import VectorView
from fmb.contract.vectors import Judged, Pairs, Vectors

__all__ = ["InBlocks", "Stored", "StoredPairs", "blocks_of", "gathered"]

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

    def blocks(self, width: int = 0) -> Iterator[tuple[Array, Vectors]]:
        """Positions among the n objects and their vectors, in the order of storage.

        Where stored rows follow each other they come without a copy.

        Args:
            width: of the rows that a block has room for; no less than that of the vectors.
        """
        order = self._order
        at, start, first = self.view.at[order], 0, 0
        for part in self.view.parts:
            end = int(np.searchsorted(at, start + len(part)))
            most = _rows_at_once(max(part.shape[1], width))
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


@dataclass(frozen=True, eq=False)
class StoredPairs(Rows):
    """Two views of the same n objects that stay where they are until somebody asks for them."""

    ids: Array
    """(n,), int64, uint64 or str, in canonical order."""
    a: VectorView
    b: VectorView
    """Where they are: a vector for each of the n objects in both."""
    aligned: bool
    names: tuple[VectorName, VectorName]
    columns: Mapping[str, Array] = field(default_factory=dict)
    """These three as in `Pairs`."""

    def take(self, rows: npt.ArrayLike) -> "StoredPairs":
        """The objects at `rows` in that order; no vector is read."""
        a, b = (one.take(rows) for one in self.views)
        return replace(self, ids=a.ids, a=a.view, b=b.view, columns=a.columns)

    @cached_property
    def views(self) -> tuple[Stored, Stored]:
        """Each of the two alone."""
        return Stored(self.ids, self.a, self.columns), Stored(self.ids, self.b)

    def pairs(self) -> Pairs:
        """All of them in the order of `ids`: a copy, unless they lie so."""
        a, b = self.a.values, self.b.values
        return Pairs(self.ids, a, b, self.aligned, self.names, self.columns)

    def blocks(self) -> Iterator[tuple[Array, Pairs]]:
        """Positions among the n objects and their pairs, in the order in which `a` is stored.

        Where the rows of `a` follow each other they come without a copy; those of `b` are copied.
        """
        for rows, one in self.views[0].blocks(self.b.width):
            at = self.b.at[rows]
            b = replace(self.b, n=len(at), rows=np.arange(len(at)), at=at).values
            yield rows, Pairs(one.ids, one.values, b, self.aligned, self.names, one.columns)


InBlocks = Vectors | Pairs | Stored | StoredPairs
"""What can be given a block of objects at a time."""


@overload
def blocks_of(x: Vectors | Stored) -> Iterator[tuple[Array, Vectors]]: ...


@overload
def blocks_of(x: InBlocks) -> Iterator[tuple[Array, Vectors | Pairs]]: ...


def blocks_of(x: InBlocks) -> Iterator[tuple[Array, Vectors | Pairs]]:
    """Positions in `x`, and the objects there: all of them, a block at a time."""
    if isinstance(x, Stored | StoredPairs):
        yield from x.blocks()
        return
    widest = x.values.shape[1] if isinstance(x, Vectors) else max(x.a.shape[1], x.b.shape[1])
    most = _rows_at_once(widest)
    for start in range(0, len(x), most):
        at = slice(start, min(start + most, len(x)))
        columns = {role: column[at] for role, column in x.columns.items()}
        block = (
            Vectors(x.ids[at], x.values[at], columns)
            if isinstance(x, Vectors)
            else replace(x, ids=x.ids[at], a=x.a[at], b=x.b[at], columns=columns)
        )
        yield np.arange(at.start, at.stop), block


def gathered(x: Judged | Stored | StoredPairs) -> Judged:
    """What a detector is given in one piece."""
    if isinstance(x, StoredPairs):
        return x.pairs()
    return x.vectors() if isinstance(x, Stored) else x


def _rows_at_once(width: int) -> int:
    return max(FEWEST_ROWS, BLOCK_NUMBERS // max(width, 1))
