"""Gaussian detector: strange objects lie far from the mean, measured by the covariance."""

from pathlib import Path
from typing import Any

from fmb import Array, Vectors, build
from fmb_detectors.config import GaussianConfig
from fmb_detectors.leave_out import leave_out
from fmb_detectors.moments import Moments
from fmb_detectors.normal import ShrunkNormal
from fmb_detectors.saved import normal_arrays, normal_from, read_fit, write_fit

__all__ = ["GaussianDetector"]

NAME = "gaussian"


class GaussianDetector:
    """Negative log-likelihood under a normal distribution with a Ledoit-Wolf covariance.

    score(x) = 1/2 (x - m)^T C^-1 (x - m) + 1/2 log det C + d/2 log 2 pi, in nats, over all d
    dimensions. The log-determinant is in, so scores of fits to different folds share one scale.

    All in float64, from sums over the vectors: the fits of a cross-fit come from one pass over a
    survey. Works on the CPU whatever `device` says.

    Example:
        detector = GaussianDetector(GaussianConfig(), seed=0)
        detector.fit(vectors)
        scores = detector.score(vectors)
    """

    def __init__(self, config: GaussianConfig, *, seed: int, device: str = "cpu") -> None:
        self.config = config
        self.seed = seed
        self._moments = Moments()
        self._fit: ShrunkNormal | None = None

    def fit(self, x: Vectors) -> None:
        """Take mean and covariance of n vectors; any n >= 3 does, also below the dimension.

        Raises:
            DataError: the vectors take two values only, so that their covariance is singular.
        """
        self._moments = Moments()
        self.add(x)
        self._fit = self._normal

    def add(self, x: Vectors) -> None:
        """Take vectors into the sums that the fit follows from, when it is first asked for."""
        self._moments.add(x.values)
        self._fit = None

    def merge(self, other: "GaussianDetector") -> None:
        """Take the sums of another into this one."""
        self._moments.merge(other._moments)
        self._fit = None

    @property
    def _normal(self) -> ShrunkNormal:
        if self._fit is None:
            self._fit = ShrunkNormal.of(self._moments.covariance(), NAME)
        return self._fit

    def score(self, x: Vectors) -> Array:
        """Negative log-likelihood of each object.

        Args:
            x: n vectors of the dimension given to `fit`; values (n, d), float32.

        Returns:
            Shape (n,), float64, in nats; higher is stranger; row order of `x`.
        """
        return self.score_with_details(x)[0]

    def details(self, x: Vectors) -> dict[str, Array]:
        """Squared Mahalanobis distance of each object, (n,) float64, in the row order of `x`."""
        return self.score_with_details(x)[1]

    def score_with_details(self, x: Vectors) -> tuple[Array, dict[str, Array]]:
        """Scores and details, for the price of one."""
        scores, squared = self._normal.likelihood_and_distance(x.values)
        return scores, {"squared_mahalanobis": squared}

    def score_left_out(self, x: Vectors, groups: Array) -> tuple[Array, dict[str, Array]]:
        """Scores and details of the fitted objects, each as if it and its repeats were left out.

        Args:
            x: the vectors given to `fit`.
            groups: (n,), int64, equal for repeats.

        Returns:
            As `score_with_details`; see `fmb_detectors.leave_out.leave_out`.
        """
        scores, squared = leave_out(self._normal, x.values, groups)
        return scores, {"squared_mahalanobis": squared}

    def report(self) -> dict[str, Any]:
        """Shrinkage, number of vectors and dimension of the fit."""
        return self._normal.sizes

    def save(self, folder: Path) -> None:
        """Write the fit into `folder`."""
        values = {"config": self.config.model_dump(), "seed": self.seed}
        write_fit(folder, NAME, values, normal_arrays(self._normal))

    @classmethod
    def load(cls, folder: Path) -> "GaussianDetector":
        """The detector saved in `folder`; its scores are the same to the last bit.

        Raises:
            StoreError: the folder holds no such fit, or it is damaged.
        """
        values, arrays = read_fit(folder, NAME)
        config = build(GaussianConfig, values["config"], str(folder))
        detector = cls(config, seed=values["seed"])
        detector._fit = normal_from(arrays)
        return detector
