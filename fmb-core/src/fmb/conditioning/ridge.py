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
        slopes = np.linalg.solve(self._penalised(), self.cross[1:] - np.outer(mean, self.cross[0]))
        return np.vstack([level - mean @ slopes, slopes])

    def inverse(self) -> Array:
        """(c, c), float64: p @ inverse @ p is the leverage of a row p on its own prediction."""
        n, mean = self.n, self.gram[0, 1:] / self.gram[0, 0]
        whole = np.zeros_like(self.gram)
        whole[0, 0] = 1 / n
        if len(mean):
            inner = np.linalg.inv(self._penalised())
            away = np.vstack([-mean, np.eye(len(mean))])
            whole += away @ inner @ away.T
        return whole

    def pooled_coefficients(self, squares: Array, varying: Array) -> Array:
        """(c, d), float64: coefficients in which columns of y learn from each other.

        In directions of p without correlation, each coefficient is drawn to the mean of all columns
        by the share of their scatter that noise explains.

        Args:
            squares: (d,), the sums of y^2.
            varying: (d,), bool: the columns of y that count.

        Source: James and Stein 1961, Proc. 4th Berkeley Symp. 1, 361, towards the mean.
        """
        n, mean = self.n, self.gram[0, 1:] / self.gram[0, 0]
        level = self.cross[0] / n
        if not len(mean) or not varying.any():
            return np.vstack([level, np.zeros((len(mean), len(level)))])
        about = self.gram[1:, 1:] - n * np.outer(mean, mean)
        variances, axes = np.linalg.eigh(about)
        told = variances > PENALTY * max(float(variances[-1]), 1e-300)
        axes = axes[:, told] / np.sqrt(variances[told])
        own = axes.T @ (self.cross[1:] - np.outer(mean, self.cross[0]))
        noise = (squares - n * level**2 - np.sum(own**2, axis=0))[varying].mean() / n
        common = own[:, varying].mean(axis=1, keepdims=True)
        scatter = ((own[:, varying] - common) ** 2).mean(axis=1, keepdims=True)
        real = np.maximum(scatter - noise, 0.0) / np.maximum(scatter, 1e-300)
        slopes = axes @ (common + real * (own - common))
        return np.vstack([level - mean @ slopes, slopes])

    def _penalised(self) -> Array:
        """(c - 1, c - 1): the columns' products about their means, with the penalty."""
        mean = self.gram[0, 1:] / self.n
        about = self.gram[1:, 1:] - self.n * np.outer(mean, mean)
        size = float(np.trace(about)) / len(mean)
        about.flat[:: len(mean) + 1] += PENALTY * size if size > 0 else 1.0
        return np.asarray(about)

    def residual_squares(self, coefficients: Array, squares: Array) -> Array:
        """(d,): mean squared residual of these coefficients; `squares`: (d,), the sums of y^2."""
        fitted = np.einsum("cd,cd->d", coefficients, self.gram @ coefficients - 2 * self.cross)
        return np.asarray(np.maximum(squares + fitted, 0.0) / self.n)
