"""The affine map that gives one sample of numbers the median and spread of another."""

import numpy as np

from fmb import Array

__all__ = ["affine_onto", "middle_and_spread"]

NORMAL = 1.4826
"""Spread of a normal distribution in units of its median absolute deviation."""


def middle_and_spread(values: Array) -> tuple[float, float]:
    """Median and 1.4826 times the median absolute deviation of (n,) values, in their unit.

    Source: Rousseeuw and Croux 1993, JASA 88, 1273: consistent with sigma of a normal distribution.
    """
    middle = float(np.median(values))
    return middle, NORMAL * float(np.median(np.abs(values - middle)))


def affine_onto(values: Array, others: Array) -> tuple[float, float]:
    """(scale, offset) so that scale * others + offset has the median and spread of `values`.

    Both are NaN where `others` are half of them equal: nothing scales them.

    Args:
        values: (n,), finite.
        others: (m,), finite.
    """
    (middle, spread), (middle_2, spread_2) = middle_and_spread(values), middle_and_spread(others)
    if spread_2 == 0.0:
        return np.nan, np.nan
    scale = spread / spread_2
    return scale, middle - scale * middle_2
