"""A covariance that was shrunk as Ledoit and Wolf have it, and vectors taken about a centre."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.linalg import eigh

from fmb import Array

__all__ = ["Covariance", "shifted", "shrinkage_of"]

BLOCK_ROWS = 1024
"""Rows handled at a time: float64 copies of a block stay small whatever the survey."""

ROUNDING = 1e-12
"""A shrinkage below this is that of sums that were rounded: of n vectors it is about 1 / n."""


@dataclass(frozen=True, eq=False)
class Covariance:
    """Mean and shrunk covariance of n vectors."""

    mean: Array
    """(d,), float64, in the units of the vectors."""
    matrix: Array
    """(d, d), float64, symmetric."""
    shrinkage: float
    """In [0, 1]: 0 = the sample covariance, 1 = a multiple of the identity."""
    n: int

    def whitening_axes(self, k: int) -> Array:
        """The k directions of largest variance, largest first, divided by its root.

        Returns:
            (d, k), float64: (vectors - mean) @ axes has the unit covariance. The largest
            entry of an axis is positive, so the linear algebra library does not choose its sign.
        """
        d = len(self.matrix)
        variances, axes = eigh(self.matrix, subset_by_index=[d - k, d - 1], check_finite=False)
        axes = (axes / np.sqrt(variances))[:, ::-1]
        signs = np.sign(axes[np.abs(axes).argmax(axis=0), np.arange(k)])
        return np.ascontiguousarray(axes * signs)


def shifted(values: Array, centre: Array) -> Iterator[tuple[slice, Array]]:
    """Blocks of values - centre with the rows they stand for, float64; each until the next."""
    room = np.empty((min(len(values), BLOCK_ROWS), values.shape[1]))
    for start in range(0, len(values), BLOCK_ROWS):
        rows = slice(start, min(start + BLOCK_ROWS, len(values)))
        block = room[: rows.stop - start]
        block[...] = values[rows]  # widened first: numpy subtracts mixed types at half the speed
        block -= centre
        yield rows, block


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
    if delta <= 0 or beta <= ROUNDING * delta:
        return 0.0
    return min(beta, delta) / delta
