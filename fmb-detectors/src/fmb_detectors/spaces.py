"""Where distances between vectors are measured: as they are, whitened, or between directions."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from fmb import Array, DataError, Vectors
from fmb_detectors.covariance import shifted
from fmb_detectors.moments import Moments

__all__ = ["Metric", "Space"]

Metric = Literal["whitened", "euclidean", "cosine"]

SMALLEST_SPREAD = 1e-7
"""Relative: a direction with less is rounding (1e-14 of the largest variance, in float64)."""


@dataclass(frozen=True, eq=False)
class Space:
    """Takes vectors to where the Euclidean distance is what is asked for."""

    metric: Metric
    centre: Array
    """(d,), float64; zeros for cosine."""
    axes: Array | None = None
    """(d, k), float64, of the whitening; None = none is done."""

    @classmethod
    def of(cls, values: Array, metric: Metric, components: int = 0) -> "Space":
        """The space that follows from some vectors.

        Args:
            values: (n, d), float32.
            metric: "whitened" by their Ledoit-Wolf covariance; "euclidean"; "cosine".
            components: of largest variance that are whitened and kept; 0 = all. Those in which
                the vectors do not differ are left out.
        """
        d = values.shape[1]
        if metric == "cosine":
            return cls(metric, np.zeros(d))
        if metric == "euclidean":
            return cls(metric, values.mean(axis=0, dtype=np.float64))
        covariance = Moments.of(values).covariance()
        with np.errstate(divide="ignore", invalid="ignore"):
            axes = covariance.whitening_axes(min(components or d, d))
        narrowness = np.linalg.norm(axes, axis=0)
        real = np.isfinite(narrowness) & (narrowness * SMALLEST_SPREAD <= narrowness[0])
        return cls(metric, covariance.mean, np.ascontiguousarray(axes[:, real]))

    def project(self, x: Vectors) -> Array:
        """Where vectors lie in this space, (n, k), float32.

        Raises:
            DataError: a vector of zeros, which has no direction.
        """
        width = len(self.centre) if self.axes is None else self.axes.shape[1]
        placed = np.empty((len(x), width), np.float32)
        for rows, block in shifted(x.values, self.centre):
            if self.metric == "cosine":
                block /= self._lengths(block, x.ids[rows])
            placed[rows] = block if self.axes is None else block @ self.axes
        return placed

    def distances(self, euclidean: Array) -> Array:
        """What is asked for, from Euclidean distances here: 1 - cosine is half their square."""
        return 0.5 * euclidean**2 if self.metric == "cosine" else euclidean

    def arrays(self) -> dict[str, Array]:
        """All but the metric, to be saved."""
        return {"centre": self.centre} | ({} if self.axes is None else {"axes": self.axes})

    @classmethod
    def from_arrays(cls, metric: Metric, arrays: Mapping[str, Array]) -> "Space":
        """The space that `arrays` took apart."""
        return cls(metric, arrays["centre"], arrays.get("axes"))

    @staticmethod
    def _lengths(block: Array, ids: Array) -> Array:
        lengths: Array = np.linalg.norm(block, axis=1, keepdims=True)
        if not lengths.all():
            none = ids[lengths[:, 0] == 0]
            raise DataError(
                f"{len(none)} vectors are all zeros, first of {none[0]}: they have no direction"
                " for metric = 'cosine'; leave them out, or take another metric"
            )
        return lengths
