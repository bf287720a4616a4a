"""What detectors are given: vectors, pairs of them, or lists of others, always with ids."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from fmb.contract.arrays import Array, Rows
from fmb.contract.names import ListName, VectorName
from fmb.messages.errors import ShapeError

__all__ = ["Judged", "Members", "Pairs", "Vectors"]

BLOCK_ROWS = 1024
"""Rows at a time: float64 copies of a block stay small whatever the survey."""


def _take(columns: Mapping[str, Array], rows: Array) -> dict[str, Array]:
    return {role: values[rows] for role, values in columns.items()}


@dataclass(frozen=True, eq=False)
class Vectors(Rows):
    """Vectors of n objects in one view: the input of a detector of scope "single"."""

    ids: Array
    """(n,), int64, uint64 or str, in canonical order."""
    values: Array
    """(n, d), float32; may lie on disk, mapped into memory."""
    columns: Mapping[str, Array] = field(default_factory=dict)
    """Catalogue role -> (n,), the roles that the detector's record asks for.

    float64 with NaN where unknown; roles of text are str with "" where unknown.
    """

    def __post_init__(self) -> None:
        if self.values.ndim != 2 or len(self.values) != len(self.ids):
            raise ShapeError(
                f"vectors have shape {self.values.shape} for {len(self.ids)} ids, expected (n, d)"
            )

    def take(self, rows: npt.ArrayLike) -> "Vectors":
        """The vectors at `rows`, in that order."""
        chosen = np.asarray(rows)
        return Vectors(self.ids[chosen], self.values[chosen], _take(self.columns, chosen))

    def blocks(self, rows: int = BLOCK_ROWS) -> Iterator[tuple[slice, Array]]:
        """Which rows, and their vectors: at most `rows` at a time, in order, without a copy."""
        for start in range(0, len(self.values), rows):
            part = slice(start, min(start + rows, len(self.values)))
            yield part, self.values[part]


@dataclass(frozen=True, eq=False)
class Pairs(Rows):
    """Two views of the same n objects: the input of a detector of scope "pair"."""

    ids: Array
    a: Array
    b: Array
    """(n, d_a) and (n, d_b), float32."""
    aligned: bool
    """True when both views live in one space."""
    names: tuple[VectorName, VectorName]
    """Which vectors `a` and `b` are."""
    columns: Mapping[str, Array] = field(default_factory=dict)
    """As in `Vectors`."""

    def take(self, rows: npt.ArrayLike) -> "Pairs":
        """The pairs at `rows`, in that order."""
        at = np.asarray(rows)
        columns = _take(self.columns, at)
        return Pairs(self.ids[at], self.a[at], self.b[at], self.aligned, self.names, columns)


@dataclass(frozen=True, eq=False)
class Members(Rows):
    """Standing of the same n objects in several lists: the input of scope "fusion"."""

    ids: Array
    percentiles: Mapping[ListName, Array]
    """List -> (n,) float64 in (0, 1], higher is stranger, ranked among these n objects."""
    p_values: Mapping[ListName, Array] | None = None
    """List -> (n,) float64 in (0, 1]; None = the survey has no reference."""
    columns: Mapping[str, Array] = field(default_factory=dict)
    """As in `Vectors`."""
    ranked: int = 0
    """Among how many sources the percentiles were ranked; 0 = as many as there are objects."""

    def take(self, rows: npt.ArrayLike) -> "Members":
        """The members at `rows`, in that order; percentiles stay those among all n."""
        at = np.asarray(rows)
        return Members(
            self.ids[at],
            {name: values[at] for name, values in self.percentiles.items()},
            self.p_values and {name: values[at] for name, values in self.p_values.items()},
            _take(self.columns, at),
            self.ranked or len(self),
        )


Judged = Vectors | Pairs | Members
"""What a detector of some scope judges."""
