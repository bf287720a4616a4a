"""Order statistics of rows with bad values in them, the same way for one row or many."""

import numpy as np

from fmb import Array

__all__ = ["LOWER_SIGMA", "MAD_TO_SIGMA", "order_statistics"]

MAD_TO_SIGMA = 1.4826
"""Sigma of a Gaussian over its median absolute deviation: 1/0.6745."""
LOWER_SIGMA = 0.158655
"""Fraction of a Gaussian below mean - sigma."""


def order_statistics(values: Array, good: Array, *fractions: float) -> tuple[Array, ...]:
    """For each fraction, the value below which that part of the good values of a row lies.

    No interpolation: the value of rank floor(fraction * (n_good - 1)), so that the fraction 0.5 is
    the lower median.

    Args:
        values: (rows, n), float.
        good: (rows, n), bool; values that are not good may be NaN.
        fractions: in [0, 1].

    Returns:
        One array (rows,) a fraction; NaN for a row without a good value.
    """
    ordered = np.sort(np.where(good, values, np.inf).astype(values.dtype, copy=False), axis=1)
    count = good.sum(axis=1)
    rows = np.arange(len(values))
    found = []
    for fraction in fractions:
        rank = np.floor(fraction * np.maximum(count - 1, 0)).astype(np.intp)
        found.append(np.where(count > 0, ordered[rows, rank], np.nan).astype(values.dtype))
    return tuple(found)
