"""Sums over vectors from which mean, covariance and shrinkage follow: taken once, added freely."""

import numpy as np
from scipy.linalg.blas import dsyrk

from fmb import Array
from fmb_detectors.covariance import Covariance, shifted, shrinkage_of

__all__ = ["Moments"]

CENTRE_ROWS = 256
"""Vectors whose mean is the centre: it need not be near that of all, only not far off."""


class Moments:
    """Sums of n vectors up to the fourth power, float64, about a centre that lies among them.

    With y = x - centre: the sums of y, y y^T, |y|^2 y and |y|^4. About any other point they follow
    exactly, so sums of parts add up whatever centre each has; what rounding costs grows with the
    square of (distance of centre and mean) / spread. The centre is the mean of the first vectors;
    one astray among them moves it, but spreads the sums, which it stays in, by more.
    """

    def __init__(self) -> None:
        self.n = 0
        self._centre = np.empty(0)
        self._first = np.empty(0)
        self._second = np.empty((0, 0))
        self._third = np.empty(0)
        self._fourth = 0.0

    @classmethod
    def of(cls, values: Array) -> "Moments":
        """The sums of some vectors.

        Args:
            values: (n, d), finite.
        """
        new = cls()
        new.add(values)
        return new

    def add(self, values: Array) -> None:
        """Take (m, d) finite vectors into the sums."""
        if not self.n and len(values):
            self._begin(values[:CENTRE_ROWS].mean(axis=0, dtype=np.float64))
        for _, y in shifted(values, self._centre):
            squares = np.einsum("ij,ij->i", y, y)
            self.n += len(y)
            self._first += y.sum(axis=0)
            # Its lower half only; the float64 product of a block costs what a float32 one costs.
            self._second = dsyrk(1.0, y.T, beta=1.0, c=self._second, lower=1, overwrite_c=1)
            self._third += squares @ y
            self._fourth += float(squares @ squares)

    def merge(self, other: "Moments") -> None:
        """Take the sums of another into these."""
        if not other.n:
            return
        if not self.n:
            self._begin(other._centre)
        first, second, third, fourth = other._about(self._centre)
        self.n += other.n
        self._first += first
        self._second += second
        self._third += third
        self._fourth += fourth

    def covariance(self) -> Covariance:
        """Mean and Ledoit-Wolf covariance; columns are centred, never standardised.

        Source: Ledoit and Wolf 2004, J. Multivariate Anal. 88, 365, section 3.3 (equal to
        scikit-learn's `LedoitWolf`, which takes the row norms' fourth moment as a d x d product).
        """
        mean = self._centre + self._first / self.n
        _, second, _, fourth = self._about(mean)
        product = second / self.n
        product = np.tril(product) + np.tril(product, -1).T
        shrinkage = shrinkage_of(product, fourth / self.n, self.n)
        matrix = (1 - shrinkage) * product
        matrix.flat[:: len(matrix) + 1] += shrinkage * np.trace(product) / len(matrix)
        return Covariance(mean, matrix, shrinkage, self.n)

    def _begin(self, centre: Array) -> None:
        """Empty sums about a centre."""
        d = len(centre)
        self._centre, self._first, self._third = centre, np.zeros(d), np.zeros(d)
        self._second = np.zeros((d, d), order="F")

    def _about(self, centre: Array) -> tuple[Array, Array, Array, float]:
        """The four sums as they are about another centre; of the second the lower half counts."""
        away, first, n = centre - self._centre, self._first, self.n
        trace, along, square = np.trace(self._second), away @ first, away @ away
        lower = np.tril(self._second)
        across = lower @ away + np.tril(self._second, -1).T @ away
        cross = np.outer(first, away)
        return (
            first - n * away,
            np.asfortranarray(lower - cross - cross.T + n * np.outer(away, away)),
            self._third - 2 * across + square * first - (trace - 2 * along + n * square) * away,
            self._fourth
            + 4 * float(away @ across - away @ self._third)
            + float(square * (n * square + 2 * trace - 4 * along)),
        )
