"""Numbers of inputs, from the type of their file to float32, without a product in between."""

from typing import Any

import numpy as np

from fmb import Array
from fmb.files import Stated

__all__ = ["float32", "may_hold", "meant_numbers", "times"]


def meant_numbers(told: Stated, stored: Array) -> Array:
    """The numbers that a file means by what it stores; NaN where that is "no value"."""
    gaps, values = told.gaps(stored), told.values(stored)
    return values if gaps is None or not gaps.any() else np.where(gaps, np.nan, values)


def times(values: Array, factor: float) -> Array:
    """Values x factor in float64: in the type of a file a product may overflow or vanish."""
    return values if factor == 1.0 else values.astype(np.float64) * factor


def may_hold(kind: np.dtype[Any], value: float) -> bool:
    """True when an array of this type can hold a value."""
    if kind.kind not in "iu":
        return True
    limits = np.iinfo(kind)
    return float(value).is_integer() and limits.min <= value <= limits.max


def float32(values: Array) -> Array:
    """The values as float32; those that are float32 are not copied."""
    # A value beyond float32 becomes infinite, which the quality checks report by object.
    with np.errstate(over="ignore"):
        return values.astype(np.float32, copy=False)
