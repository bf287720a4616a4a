"""Numbers of inputs, from the type of their file to float32, without a product in between."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from fmb import Array, DataError
from fmb.files import Stated

__all__ = ["bad_value", "bits_of", "float32", "may_hold", "meant_numbers", "times"]


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


def bad_value(kind: np.dtype[Any], bits: Sequence[int]) -> int:
    """A value of a mask that means bad, for what a file leaves out.

    Args:
        kind: of the numbers of the mask.
        bits: that mean bad; none = any number but 0.
    """
    value = 1 << min(bits, default=0)
    beyond = kind.kind == "i" and value > np.iinfo(kind).max  # the bit of the sign
    return -value if beyond else value


def bits_of(stored: Array, bits: Sequence[int], where: str) -> Array:
    """Where an array of whole numbers has one of these bits, counted from 0; of its shape, bool.

    Raises:
        DataError: it has no whole numbers, or fewer bits; `where` names it.
    """
    kind = stored.dtype
    if kind.kind not in "iu" or max(bits) >= 8 * kind.itemsize:
        raise DataError(f"{where} holds {kind}, which has no bit {max(bits)}: correct mask_bits")
    wanted = np.uint64(sum(1 << bit for bit in set(bits)))
    return np.asarray((stored.astype(np.int64).view(np.uint64) & wanted) != 0)
