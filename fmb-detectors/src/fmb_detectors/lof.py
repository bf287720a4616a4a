"""Local outlier factor: strange objects lie less densely than their neighbours do."""

from pathlib import Path
from typing import Any

import numpy as np

from fmb import Array, Vectors, build
from fmb_detectors.compared import Compared
from fmb_detectors.neighbour_config import LofConfig
from fmb_detectors.saved import read_fit, write_fit

__all__ = ["LofDetector"]

NAME = "lof"

SMALLEST_REACH = 1e-10
"""Added to a mean reachability distance, as scikit-learn does: exact repeats have none."""


class LofDetector:
    """Density of the neighbours of an object over its own.

    reach(a, b) = max(|a - b|, distance of b from its k-th neighbour); density(a) = 1 / mean reach
    to the k nearest; score(a) = mean density of these / density(a). About 1 inside a crowd, however
    dense or thin it is.

    What it sees: objects at the edge of a dense crowd that a distance finds near.
    What it cannot see: more than k objects that are alike, as for `knn`; a whole region that is
    thin. Beside k exact repeats any object is strange without bound.

    Equal to scikit-learn's `LocalOutlierFactor`: in-sample to its `negative_outlier_factor_`, and
    for objects that were not fitted to that of `novelty=True`. Which were is told by id and vector.
    Works on the CPU whatever `device` says.

    Source: Breunig, Kriegel, Ng and Sander 2000, SIGMOD 29, 93, definitions 5 to 7.

    Example:
        detector = LofDetector(LofConfig(), seed=0)
        detector.fit(vectors)
        scores = detector.score(vectors)
    """

    def __init__(self, config: LofConfig, *, seed: int, device: str = "cpu") -> None:
        self.config = config
        self._fitted: Compared
        self._reach: Array
        self._density: Array

    def fit(self, x: Vectors) -> None:
        """Find the neighbours and the density of each object.

        Raises:
            DataError: there are no more than k; or a vector of zeros has no direction.
        """
        self._fitted = Compared.of(x, self.config, NAME)
        near, at = self._fitted.nearest_to_themselves(self.config.k)
        near = self._fitted.space.distances(near)
        self._reach = near[:, -1].copy()
        self._density = self._densities(near, at)

    def score(self, x: Vectors) -> Array:
        """Local outlier factor of each object.

        Args:
            x: n vectors of the dimension given to `fit`; values (n, d), float32.

        Returns:
            Shape (n,), float64, without a unit; higher is stranger; row order of `x`.

        Raises:
            DataError: a vector of zeros has no direction.
        """
        near, at, _ = self._fitted.nearest(x, self.config.k)
        density = self._densities(self._fitted.space.distances(near), at)
        return np.asarray(self._density[at].mean(axis=1) / density)

    def _densities(self, near: Array, at: Array) -> Array:
        """1 / mean reach of objects to their neighbours: (m, k) distances, positions -> (m,)."""
        reach = np.maximum(near, self._reach[at])
        return np.asarray(1 / (reach.mean(axis=1) + SMALLEST_REACH))

    def report(self) -> dict[str, Any]:
        """Number of fitted objects and of the numbers by which they are compared."""
        return self._fitted.report()

    def save(self, folder: Path) -> None:
        """Write the fit into `folder`."""
        arrays = {**self._fitted.arrays(), "reach": self._reach, "density": self._density}
        write_fit(folder, NAME, {"config": self.config.model_dump()}, arrays)

    @classmethod
    def load(cls, folder: Path) -> "LofDetector":
        """The detector saved in `folder`; its scores are the same to the last bit.

        Raises:
            StoreError: the folder holds no such fit, or it is damaged.
        """
        values, arrays = read_fit(folder, NAME)
        detector = cls(build(LofConfig, values["config"], str(folder)), seed=0)
        detector._fitted = Compared.from_arrays(detector.config, arrays)
        detector._reach, detector._density = arrays["reach"], arrays["density"]
        return detector
