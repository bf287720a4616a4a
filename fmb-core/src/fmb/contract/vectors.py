"""Vectors of objects, always with their ids: what detectors are given."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from fmb.contract.arrays import Array
from fmb.contract.errors import ShapeError

__all__ = ["Embeddings", "Members", "Pairs", "Vectors"]


@dataclass(frozen=True, eq=False)
class Vectors:
    """Vectors of n objects in one view: the input of a detector of scope "single"."""

    ids: Array
    values: Array
    """(n, d), float32."""

    def __post_init__(self) -> None:
        if self.values.ndim != 2 or len(self.values) != len(self.ids):
            raise ShapeError(
                f"vectors have shape {self.values.shape} for {len(self.ids)} ids, expected (n, d)"
            )

    def __len__(self) -> int:
        return len(self.ids)

    def take(self, rows: npt.ArrayLike) -> "Vectors":
        """The vectors at `rows`, in that order."""
        return Vectors(self.ids[np.asarray(rows)], self.values[np.asarray(rows)])


@dataclass(frozen=True, eq=False)
class Pairs:
    """Two views of the same n objects: the input of a detector of scope "pair"."""

    ids: Array
    a: Array
    b: Array
    """(n, d_a) and (n, d_b), float32."""
    aligned: bool
    """True when both views live in one space."""

    def __len__(self) -> int:
        return len(self.ids)

    def take(self, rows: npt.ArrayLike) -> "Pairs":
        """The pairs at `rows`, in that order."""
        chosen = np.asarray(rows)
        return Pairs(self.ids[chosen], self.a[chosen], self.b[chosen], self.aligned)


@dataclass(frozen=True, eq=False)
class Members:
    """Percentiles of the same n objects in several lists: the input of scope "fusion"."""

    ids: Array
    percentiles: Mapping[str, Array]
    """List name -> (n,) float64 in (0, 1], higher is stranger."""

    def __len__(self) -> int:
        return len(self.ids)

    def take(self, rows: npt.ArrayLike) -> "Members":
        """The members at `rows`, in that order."""
        chosen = np.asarray(rows)
        return Members(self.ids[chosen], {k: v[chosen] for k, v in self.percentiles.items()})


@dataclass(frozen=True, eq=False)
class Embeddings:
    """Vectors of a survey in several views, aligned with `ids`."""

    ids: Array
    views: Mapping[str, Array]
    """View -> (n, d) float32; rows that are not valid hold NaN."""
    valid: Mapping[str, Array]
    """View -> (n,) bool."""
    provenance: Mapping[str, Any] = field(default_factory=dict)

    def __getitem__(self, view: str) -> Array:
        return self.views[view]

    def __iter__(self) -> Iterator[str]:
        return iter(self.views)

    def vectors(self, view: str) -> Vectors:
        """The valid vectors of one view with their ids, in the order of `ids`."""
        good = self.valid[view]
        return Vectors(self.ids[good], np.asarray(self.views[view])[good])
