"""Arithmetic and comparisons that give what paper would: integers exactly, all else in float64."""

import operator
from collections.abc import Callable, Sequence
from datetime import datetime
from itertools import product
from typing import Any

import numpy as np
import pandas as pd

from fmb.conditions.values import EXACT, Refusal, Value, whole_numbers
from fmb.contract.arrays import Array

__all__ = ["among", "compared", "computed", "negated"]

Sign = Callable[[Any, Any], Any]


def negated(a: Value) -> Value:
    """The number with its other sign; a column of short floats stays one."""
    if a.kind == "whole":
        return computed(operator.sub, Value("whole", 0), a)
    return Value(a.kind, -a.values, a.known, a.narrow)


def computed(sign: Sign, a: Value, b: Value) -> Value:
    """Sum, difference, product, quotient or remainder, which has the sign of what divides.

    Integers stay exact, however long they get. Beside a fraction they become float64, as the
    quotient does. A row that divides by zero, or whose result is undefined, has no value.

    Args:
        sign: of `operator`: add, sub, mul, truediv or mod.
        a: numbers.
        b: numbers.

    Raises:
        Refusal: a literal is divided by zero, or an integer is too long for float64.
    """
    if "nothing" in (a.kind, b.kind):
        return a if a.kind == "nothing" else b
    known = np.logical_and(a.known, b.known)
    whole = a.kind == b.kind == "whole"
    divides = sign in (operator.truediv, operator.mod)
    try:
        if divides and not b.is_column and b.values == 0:
            raise ZeroDivisionError("division by zero")
        if divides and b.is_column:
            zero = np.asarray(b.values == 0, dtype=bool)
            known = known & ~zero
            b = Value(b.kind, np.where(zero, 1, b.values), b.known)
        if whole and sign is not operator.truediv:
            return Value("whole", _whole(sign, a.values, b.values), known)
        if whole and max(map(abs, (*_range(a.values), *_range(b.values)))) > EXACT:
            # Python rounds the quotient of two integers once, numpy both of them before.
            found = np.asarray(_python(a.values) / _python(b.values), dtype=np.float64)
        else:
            with np.errstate(all="ignore"):
                found = np.asarray(sign(_floats(a.values), _floats(b.values)))
    except ArithmeticError as error:
        raise Refusal(f"cannot be computed: {error}") from None
    if a.is_column or b.is_column:
        return Value("fraction", found, known & ~np.isnan(found))
    return Value("fraction", float(found))


def _whole(sign: Sign, a: Any, b: Any) -> Any:
    """Whole numbers from whole numbers, in int64 where no row can leave it."""
    if isinstance(a, int) and isinstance(b, int):
        return sign(a, b)
    ends = [*_range(a), *_range(b)]
    if sign is not operator.mod:  # the extremes of all three are at the ends of both
        ends += [sign(x, y) for x, y in product(_range(a), _range(b))]
    limits = np.iinfo(np.int64)
    if limits.min < min(ends) and max(ends) <= limits.max:
        return sign(a, b)
    return whole_numbers(np.asarray(sign(_python(a), _python(b))))


def _range(values: Any) -> tuple[int, int]:
    """Smallest and largest."""
    if isinstance(values, int):
        return values, values
    return (int(values.min()), int(values.max())) if len(values) else (0, 0)


def _python(values: Any) -> Any:
    """Python's own numbers, which are compared and divided exactly."""
    return values.astype(object) if isinstance(values, np.ndarray) else values


def _floats(values: Any) -> Any:
    if isinstance(values, np.ndarray):
        return values.astype(np.float64)  # of Python's integers an OverflowError where too long
    return float(values)


