"""Values of Python beside vectors: one an object, or None; no whole number goes through a float."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from fmb.contract.arrays import Array
from fmb.files.columns import from_array, whole_numbers
from fmb.messages.errors import DataError

__all__ = ["as_numbers", "beside", "is_whole", "of_plain"]

_EXACT = 2**53
"""Whole numbers up to here are float64 too."""


def of_plain(values: Sequence[Any], path: Path, key: str) -> Array:
    """(n,) of values: numbers, yes or no, or text where all are; else objects, with None.

    Args:
        values: of Python.
        path: the file, for messages.
        key: what they are called, for messages.

    Raises:
        DataError: whole numbers that no float64 holds stand beside fractions.
    """
    kinds = {type(one) for one in values if one is not None}
    there = [one for one in values if one is not None]
    if kinds == {int}:
        found = whole_numbers(values)
        if isinstance(found, np.ndarray) and found.dtype.kind in "iu":
            return found
    elif float in kinds and kinds <= {int, float}:
        if any(abs(one) > _EXACT for one in there if type(one) is int):
            raise DataError(
                f"{path}: {key!r} holds fractions and whole numbers beyond 2^53, for which there"
                " is no one type; store one of them, or text"
            )
        return np.array([np.nan if one is None else one for one in values], dtype=np.float64)
    elif len(kinds) == 1 and len(there) == len(values):
        return np.asarray(values)
    objects = np.empty(len(values), dtype=object)
    objects[:] = values
    return objects


def is_whole(values: Array) -> bool:
    """True for objects that are whole numbers and gaps."""
    return values.dtype == object and {type(one) for one in values.flat} - {type(None)} == {int}


def as_numbers(values: Array) -> Array:
    """(n,) to be computed with, NaN for None."""
    if values.dtype != object:
        return values
    return np.array([np.nan if one is None else one for one in values], dtype=np.float64)


def beside(values: Array) -> Any:
    """A column of a catalogue; see `fmb.files.columns`.

    Raises:
        Unreadable: values of several types, or of none that a catalogue has.
    """
    if is_whole(values):
        return whole_numbers(values.tolist())
    if values.dtype == object and {type(one) for one in values} == {bool, type(None)}:
        gaps = np.array([one is None for one in values])
        return from_array(values == True, gaps)  # noqa: E712 - element by element
    return from_array(values)
