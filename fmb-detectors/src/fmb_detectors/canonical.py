"""Canonical correlations of two views, measured on pairs that the directions have not seen."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce

import numpy as np
from scipy.linalg import cholesky, eigh, solve_triangular

from fmb import Array, DataError
from fmb_detectors.joint_sums import JointSums, lower_covariance, mean_of

__all__ = ["Canonical", "Components", "Directions", "Small", "canonical"]

ROWS_A_COMPONENT = 10
"""Fitted pairs for each kept component: with fewer the directions are those of the noise.

Measured on 100 to 1,000 simulated pairs beside 5 and 20; shrinking the covariances instead, as
Ledoit and Wolf do, ranks worse with any number of components.
"""
LARGEST = 0.9999
"""Correlation: that of two equal views would make any difference infinite."""
LEAST = 0.01
"""The first correlation where none is confirmed: scores must differ for something to be ranked."""
ROUNDING = 1e-10
"""Relative: what varies less does not vary, in sums of float64."""
RIDGE = 1e-9
"""Beside the variance of 1 of all pairs: what does not vary in an inner fold stops nothing."""


@dataclass(frozen=True, eq=False)
class Components:
    """Principal components of the standardised vectors of one view, of unit variance."""

    mean: Array
    scale: Array
    """(d,), float64: standard deviations, infinite where nothing varies."""
    axes: Array
    """(d, k), float64: t = (x - mean) @ axes."""
    variances: Array
    """(k,), float64, of the components before they were scaled to 1, largest first."""
    noise: Array
    """(), float64: mean variance of the directions that are left out, 1 where there are none."""

    @classmethod
    def of(cls, mean: Array, covariance: Array, share: float, most: int) -> "Components":
        """Those that hold a share of the variance, at most so many; none where nothing varies.

        Args:
            mean: (d,).
            covariance: (d, d), of which the lower half is read.
            share: of the variance.
            most: components.
        """
        scale = np.sqrt(np.diagonal(covariance))
        scale = np.where(scale > ROUNDING * np.abs(mean), scale, np.inf)
        variances, axes = eigh(covariance / np.outer(scale, scale), driver="evd")
        variances, axes = np.maximum(variances[::-1], 0), axes[:, ::-1]
        total, d = float(variances.sum()), len(mean)
        varying = int(np.count_nonzero(variances > ROUNDING * variances[0]))
        enough = int(np.searchsorted(np.cumsum(variances), share * total)) + 1
        k = min(varying, enough, most)
        kept = variances[:k]
        left = (total - kept.sum()) / max(d - k, 1)
        noise = np.array(left if left > ROUNDING * total else 1.0)
        return cls(mean, scale, axes[:, :k] / scale[:, None] / np.sqrt(kept), kept, noise)

    @property
    def size(self) -> float:
        """Length of a usual vector."""
        spread = self.scale[np.isfinite(self.scale)]
        return float(np.sqrt(self.mean @ self.mean + spread @ spread))

    def project(self, x: Array) -> tuple[Array, Array]:
        """Components of vectors, (n, k), and what is left of each, (n,), float64.

        What is left is its squared length in units of the mean variance of what is left out.
        """
        away = x - self.mean
        t = away @ self.axes
        away /= self.scale
        left = np.einsum("ij,ij->i", away, away) - t**2 @ self.variances
        return t, np.maximum(left, 0) / self.noise


@dataclass(frozen=True, eq=False)
class Small:
    """Sums over pairs of their components t, those of both views one after the other."""

    n: int
    first: Array
    second: Array

    @classmethod
    def of(cls, sums: Sequence[JointSums], a: Components, b: Components) -> "Small":
        """Those of pairs of which there are sums."""
        mean = np.concatenate([a.mean, b.mean])
        first, second = zip(*(one.projected(mean, a.axes, b.axes) for one in sums), strict=True)
        return cls(sum(one.n for one in sums), np.sum(first, axis=0), np.sum(second, axis=0))

    def __add__(self, other: "Small") -> "Small":
        return Small(self.n + other.n, self.first + other.first, self.second + other.second)

    def about(self, centre: Array) -> Array:
        """Second moments about a centre."""
        away = np.outer(self.first, centre)
        return np.asarray(self.second - away - away.T + self.n * np.outer(centre, centre)) / self.n


@dataclass(frozen=True, eq=False)
class Directions:
    """Canonical directions in the components of two views, with all directions of each view."""

    mean_a: Array
    mean_b: Array
    a: Array
    b: Array
    """(k_a, k_a) and (k_b, k_b): u = (t_a - mean_a) @ a has the unit covariance, so has v."""

    @classmethod
    def of(cls, sums: Small, k: int) -> "Directions":
        """From sums over pairs, the first k components being those of the first view.

        Source: Bach and Jordan 2005, TR 688, Berkeley, section 3: singular vectors of the whitened
        cross-covariance.
        """
        mean = sums.first / sums.n
        covariance = sums.about(mean)
        covariance.flat[:: len(mean) + 1] += RIDGE
        root_a = cholesky(covariance[:k, :k], lower=True)
        root_b = cholesky(covariance[k:, k:], lower=True)
        cross = solve_triangular(root_a, covariance[:k, k:], lower=True)
        cross = solve_triangular(root_b, cross.T, lower=True).T
        left, _, right = np.linalg.svd(cross)
        a = solve_triangular(root_a, left, lower=True, trans="T")
        b = solve_triangular(root_b, right.T, lower=True, trans="T")
        return cls(mean[:k], mean[k:], a, b)

    def variates(self, a: Array, b: Array) -> tuple[Array, Array]:
        """U (n, k_a) and v (n, k_b) of components t; those of the first min(k_a, k_b) belong."""
        return (a - self.mean_a) @ self.a, (b - self.mean_b) @ self.b

    def products(self, sums: Small) -> tuple[Array, Array, Array]:
        """Mean u v, u^2 and v^2 of other pairs, about the means of those of the fit."""
        second, k = sums.about(np.concatenate([self.mean_a, self.mean_b])), len(self.mean_a)
        r = min(self.a.shape[1], self.b.shape[1])
        left, right = second[:, :k] @ self.a[:, :r], second[:, k:] @ self.b[:, :r]
        return (
            np.einsum("ij,ij->j", self.a[:, :r], right[:k]),
            np.einsum("ij,ij->j", self.a[:, :r], left[:k]),
            np.einsum("ij,ij->j", self.b[:, :r], right[k:]),
        )


@dataclass(frozen=True, eq=False)
class Canonical:
    """Two views of a fit: components, directions, and correlations of pairs not seen by these."""

    a: Components
    b: Components
    directions: Directions
    inner: tuple[Directions, ...]
    """One an inner fold, from the pairs of all others."""
    rho: Array
    """(r,), float64, in (0, 1), never rising; those of 0 are left out."""
    confirmed: bool
    """False where no correlation was above 0; then there is one that is as good as none."""
    n: int


def canonical(
    folds: Sequence[Sequence[JointSums]],
    width: int,
    views: tuple[str, str],
    share: float,
    most: int,
) -> Canonical:
    """The fit to pairs whose sums are kept in inner folds.

    The correlation of each pair of directions is taken over all pairs, each with the directions
    of the folds it is not in; what is negative counts as none, and none rises above an earlier one.

    Args:
        folds: of each inner fold the sums over its pairs.
        width: of the first view.
        views: what messages call the two.
        share: of the variance of each view that its components keep.
        most: components of a view.

    Raises:
        DataError: the vectors of one view are all alike.
    """
    every = [one for fold in folds for one in fold]
    mean, n = mean_of(every), sum(one.n for one in every)
    most = min(most, max(n // ROWS_A_COMPONENT, 1))
    a, b = (
        Components.of(mean[at], lower_covariance(every, mean, at), share, most)
        for at in (slice(width), slice(width, None))
    )
    for view, one in zip(views, (a, b), strict=True):
        if not one.axes.shape[1]:
            raise DataError(
                f"all {n} {view} vectors are alike, so none fits its partner better than"
                " another; check the weights and the input of the model"
            )
    sums = [Small.of(fold, a, b) for fold in folds]
    k, inner = a.axes.shape[1], []
    for i, fold in enumerate(sums):
        others = [other for j, other in enumerate(sums) if j != i] or [fold]
        inner.append(Directions.of(reduce(Small.__add__, others), k))
    rho = _unseen_correlations(inner, sums)
    confirmed = bool(rho[0] > LEAST)
    rho = rho[rho > LEAST] if confirmed else np.array([LEAST])
    final = Directions.of(reduce(Small.__add__, sums), k)
    return Canonical(a, b, final, tuple(inner), rho, confirmed, n)


def _unseen_correlations(inner: Sequence[Directions], folds: Sequence[Small]) -> Array:
    """(r,), float64: of all folds, each in directions that have not seen it; falling, from 0 on."""
    products = np.zeros((3, min(inner[0].a.shape[1], inner[0].b.shape[1])))
    for directions, fold in zip(inner, folds, strict=True):
        products += fold.n * np.stack(directions.products(fold))
    cross, length = products[0], np.sqrt(products[1] * products[2])
    rho = np.divide(cross, length, out=np.zeros(len(cross)), where=length > 0)
    return np.asarray(np.minimum.accumulate(np.clip(rho, 0, LARGEST)))
