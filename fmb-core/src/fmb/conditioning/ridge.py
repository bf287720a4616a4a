"""Ridge regressions of many columns on few, from sums."""

from dataclasses import dataclass

import numpy as np

from fmb.contract.arrays import Array

__all__ = ["Sums"]

PENALTY = 1e-4
"""In units of the mean variance of a column. Roles are nearly copies of each other (S/N of
magnitude): a direction in which they differ by 1 % holds noise and is halved, one that the roles
span keeps 99.99 %. What more rows than columns leave of overfitting the degree sees to."""


@dataclass(eq=False)
class Sums:
    """What a regression on (n, c) columns p, the first of them 1, follows from, in float64."""

    gram: Array
    """(c, c): the sum of p p^T."""
    cross: Array
    """(c, d): the sum of p y^T."""

    @classmethod
    def empty(cls, c: int, d: int) -> "Sums":
        """Of no rows."""
        return cls(np.zeros((c, c)), np.zeros((c, d)))

    @property
    def n(self) -> float:
        """Rows."""
        return float(self.gram[0, 0])

    def coefficients(self) -> Array:
        """(c, d), float64: those of the regression; the constant is not penalised.

        b minimises the sum of |y - p b|^2 + penalty n v |b|^2, v = mean variance of the columns.
        """
        n, mean = self.n, self.gram[0, 1:] / self.gram[0, 0]
        level = self.cross[0] / n
        if not len(mean):
            return np.asarray(level[None, :])
        about = self.gram[1:, 1:] - n * np.outer(mean, mean)
        size = float(np.trace(about)) / len(mean)
        about.flat[:: len(mean) + 1] += PENALTY * size if size > 0 else 1.0
        slopes = np.linalg.solve(about, self.cross[1:] - np.outer(mean, self.cross[0]))
        return np.vstack([level - mean @ slopes, slopes])

    def residual_squares(self, coefficients: Array, squares: Array) -> Array:
        """(d,): mean squared residual of these coefficients; `squares`: (d,), the sums of y^2."""
        fitted = np.einsum("cd,cd->d", coefficients, self.gram @ coefficients - 2 * self.cross)
        return np.asarray(np.maximum(squares + fitted, 0.0) / self.n)
