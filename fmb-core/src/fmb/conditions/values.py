"""A column or a literal as a condition sees it: whole numbers, fractions, text or times."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

import numpy as np
import pandas as pd
from pandas.api import types

from fmb.contract.arrays import Array

__all__ = ["Refusal", "Value", "column_value", "literal_value", "whole_numbers"]

EXACT = 2**53
"""Up to here float64 holds every whole number."""


class Refusal(Exception):
    """Why something cannot be computed; the condition says of what."""


@dataclass(frozen=True, eq=False)
class Value:
    """What stands on one side of a comparison."""

    kind: Literal["whole", "fraction", "text", "time", "nothing"]
    """Nothing: a column without a single value, which compares with any kind."""
    values: Any
    """A Python value, or (n,): whole int64, or Python's int where these do not hold them; fraction
    float64; text str; time a Series without a zone, in UTC. Anything where it is not known."""
    known: Any = True
    """(n,) bool: has a value; True for a literal."""
    narrow: Any = None
    """Numpy's type of a column of 16- or 32-bit floats; None for all others."""
    truth: bool = False
    """True for yes or no, which count as 1 and 0."""

    @property
    def is_column(self) -> bool:
        """True where it has a value for each row."""
        return not isinstance(self.values, int | float | str)


def whole_numbers(values: Array) -> Array:
    """(n,) integers as int64, or as Python's own where one does not fit: these never wrap."""
    if values.dtype.kind == "i" or not len(values):
        return values.astype(np.int64)
    limits = np.iinfo(np.int64)
    fit = int(values.min()) >= limits.min and int(values.max()) <= limits.max
    return values.astype(np.int64 if fit else object)


def literal_value(value: Any) -> Value:
    """A number or text that is written in the condition.

    Raises:
        Refusal: it is None, or of a kind that no column has.
    """
    if isinstance(value, str):
        return Value("text", value)
    if isinstance(value, int):
        return Value("whole", int(value), truth=isinstance(value, bool))
    if isinstance(value, float):
        if np.isinf(value):
            raise Refusal("holds a number that is too large")
        return Value("fraction", value)
    raise Refusal("is not a column, a number or text")


def column_value(column: pd.Series) -> Value:
    """A column, widened so that nothing computed from it wraps or rounds.

    Args:
        column: n values of any type.

    Raises:
        Refusal: of a kind that cannot be compared.
    """
    kind, known = column.dtype, ~column.isna().to_numpy(dtype=bool)
    if not known.any():
        return Value("nothing", np.zeros(len(column)), known)
    if types.is_complex_dtype(kind):
        raise Refusal("holds complex numbers, which have no order")
    if types.is_timedelta64_dtype(kind):
        raise Refusal("holds durations, which cannot be compared here")
    if types.is_bool_dtype(kind) and not isinstance(kind, pd.CategoricalDtype):
        yes = column.to_numpy(dtype=bool, na_value=False)
        return Value("whole", yes.astype(np.int64), known, truth=True)
    if types.is_integer_dtype(kind):
        wide = "uint64" if types.is_unsigned_integer_dtype(kind) else "int64"
        values = column.to_numpy(dtype=np.dtype(wide), na_value=0)
        return Value("whole", whole_numbers(values), known)
    if types.is_float_dtype(kind):
        plain: Any = getattr(kind, "numpy_dtype", kind)
        own: np.dtype[Any] = np.dtype(plain)
        values = column.to_numpy(dtype=np.float64, na_value=np.nan)
        return Value("fraction", values, known, narrow=own if own.itemsize < 8 else None)
    if types.is_datetime64_any_dtype(kind):
        return Value("time", pd.to_datetime(column, utc=True).dt.tz_localize(None), known)
    return _by_content(column.astype(object), known)


def _by_content(column: pd.Series, known: Array) -> Value:
    """A column that may hold any Python value, by what it does hold."""
    kind, there = types.infer_dtype(column, skipna=True), column.to_numpy()[known]
    if kind in ("date", "datetime", "datetime64"):
        try:
            return Value("time", pd.to_datetime(column, utc=True).dt.tz_localize(None), known)
        except ValueError:
            raise Refusal("holds times that cannot be read") from None
    if kind in ("string", "bytes"):
        return Value("text", _spread(np.array(_texts(there), dtype=object), known, ""), known)
    if kind == "boolean":
        return Value("whole", _spread(there.astype(np.int64), known, 0), known, truth=True)
    whole = kind == "integer" or (kind == "decimal" and all(map(_is_whole, there)))
    if whole:
        exact = np.array([int(value) for value in there], dtype=object)
        return Value("whole", whole_numbers(_spread(exact, known, 0)), known)
    if kind in ("floating", "mixed-integer-float", "decimal"):
        if any(isinstance(v, int) and abs(v) > EXACT for v in there):
            raise Refusal("holds fractions beside integers that floats cannot hold")
        return Value("fraction", _spread(there.astype(np.float64), known, np.nan), known)
    names = sorted({type(value).__name__ for value in there})
    raise Refusal(f"holds values of type {', '.join(names)}, not one number or text an object")


def _is_whole(value: Decimal) -> bool:
    return value.is_finite() and value == value.to_integral_value()


def _texts(values: Array) -> list[str]:
    try:
        return [v.decode() if isinstance(v, bytes) else str(v) for v in values]
    except UnicodeDecodeError:
        raise Refusal("holds bytes that are no text (UTF-8)") from None


def _spread(there: Array, known: Array, unknown: Any) -> Array:
    """(n,): the values that are known at their rows, `unknown` at all others."""
    values = np.full(len(known), unknown, dtype=there.dtype)
    values[known] = there
    return values
