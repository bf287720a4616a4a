"""One column of a table as pandas keeps it: no value in a narrower type than its file has.

Whole numbers are int64 or uint64, with gaps Int64 or UInt64, so that none wraps around; floats
have the type of the file, by which their shortest text is known; yes or no is bool, with gaps
boolean; days and times are datetime64; text is str, None where there is none.
"""

from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from fmb.contract.arrays import Array
from fmb.messages.errors import DataError

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["Unreadable", "from_array", "from_arrow", "from_texts", "masks_of", "whole_numbers"]

GAPS = ("", "NA", "N/A", "n/a", "null", "NULL", "None", "nan", "NaN", "NAN", "--", "masked")
"""What stands for no value among numbers; among words they are words."""
_WHOLE = r"^[+-]?(0|[1-9][0-9]*)$"
_NUMBER = r"^[+-]?([1-9][0-9]*|0|[0-9]+\.[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$|^[+-]?[iI]nf(inity)?$"
_YES, _NO = ("true", "True", "TRUE"), ("false", "False", "FALSE")


class Unreadable(Exception):
    """A column that is none of these kinds; the text says what it holds."""


def masks_of(names: Collection[str]) -> dict[str, str]:
    """Column X -> the column `X.mask` of yes and no, in which astropy keeps what of X is masked.

    In Parquet and HDF5, which have no masked columns of their own.
    """
    return {name: f"{name}.mask" for name in names if f"{name}.mask" in names}


def from_array(values: Array, mask: Array | None = None) -> Any:
    """A column from what numpy holds.

    Args:
        values: (n,), of any kind and byte order.
        mask: (n,), bool, True = no value; None = all have one.

    Returns:
        A numpy array or a pandas array with gaps, (n,), in the same order.

    Raises:
        Unreadable: these are complex numbers, records or objects.
        DataError: they are bytes that are no text (UTF-8).
    """
    import pandas as pd

    gaps = None if mask is None or not np.any(mask) else np.asarray(mask, dtype=bool)
    kind = values.dtype.kind
    if kind in "iu":
        wide = values.astype(np.uint64 if kind == "u" else np.int64)
        return wide if gaps is None else pd.arrays.IntegerArray(wide, gaps)
    if kind == "b":
        plain = values.astype(bool)
        return plain if gaps is None else pd.arrays.BooleanArray(plain, gaps)
    if kind == "f":
        size = min(values.dtype.itemsize, 8)
        reals = values.astype(f"f{size}")
        return reals if gaps is None else np.where(gaps, np.nan, reals).astype(f"f{size}")
    if kind == "M":
        return values if gaps is None else np.where(gaps, np.datetime64("NaT"), values)
    if kind == "m":
        return _texts(values.astype(str), gaps)
    if kind in "SUOT":
        return _texts(values, gaps)
    raise Unreadable({"c": "complex numbers", "V": "records"}.get(kind, f"type {values.dtype}"))


def _texts(values: Array, gaps: Array | None) -> Array:
    texts = np.array([_text(value) for value in values.tolist()], dtype=object)
    if gaps is not None:
        texts[gaps] = None
    return texts


def _text(value: Any) -> str | None:
    if isinstance(value, bytes):
        try:
            return value.decode().rstrip()
        except UnicodeDecodeError:
            raise DataError("holds bytes that are no text (UTF-8)") from None
    if value is not None and not isinstance(value, str):
        raise Unreadable(f"objects of type {type(value).__name__}")
    return value


