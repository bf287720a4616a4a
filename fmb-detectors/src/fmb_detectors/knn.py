"""Neighbour detector: strange objects are far from those most like them."""

from pathlib import Path
from typing import Any

from fmb import Array, Vectors, build
from fmb_detectors.compared import Compared
from fmb_detectors.neighbour_config import KnnConfig
from fmb_detectors.saved import read_fit, write_fit

__all__ = ["KnnDetector"]

NAME = "knn"


class KnnDetector:
    """Mean distance to the k nearest of the fitted objects, or that to the k-th.

    What it sees: objects where few others are, whatever the shape of the crowd: between clusters,
    beside a curve, and where mean and covariance are those of everybody.
    What it cannot see: more than k objects that are alike, strange or not, have each other;
    with `metric = "whitened"`, what is strange outside the leading components.

    Distances are exact. An object that was fitted is not its own neighbour, which is told by its
    id and vector; in a cross-fit none was. Works on the CPU whatever `device` says.

    Source: Ramaswamy, Rastogi and Shim 2000, SIGMOD 29, 427 (k-th); Angiulli and Pizzuti 2002,
    PKDD, 15 (sum over the k).

    Example:
        detector = KnnDetector(KnnConfig(k=5), seed=0)
        detector.fit(vectors)
        scores = detector.score(vectors)
    """

    def __init__(self, config: KnnConfig, *, seed: int, device: str = "cpu") -> None:
        self.config = config
        self._fitted: Compared

    def fit(self, x: Vectors) -> None:
        """Take the objects among which neighbours are found.

        Raises:
            DataError: there are no more than k; or a vector of zeros has no direction.
        """
        self._fitted = Compared.of(x, self.config, NAME)

    def score(self, x: Vectors) -> Array:
        """Distance of each object from its neighbours.

        Args:
            x: n vectors of the dimension given to `fit`; values (n, d), float32.

        Returns:
            Shape (n,), float64, in standard deviations where whitened, in units of the vectors
            for "euclidean", 1 - cosine for "cosine"; higher is stranger; row order of `x`.

        Raises:
            DataError: a vector of zeros has no direction.
        """
        return self.score_with_details(x)[0]

    def details(self, x: Vectors) -> dict[str, Array]:
        """Distance to the nearest of them, (n,), float64, in the row order of `x`."""
        return self.score_with_details(x)[1]

    def score_with_details(self, x: Vectors) -> tuple[Array, dict[str, Array]]:
        """Scores and details, for the price of one."""
        away = self._fitted.space.distances(self._fitted.nearest(x, self.config.k)[0])
        scores = away[:, -1].copy() if self.config.distance == "kth" else away.mean(axis=1)
        return scores, {"nearest": away[:, 0].copy()}

    def report(self) -> dict[str, Any]:
        """Number of fitted objects and of the numbers by which they are compared."""
        return self._fitted.report()

    def save(self, folder: Path) -> None:
        """Write the fit into `folder`."""
        write_fit(folder, NAME, {"config": self.config.model_dump()}, self._fitted.arrays())

    @classmethod
    def load(cls, folder: Path) -> "KnnDetector":
        """The detector saved in `folder`; its scores are the same to the last bit.

        Raises:
            StoreError: the folder holds no such fit, or it is damaged.
        """
        values, arrays = read_fit(folder, NAME)
        detector = cls(build(KnnConfig, values["config"], str(folder)), seed=0)
        detector._fitted = Compared.from_arrays(detector.config, arrays)
        return detector
