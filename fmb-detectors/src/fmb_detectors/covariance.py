"""Ledoit-Wolf covariance in closed form, from one matrix of products of the columns."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.linalg import eigh

from fmb import Array

__all__ = ["Covariance", "ledoit_wolf"]

BLOCK_ROWS = 1024
"""Rows handled at a time: float64 copies of a block stay small whatever the survey."""
SHRINKAGE_FOR_FLOAT32 = 1e-4
"""Below this the products are summed in float64.

Float32 products of blocks leave errors below 1e-6 of the mean variance in every direction
(measured, n = 3e3 to 5e4, d = 64 to 768, steep and flat spectra). The smallest variance is at
least shrinkage x mean variance, so above this limit each variance is right to 1 %.
"""


@dataclass(frozen=True, eq=False)
class Covariance:
    """Mean and shrunk covariance of n vectors, in units of `scale`."""

    mean: Array
    """(d,), float64, in the units of the vectors."""
    scale: float
    """The largest distance of a value from its column's mean."""
    matrix: Array
    """(d, d), float64, symmetric: the shrunk covariance of (vectors - mean) / scale."""
    shrinkage: float
    """In [0, 1]: 0 = the sample covariance, 1 = a multiple of the identity."""
    n: int

    def whitening_axes(self, k: int) -> Array:
        """The k directions of largest variance, largest first, divided by its root.

        Returns:
            (d, k), float64: (vectors - mean) / scale @ axes has the unit covariance. The largest
            entry of an axis is positive, so the linear algebra library does not choose its sign.
        """
        d = len(self.matrix)
        variances, axes = eigh(self.matrix, subset_by_index=[d - k, d - 1], check_finite=False)
        axes = (axes / np.sqrt(variances))[:, ::-1]
        signs = np.sign(axes[np.abs(axes).argmax(axis=0), np.arange(k)])
        return np.ascontiguousarray(axes * signs)


def ledoit_wolf(values: Array) -> Covariance:
    """Mean and Ledoit-Wolf covariance of vectors; columns are centred, never standardised.

    Args:
        values: (n, d), finite, n >= 2, not all rows alike.

    Source: Ledoit and Wolf 2004, J. Multivariate Anal. 88, 365, section 3.3 (equal to
    scikit-learn's `LedoitWolf`, which takes the row norms' fourth moment as a d x d product).
    """
    mean = values.mean(axis=0, dtype=np.float64)
    extremes = values.max(axis=0) - mean, mean - values.min(axis=0)
    scale = float(np.max(extremes))
    product, fourth = moments(values, mean, scale, np.float32)
    shrinkage = shrinkage_of(product, fourth, len(values))
    if shrinkage < SHRINKAGE_FOR_FLOAT32:
        product, fourth = moments(values, mean, scale, np.float64)
        shrinkage = shrinkage_of(product, fourth, len(values))
    matrix = (1 - shrinkage) * product
    matrix.flat[:: len(matrix) + 1] += shrinkage * np.trace(product) / len(matrix)
    return Covariance(mean, scale, matrix, shrinkage, len(values))


def centred(values: Array, mean: Array, scale: float) -> Iterator[tuple[slice, Array]]:
    """Blocks of (values - mean) / scale with the rows they stand for; new float64 arrays."""
    for start in range(0, len(values), BLOCK_ROWS):
        rows = slice(start, min(start + BLOCK_ROWS, len(values)))
        block = values[rows] - mean
        block /= scale
        yield rows, block


def moments(values: Array, mean: Array, scale: float, dtype: npt.DTypeLike) -> tuple[Array, float]:
    """Second moments of the columns, and the mean fourth power of the rows' norms.

    Args:
        values: (n, d).
        mean: (d,), float64.
        scale: divides the centred values, so that no square leaves the range of float32.
        dtype: of the products within a block; blocks are added in float64.

    Returns:
        (d, d) float64 and a number, both means over the n rows.
    """
    d = values.shape[1]
    product, fourth = np.zeros((d, d)), 0.0
    for _, block in centred(values, mean, scale):
        fourth += float(np.sum(np.einsum("ij,ij->i", block, block) ** 2))
        block = block.astype(dtype, copy=False)
        product += block.T @ block
    return product / len(values), fourth / len(values)


def shrinkage_of(product: Array, fourth: float, n: int) -> float:
    """How far to pull the sample covariance towards a multiple of the identity.

    Args:
        product: (d, d), second moments of n centred rows.
        fourth: mean fourth power of the rows' norms.
        n: number of rows.

    Source: Ledoit and Wolf 2004, lemmas 3.2-3.4, with mu = tr(S)/d: delta^2 = |S - mu I|^2 / d,
    beta^2 = min(delta^2, (mean |x|^4 - |S|^2) / (n d)), shrinkage = beta^2 / delta^2.
    """
    d = len(product)
    squares = float(np.sum(product**2))
    mu = float(np.trace(product)) / d
    delta = (squares - d * mu**2) / d
    beta = (fourth - squares) / (n * d)
    if delta <= 0 or beta <= 0:
        return 0.0
    return min(beta, delta) / delta
