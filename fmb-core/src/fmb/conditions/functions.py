"""Functions of a condition: of numbers, row by row; where there is no result there is no value."""

import operator
from collections.abc import Callable, Sequence
from functools import partial, reduce
from typing import Any

import numpy as np

from fmb.conditions.arithmetic import compared, computed, negated
from fmb.conditions.values import Refusal, Value

__all__ = ["FUNCTIONS", "called"]


def called(name: str, arguments: Sequence[Value]) -> Value:
    """What a function of `FUNCTIONS` makes of numbers.

    `abs`, `min` and `max` of whole numbers are exact; `log10` and `sqrt` are of double precision.

    Raises:
        Refusal: the function takes another number of arguments, or a literal has no result.
    """
    function, least, most = FUNCTIONS[name]
    if not least <= len(arguments) <= most:
        wanted = "one number" if most == 1 else "two numbers or more"
        raise Refusal(f"takes {wanted}, as {name}({'x' if most == 1 else 'x, y'})")
    return function(*arguments)


def _absolute(a: Value) -> Value:
    return _extreme(operator.gt, a, negated(a))


def _extreme(sign: Callable[[Any, Any], Any], *numbers: Value) -> Value:
    return reduce(partial(_further, sign), numbers)


def _further(sign: Callable[[Any, Any], Any], a: Value, b: Value) -> Value:
    """Row by row the one that a comparison prefers; whole only where both are."""
    if "nothing" in (a.kind, b.kind):
        return a if a.kind == "nothing" else b
    known = np.logical_and(a.known, b.known)
    if a.kind != b.kind:  # as in sums, whole numbers beside fractions are such
        a, b = (computed(operator.add, one, Value("fraction", 0.0)) for one in (a, b))
    if not a.is_column and not b.is_column:
        return a if sign(a.values, b.values) else b
    found = np.where(compared(sign, a, b), a.values, b.values)
    return Value(a.kind, found, known)


def _real(function: Callable[[Any], Any], a: Value) -> Value:
    """Of double precision; no value where the function has none, or an infinite one."""
    if a.kind == "nothing":
        return a
    plain = computed(operator.add, a, Value("fraction", 0.0))
    with np.errstate(all="ignore"):
        found = np.asarray(function(plain.values), dtype=np.float64)
    if not a.is_column:
        if not np.isfinite(found):
            raise Refusal("has no value")
        return Value("fraction", float(found))
    lost = ~np.isfinite(found) & np.isfinite(np.asarray(plain.values))
    return Value("fraction", np.where(lost, np.nan, found), plain.known & ~lost & ~np.isnan(found))


MANY = 64
"""Arguments of a function at most."""
FUNCTIONS: dict[str, tuple[Callable[..., Value], int, int]] = {
    "abs": (_absolute, 1, 1),
    "log10": (partial(_real, np.log10), 1, 1),
    "max": (partial(_extreme, operator.gt), 2, MANY),
    "min": (partial(_extreme, operator.lt), 2, MANY),
    "sqrt": (partial(_real, np.sqrt), 1, 1),
}
"""Name -> what computes it, fewest and most arguments."""