def compared(sign: Sign, a: Value, b: Value) -> Array:
    """(n,) bool: where the comparison holds; nowhere where a side has no value.

    A fraction beside a column of 16- or 32-bit floats is first rounded as the column was. All other
    numbers are compared as they are, whatever their types.

    Args:
        sign: of `operator`: lt, le, gt, ge, eq or ne.
        a: at least one side is a column.
        b: as `a`.

    Raises:
        Refusal: they are of different kinds.
    """
    known = np.logical_and(a.known, b.known)
    if "nothing" in (a.kind, b.kind):
        return np.zeros(len(known), dtype=bool)
    kinds = {a.kind, b.kind}
    if "time" in kinds:
        left, right = _time(a), _time(b)
    elif "text" in kinds:
        _refuse_mixture(a, b)
        left, right = a.values, b.values
    else:
        left, right = _rounded(a, b), _rounded(b, a)
        if kinds == {"fraction"} or max(map(_size, (a, b))) <= EXACT:
            left, right = _floats(left), _floats(right)
        elif kinds != {"whole"} or not all(map(_fits, (left, right))):
            left, right = _python(left), _python(right)
    with np.errstate(invalid="ignore"):  # NaN among Python's numbers is false without a word
        found: Array = np.asarray(sign(left, right), dtype=bool) & known
    return found


def _size(value: Value) -> int:
    """The largest distance from zero of whole numbers."""
    return max(map(abs, _range(value.values))) if value.kind == "whole" else 0


def _fits(values: Any) -> bool:
    """True where numpy's comparison of int64 is exact."""
    limits = np.iinfo(np.int64)
    if isinstance(values, int):
        return limits.min <= values <= limits.max
    return bool(values.dtype == np.int64)


def _rounded(value: Value, beside: Value) -> Any:
    """The values; of a literal fraction as the column beside it holds it."""
    if beside.narrow is None or value.is_column or value.kind != "fraction":
        return value.values
    with np.errstate(over="ignore", under="ignore"):
        held = float(beside.narrow.type(value.values))
    # What only rounds to infinity or to zero is neither.
    return held if np.isfinite(held) and (held != 0 or value.values == 0) else value.values


def _refuse_mixture(a: Value, b: Value) -> None:
    if a.kind != b.kind:
        number = a if b.kind == "text" else b
        advice = "leave out its quotes" if number.is_column else "put the text in quotes"
        raise Refusal(f"compares text with a number; {advice}")


def _time(value: Value) -> Any:
    """Times, also from text."""
    if value.kind == "time":
        return value.values
    try:
        if value.kind != "text" or value.is_column:
            raise ValueError
        datetime.fromisoformat(value.values)  # pandas also takes "now" and "3"
        moment = pd.Timestamp(value.values)
    except ValueError:
        raise Refusal(
            "compares times with something else; write for instance '2026-01-31T12:00:00'"
        ) from None
    return moment.tz_convert("UTC").tz_localize(None) if moment.tz else moment


def among(a: Value, items: Sequence[Value]) -> Array:
    """(n,) bool: which rows equal one of the literals, as `compared` would say.

    Raises:
        Refusal: they are of different kinds.
    """
    if len({item.kind == "text" for item in items}) > 1:
        raise Refusal("mixes text and numbers in one list")
    if a.kind in ("nothing", "time") or not items:
        found: Array = np.zeros(len(a.values), dtype=bool)
        for item in items:
            found |= compared(operator.eq, a, item)
        return found
    if "text" in (a.kind, items[0].kind):
        _refuse_mixture(a, items[0])
        wanted = {item.values for item in items}
    else:
        wanted = {_rounded(item, a) for item in items}
    # Python's numbers are equal, and hash alike, where their values are.
    if a.kind == "text" or a.values.dtype == object:
        found = np.array([value in wanted for value in a.values], dtype=bool)
    else:
        kind = a.values.dtype.type
        there = [held for value in wanted if (held := _held(value, kind)) is not None]
        found = np.isin(a.values, np.array(there, dtype=kind))
    found &= a.known
    return found


def _held(value: float, kind: type[Any]) -> Any:
    """The number as numpy's type has it, None where that is another number."""
    if kind is np.float64:
        return float(value) if abs(value) < 2**1023 and float(value) == value else None
    return int(value) if value == int(value) and _fits(int(value)) else None
