"""Gaussian detector: strange objects lie far from the mean, measured by the covariance."""

from pathlib import Path
from typing import Any

from fmb import Array, Vectors, build
from fmb_detectors.config import GaussianConfig
from fmb_detectors.covariance import ledoit_wolf
from fmb_detectors.normal import ShrunkNormal
from fmb_detectors.saved import normal_arrays, normal_from, read_fit, write_fit

__all__ = ["GaussianDetector"]

NAME = "gaussian"


class GaussianDetector:
    """Negative log-likelihood under a normal distribution with a Ledoit-Wolf covariance.

    score(x) = 1/2 (x - m)^T C^-1 (x - m) + 1/2 log det C + d/2 log 2 pi, in nats, over all d
    dimensions. The log-determinant is in, so scores of fits to different folds share one scale.

    Deterministic and exact in float64 but for the float32 products of the columns (see
    `fmb_detectors.covariance`). Works on the CPU whatever `device` says: reading the vectors costs
    more than the arithmetic.

    Example:
        detector = GaussianDetector(GaussianConfig(), seed=0)
        detector.fit(vectors)
        scores = detector.score(vectors)
    """

    def __init__(self, config: GaussianConfig, *, seed: int, device: str = "cpu") -> None:
        self.config = config
        self.seed = seed
        self._normal: ShrunkNormal

    def fit(self, x: Vectors) -> None:
        """Take mean and covariance of n vectors; any n >= 3 does, also below the dimension.

        Raises:
            DataError: the vectors take two values only, so that their covariance is singular.
        """
        self._normal = ShrunkNormal.of(ledoit_wolf(x.values), NAME)

    def score(self, x: Vectors) -> Array:
        """Negative log-likelihood of each object.

        Args:
            x: n vectors of the dimension given to `fit`; values (n, d), float32.

        Returns:
            Shape (n,), float64, in nats; higher is stranger; row order of `x`.
        """
        return self._normal.negative_log_likelihood(x.values)

    def details(self, x: Vectors) -> dict[str, Array]:
        """Squared Mahalanobis distance of each object, (n,) float64, in the row order of `x`."""
        return {"squared_mahalanobis": self._normal.squared_distance(x.values)}

    def report(self) -> dict[str, Any]:
        """Shrinkage, number of vectors and dimension of the fit."""
        normal = self._normal
        return {"shrinkage": normal.shrinkage, "n": normal.n, "d": normal.d}

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
        detector._normal = normal_from(arrays)
        return detector
