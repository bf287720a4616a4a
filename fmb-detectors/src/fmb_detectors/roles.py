"""Detector of catalogue rows: strange objects have roles that few others have."""

from pathlib import Path
from typing import Any

import numpy as np

from fmb import Array, Vectors, build
from fmb_detectors.config import RolesConfig
from fmb_detectors.moments import Moments
from fmb_detectors.normal import ShrunkNormal
from fmb_detectors.saved import normal_arrays, normal_from, read_fit, write_fit

__all__ = ["RolesDetector"]

NAME = "roles"
CLIP = 4.0
"""Spreads beyond which the fit counts a role as there: one wild value would widen the normal
distribution until nothing is strange in it. Scores see every value as it is."""
NORMAL = 1.4826
"""Spread of a normal distribution in units of its median absolute deviation."""


class RolesDetector:
    """Negative log-likelihood of rows of the catalogue under a robustly fitted normal distribution.

    z = (role - median) / spread, spread the scaled median absolute deviation; the covariance is
    that of the clipped z, shrunk as Ledoit and Wolf have it; score = -log N(z) + sum of log spread,
    in nats of the roles' units. The log-determinant is in, so folds share one scale.

    It shows what lists that are given the same roles hide: an object that is extreme in a role.

    Example:
        detector = RolesDetector(RolesConfig(), seed=0)
        detector.fit(rows)
        scores = detector.score(rows)
    """

    def __init__(self, config: RolesConfig, *, seed: int, device: str = "cpu") -> None:
        self.config = config
        self.seed = seed
        self._centre: Array
        self._spread: Array
        self._normal: ShrunkNormal

    def fit(self, x: Vectors) -> None:
        """Take medians, spreads and the covariance of n rows.

        Raises:
            DataError: the rows take two values only, so that their covariance is singular.
        """
        values = x.values.astype(np.float64)
        self._centre = np.median(values, axis=0)
        spread = NORMAL * np.median(np.abs(values - self._centre), axis=0)
        # Half of all values may be the same; of a constant any unit will do.
        spread = np.where(spread > 0, spread, values.std(axis=0))
        self._spread = np.where(spread > 0, spread, 1.0)
        clipped = self._standardised(x).clip(-CLIP, CLIP)
        self._normal = ShrunkNormal.of(Moments.of(clipped).covariance(), NAME)

    def _standardised(self, x: Vectors) -> Array:
        return np.asarray((x.values - self._centre) / self._spread)

    def score(self, x: Vectors) -> Array:
        """Negative log-likelihood of each object.

        Args:
            x: n rows of as many roles as were given to `fit`; values (n, r), float32.

        Returns:
            Shape (n,), float64, in nats; higher is stranger; row order of `x`.
        """
        return self.score_with_details(x)[0]

    def details(self, x: Vectors) -> dict[str, Array]:
        """Squared Mahalanobis distance of each row, (n,) float64, in the row order of `x`."""
        return self.score_with_details(x)[1]

    def score_with_details(self, x: Vectors) -> tuple[Array, dict[str, Array]]:
        """Scores and details, for the price of one."""
        scores, squared = self._normal.likelihood_and_distance(self._standardised(x))
        units = float(np.log(self._spread).sum())
        return scores + units, {"squared_mahalanobis": squared}

    def report(self) -> dict[str, Any]:
        """Shrinkage, number of rows and of roles of the fit."""
        return self._normal.sizes

    def save(self, folder: Path) -> None:
        """Write the fit into `folder`."""
        arrays = {**normal_arrays(self._normal), "centre": self._centre, "spread": self._spread}
        write_fit(folder, NAME, {"config": self.config.model_dump(), "seed": self.seed}, arrays)

    @classmethod
    def load(cls, folder: Path) -> "RolesDetector":
        """The detector saved in `folder`; its scores are the same to the last bit.

        Raises:
            StoreError: the folder holds no such fit, or it is damaged.
        """
        values, arrays = read_fit(folder, NAME)
        config = build(RolesConfig, values["config"], str(folder))
        detector = cls(config, seed=values["seed"])
        detector._centre, detector._spread = arrays["centre"], arrays["spread"]
        detector._normal = normal_from(arrays)
        return detector
