"""Fitted objects with which others are compared: where they lie, and which they are."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from fmb import Array, DataError, Vectors
from fmb_detectors.fitted_rows import FittedRows
from fmb_detectors.neighbour_config import NeighbourConfig
from fmb_detectors.neighbours import Neighbours
from fmb_detectors.spaces import Space

__all__ = ["Compared"]


@dataclass(frozen=True, eq=False)
class Compared:
    """Objects among which the neighbours of others, or of themselves, are found."""

    space: Space
    rows: FittedRows
    points: Neighbours

    @classmethod
    def of(cls, x: Vectors, config: NeighbourConfig, detector: str) -> "Compared":
        """The objects of a fit.

        Raises:
            DataError: there are no more of them than each has to have neighbours; or a vector of
                zeros has no direction.
        """
        if len(x) <= config.k:
            raise DataError(
                f"{detector}: {len(x):,} fitted objects do not have {config.k:,} neighbours each;"
                f" set its option k to {len(x) - 1:,} at most, or give more objects"
            )
        space = Space.of(x.values, config.metric, config.compared)
        return cls(space, FittedRows.of(x), Neighbours(space.project(x)))

    def nearest(self, x: Vectors, k: int) -> tuple[Array, Array, Array]:
        """The k of these that are nearest to each of some objects, not counting itself.

        Returns:
            Distances in the space, (m, k), float64, ascending; positions among these, (m, k),
            int64; and which of these each object is, (m,), int64, -1 = none.

        Raises:
            DataError: a vector of zeros has no direction.
        """
        own = self.rows.positions(x)
        return *self.points.nearest(self.space.project(x), k, own), own

    def nearest_to_themselves(self, k: int) -> tuple[Array, Array]:
        """The k nearest others of each of these: distances and positions, (n, k)."""
        points = self.points.points
        return self.points.nearest(points, k, np.arange(len(points)))

    def report(self) -> dict[str, Any]:
        """Number of objects, and of the numbers by which they are compared."""
        n, compared = self.points.points.shape
        return {"n": n, "compared": compared}

    def arrays(self) -> dict[str, Array]:
        """All but the options, to be saved."""
        return {**self.space.arrays(), **self.rows.arrays(), "points": self.points.points}

    @classmethod
    def from_arrays(cls, config: NeighbourConfig, arrays: Mapping[str, Array]) -> "Compared":
        """The objects that `arrays` took apart."""
        space = Space.from_arrays(config.metric, arrays)
        return cls(space, FittedRows.from_arrays(arrays), Neighbours(arrays["points"]))
