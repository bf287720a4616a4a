"""The vectors of a survey in one view, wherever they lie: mapped into memory, copied once."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from fmb.contract.arrays import Array
from fmb.contract.names import VectorName
from fmb.messages.errors import ShapeError

__all__ = ["VectorView"]


@dataclass(frozen=True, eq=False)
class VectorView:
    """Which of a survey's n objects have a vector, and where it is.

    Example:
        for rows, matrix in run.vectors(name).blocks():
            total[rows] = matrix.sum(axis=1)
    """

    name: VectorName
    identity: Mapping[str, Any]
    """Plain values that tell these vectors from all others; for content keys."""
    n: int
    """Objects of the survey, with a vector or without."""
    rows: Array
    """(m,), int64, ascending: positions of the objects that have one."""
    parts: Sequence[Array]
    """Matrices (k, d) of floats as they are stored, usually mapped from files."""
    at: Array
    """(m,), int64: where the vector of each of `rows` is in the parts laid end to end."""
    comparable: str = ""
    """What vectors of another survey must share to be compared with these; "" = nothing is."""

    def __post_init__(self) -> None:
        widths = {part.shape[1:] for part in self.parts if len(part)}
        if len(widths) > 1:
            raise ShapeError(f"vectors of {self.name}: parts of widths {sorted(widths)}")
        if len(self.rows) != len(self.at):
            n, places = len(self.rows), len(self.at)
            raise ShapeError(f"vectors of {self.name}: {n} objects, {places} places")

    def __len__(self) -> int:
        return len(self.rows)

    def __repr__(self) -> str:
        return f"<{self.name}: {len(self):,} of {self.n:,} objects, {self.width} numbers each>"

    @property
    def width(self) -> int:
        """Numbers in a vector."""
        return int(self.parts[0].shape[1]) if self.parts else 0

    @property
    def valid(self) -> Array:
        """(n,), bool: which objects have a vector."""
        have = np.zeros(self.n, dtype=bool)
        have[self.rows] = True
        return have

    @cached_property
    def values(self) -> Array:
        """(m, d), float32, in the order of `rows`.

        The one stored matrix itself where it is float32 and in this order; else the only copy.
        """
        if len(self.parts) == 1 and self._in_order() and self.parts[0].dtype == np.float32:
            return self.parts[0]
        gathered = np.empty((len(self), self.width), dtype=np.float32)
        for place, rows, part in self._pieces():
            gathered[place] = part[rows]
        return gathered

    def blocks(self) -> Iterator[tuple[Array, Array]]:
        """(positions among the n objects, matrix) part by part, in the order of storage.

        A part of which every row is wanted comes as it is stored, without a copy.
        """
        for place, rows, part in self._pieces():
            whole = len(rows) == len(part) and bool((np.diff(rows) == 1).all())
            yield self.rows[place], part if whole else part[rows]

    def aligned(self) -> Array:
        """(n, d), float32: NaN where an object has no vector. A copy of everything."""
        whole = np.full((self.n, self.width), np.nan, dtype=np.float32)
        whole[self.rows] = self.values
        return whole

    def select(self, chosen: Array) -> "VectorView":
        """The vectors of a part of the survey.

        Args:
            chosen: (k,), int64: positions among the n objects, -1 = none; they become 0 .. k - 1.
        """
        where = np.full(self.n, -1, dtype=np.int64)
        where[self.rows] = self.at
        at = np.where(chosen < 0, -1, where[chosen])
        rows = np.flatnonzero(at >= 0)
        return replace(self, n=len(chosen), rows=rows, at=at[rows])

    def _in_order(self) -> bool:
        return np.array_equal(self.at, np.arange(len(self.parts[0])))

    def _pieces(self) -> Iterator[tuple[Array, Array, Array]]:
        """Positions in `rows`, rows of the part, part: ascending within each part."""
        order = np.argsort(self.at, kind="stable")
        ends = np.searchsorted(self.at[order], np.cumsum([len(part) for part in self.parts]))
        start = first = 0
        for part, end in zip(self.parts, ends.tolist(), strict=True):
            place = order[first:end]
            if len(place):
                yield place, self.at[place] - start, part
            start, first = start + len(part), end
