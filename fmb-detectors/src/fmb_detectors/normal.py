"""A multivariate normal distribution whose covariance was shrunk: densities of vectors."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.linalg import lapack
from scipy.linalg.blas import dtrmm

from fmb import Array, DataError
from fmb_detectors.covariance import Covariance, shifted

__all__ = ["ShrunkNormal"]

SMALLEST_PIVOT = 1e-7
"""Relative: below this a variance is rounding (1e-14 of the largest, in float64)."""


@dataclass(frozen=True, eq=False)
class ShrunkNormal:
    """Normal distribution of vectors, with the inverse of its covariance's Cholesky factor."""

    mean: Array
    """(d,), float64."""
    whitener: Array
    """(d, d), float64, lower triangular, column-major: whitener C whitener^T = identity."""
    shrinkage: float
    n: int

    @classmethod
    def of(cls, covariance: Covariance, name: str) -> "ShrunkNormal":
        """The distribution with this mean and covariance.

        Raises:
            DataError: the covariance is singular; only vectors that take two values, equally
                often, leave it so, since any others are shrunk by a positive amount.
        """
        factor, failed = lapack.dpotrf(covariance.matrix, lower=1, clean=1)
        pivots = np.diagonal(factor)
        if failed or pivots.min() < SMALLEST_PIVOT * pivots.max():
            raise DataError(
                f"{name}: the {covariance.n} vectors lie on one line at two points, which fixes no"
                f" distribution in d={len(pivots)}; fit at least 3 different vectors"
            )
        whitener, _ = lapack.dtrtri(factor, lower=1, overwrite_c=1)
        return cls(covariance.mean, whitener, covariance.shrinkage, covariance.n)

    @property
    def d(self) -> int:
        """Dimension."""
        return len(self.mean)

    @property
    def log_normaliser(self) -> float:
        """Half of log det(2 pi C), in nats: the negative log-likelihood at the mean."""
        half_log_det = -float(np.sum(np.log(np.diagonal(self.whitener))))
        return half_log_det + 0.5 * self.d * math.log(2 * math.pi)

    @property
    def sizes(self) -> dict[str, Any]:
        """Shrinkage, number of vectors and dimension, for a report of the fit."""
        return {"shrinkage": self.shrinkage, "n": self.n, "d": self.d}

    def squared_distance(self, values: Array) -> Array:
        """Squared Mahalanobis distance from the mean, (n,), float64."""
        distance = np.empty(len(values))
        for rows, z in self._whitened_blocks(values):
            distance[rows] = np.einsum("ij,ij->j", z, z)
        return distance

    def whitened(self, values: Array) -> Array:
        """Coordinates about the mean in which the covariance is the identity, (n, d), float64."""
        coordinates = np.empty((len(values), self.d))
        for rows, z in self._whitened_blocks(values):
            coordinates[rows] = z.T
        return coordinates

    def _whitened_blocks(self, values: Array) -> Iterator[tuple[slice, Array]]:
        """The same a block at a time, (d, rows), each until the next."""
        for rows, block in shifted(values, self.mean):
            yield rows, dtrmm(1.0, self.whitener, block.T, lower=1, overwrite_b=1)

    def negative_log_likelihood(self, values: Array) -> Array:
        """-log N(x; mean, C) of each row, (n,), float64, in nats."""
        return self.likelihood_and_distance(values)[0]

    def likelihood_and_distance(self, values: Array) -> tuple[Array, Array]:
        """`negative_log_likelihood`, and the `squared_distance` that it follows from."""
        squared = self.squared_distance(values)
        return 0.5 * squared + self.log_normaliser, squared
