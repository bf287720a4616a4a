"""Sums over pairs of vectors, both side by side, up to the second power."""

from collections.abc import Sequence

import numpy as np
from scipy.linalg.blas import dsymm, dsyrk

from fmb import Array
from fmb_detectors.covariance import shifted

__all__ = ["JointSums", "lower_covariance", "mean_of"]

CENTRE_ROWS = 256
"""Pairs whose mean is the centre, as in `Moments`."""


class JointSums:
    """Sums of n joined vectors y = x - centre and of y y^T, float64.

    The third and fourth powers, which cost as much as the rest to move, `Moments` has. About any
    other point the sums follow exactly, so nothing is ever merged: what is made of several is made
    of what each comes to about the mean of all, in as few directions as are wanted.
    """

    def __init__(self) -> None:
        self.n = 0
        self.centre = np.empty(0)
        self.first = np.empty(0)
        self.second = np.empty((0, 0))
        """(d, d), its lower half; column-major."""

    def add(self, values: Array) -> None:
        """Take (m, d) finite vectors into the sums."""
        if not self.n and len(values):
            self.centre = values[:CENTRE_ROWS].mean(axis=0, dtype=np.float64)
            self.first = np.zeros(len(self.centre))
            self.second = np.zeros((len(self.centre), len(self.centre)), order="F")
        for _, y in shifted(values, self.centre):
            self.n += len(y)
            self.first += y.sum(axis=0)
            self.second = dsyrk(1.0, y.T, beta=1.0, c=self.second, lower=1, overwrite_c=1)

    def projected(self, mean: Array, a: Array, b: Array) -> tuple[Array, Array]:
        """The sums about a mean in some directions: those of a on the first numbers, b on the rest.

        Args:
            mean: (d_a + d_b,).
            a: (d_a, k_a).
            b: (d_b, k_b).

        Returns:
            (k_a + k_b,), and (k_a + k_b, k_a + k_b).
        """
        d = len(a)
        across = b.T @ self.second[d:, :d] @ a
        squares = [
            axes.T @ dsymm(1.0, self.second[at, at], axes, lower=1)
            for at, axes in ((slice(d), a), (slice(d, None), b))
        ]
        second = np.block([[squares[0], across.T], [across, squares[1]]])
        first = np.concatenate([a.T @ self.first[:d], b.T @ self.first[d:]])
        away = self.centre - mean
        away = np.concatenate([a.T @ away[:d], b.T @ away[d:]])
        cross = np.outer(first, away)
        second += cross + cross.T + self.n * np.outer(away, away)
        return first + self.n * away, second


def mean_of(sums: Sequence[JointSums]) -> Array:
    """(d,), float64, of all joined vectors."""
    total = sum(one.n for one in sums)
    return np.asarray(sum(one.n * one.centre + one.first for one in sums) / total)


def lower_covariance(sums: Sequence[JointSums], mean: Array, at: slice) -> Array:
    """The lower half of the covariance of some of the numbers about the mean of all."""
    away = np.stack([one.centre[at] - mean[at] for one in sums])
    first = np.stack([one.first[at] for one in sums])
    n = np.array([one.n for one in sums])
    cross = first.T @ away
    whole = cross + cross.T + (away.T * n) @ away
    for one in sums:
        whole += one.second[at, at]
    return np.asarray(whole / n.sum())