def from_arrow(column: "pa.ChunkedArray") -> Any:
    """A column from what Arrow holds; as `from_array`.

    Raises:
        Unreadable: lists, records, or another kind that is no single value.
        DataError: bytes that are no text (UTF-8).
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    kind = column.type
    if pa.types.is_dictionary(kind):
        column = column.cast(kind.value_type)
        kind = kind.value_type
    if pa.types.is_null(kind):
        return np.full(len(column), np.nan)
    if pa.types.is_decimal(kind):
        if kind.scale > 0:
            return column.cast(pa.float64()).to_numpy()
        return whole_numbers(column.to_pylist())
    if pa.types.is_integer(kind) or pa.types.is_boolean(kind):
        mask = column.is_null().to_numpy()
        zero = False if pa.types.is_boolean(kind) else 0
        return from_array(pc.fill_null(column, pa.scalar(zero, kind)).to_numpy(), mask)
    if pa.types.is_floating(kind):
        return from_array(column.to_numpy())
    if pa.types.is_date(kind) or pa.types.is_timestamp(kind):
        fine = getattr(kind, "unit", "") == "ns"
        found = np.asarray(column.cast(pa.timestamp("ns" if fine else "us")).to_numpy())
        short = found.astype("datetime64[us]")
        # Nanoseconds stay where a digit would be lost.
        return short if np.array_equal(short, found, equal_nan=True) else found
    if pa.types.is_temporal(kind):
        column = column.cast(pa.string())
    elif pa.types.is_nested(kind):
        raise Unreadable("lists" if "list" in str(kind) else "records")
    elif not any(is_text(kind) for is_text in _text_kinds()):
        raise Unreadable(f"type {kind}")
    return from_array(np.array(column.to_pylist(), dtype=object))


def _text_kinds() -> list[Callable[[Any], bool]]:
    """Arrow's tests for what may be text; older versions know no views of strings."""
    from pyarrow import types

    names = "string", "large_string", "string_view", "binary", "large_binary", "fixed_size_binary"
    return [getattr(types, f"is_{name}") for name in names if hasattr(types, f"is_{name}")]


def from_texts(column: "pa.ChunkedArray") -> Any:
    """A column from the texts of a file without types: numbers where all of them are numbers.

    A number may have blanks around it; whole ones that begin with a needless zero ("007") are text.

    Args:
        column: (n,), strings without nulls.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    bare = pc.utf8_trim_whitespace(column)
    gap = pc.is_in(bare, value_set=pa.array(GAPS, pa.string()))
    values = bare.filter(pc.invert(gap))
    if not len(values):
        empty = bool(pc.all(pc.equal(bare, "")).as_py())
        return np.full(len(column), np.nan) if empty else from_array(_objects(column))
    held = pc.if_else(gap, None, bare)
    if _all_match(values, _WHOLE):
        unsigned = pc.replace_substring_regex(held, r"^\+", "")
        for whole in (pa.int64(), pa.uint64()):
            try:
                return from_arrow(unsigned.cast(whole))
            except pa.ArrowInvalid:
                continue
    elif _all_match(values, _NUMBER):
        return from_arrow(pc.replace_substring_regex(held, r"^\+", "").cast(pa.float64()))
    elif pc.all(pc.is_in(values, value_set=pa.array(_YES + _NO))).as_py():
        truth = pc.is_in(held, value_set=pa.array(_YES))
        return from_array(truth.to_numpy(), gap.to_numpy())
    return from_array(_objects(column))


def _all_match(values: "pa.ChunkedArray", pattern: str) -> bool:
    import pyarrow.compute as pc

    return bool(pc.all(pc.match_substring_regex(values, pattern)).as_py())


def _objects(column: "pa.ChunkedArray") -> Array:
    return np.asarray(column.to_pandas(), dtype=object)


def whole_numbers(values: Sequence[Any]) -> Any:
    """A column from whole numbers of any size, None where there is none: text beyond 64 bits."""
    numbers = [None if value is None else int(value) for value in values]
    known = [number for number in numbers if number is not None]
    mask = np.array([number is None for number in numbers], dtype=bool)
    for kind in (np.int64, np.uint64):
        if not known or (min(known) >= np.iinfo(kind).min and max(known) <= np.iinfo(kind).max):
            return from_array(np.array([number or 0 for number in numbers], dtype=kind), mask)
    return np.array([None if n is None else str(n) for n in numbers], dtype=object)
