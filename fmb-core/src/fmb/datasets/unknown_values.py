"""Values of catalogue roles that stand for "unknown", as far as the numbers themselves tell."""

import re
from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd

from fmb.contract.arrays import Array
from fmb.datasets.objects import numbers

__all__ = ["stand_ins", "unknown_lines"]

FAR = 10.0
"""Spreads from the median of all others from which a value cannot be one of them."""
HUGE = 1e10
"""Beyond it a value is no quantity, unless most are."""
MOST = 5
"""Values of one role that are told: more are no marks but a broken column."""
NINES = re.compile(r"-?9+(\.9+)?")
WORN = (0, -1, -(2**15), 2**15 - 1, -(2**31), 2**31 - 1)
"""Other numbers that stand for "unknown": the last are the ends of integers of 16 and 32 bits."""
NORMAL = 1.4826
"""Spread of a normal distribution in units of its median absolute deviation."""


def stand_ins(values: Array, *, alone: bool = False) -> list[tuple[float, int]]:
    """Values that look as if they stood for "unknown", and how many objects have each.

    Such a value is the lowest or the highest of all; it is repeated and written in nines, 0, -1 or
    the end of an integer, or it is huge; and it lies 10 spreads and more from the median of all
    others, or is the only one below 0.

    Args:
        values: (n,), float64; what is not finite plays no part.
        alone: take -99, 999 and the like where one object has it, too.
    """
    rest = np.sort(values[np.isfinite(values)])
    found: list[tuple[float, int]] = []
    while len(rest) and len(found) < MOST:
        for value in (rest[0], rest[-1]):
            others = rest[rest != value]
            count = len(rest) - len(others)
            usual = abs(others[len(others) // 2]) if len(others) else np.inf
            if usual < HUGE and _typical(value, count, alone) and _far(value, others):
                found.append((float(value), count))
                rest = others
                break
        else:
            return found
    return found


def _typical(value: float, count: int, alone: bool) -> bool:
    if abs(value) >= HUGE:
        return True
    nines = NINES.fullmatch(f"{value:.6g}") is not None  # as many digits as float32 holds
    return (count > 1 and (value in WORN or nines)) or (alone and nines and abs(value) >= 99)


def _far(value: float, others: Array) -> bool:
    """True where it cannot be one of `others` (m,), which rise."""
    if value < 0 <= others[0]:
        return True
    middle = np.median(others)
    spread = NORMAL * np.median(np.abs(others - middle)) or others.std()
    return bool(abs(value - middle) > FAR * spread)


def unknown_lines(catalog: pd.DataFrame, roles: Sequence[str]) -> Iterator[str]:
    """A line on each role that holds infinite values, or some that look like "unknown".

    Args:
        catalog: one row an object, with role -> column in `attrs["roles"]`.
        roles: those that are used, of numbers; what no column plays is left out.
    """
    plays = catalog.attrs.get("roles", {})
    for role in roles:
        column = plays.get(role, role)
        if column not in catalog:
            continue
        values = numbers(catalog[column])
        called = role if role == column else f"{role} ({column})"
        if infinite := int(np.isinf(values).sum()):
            yield f"{called} is infinite for {_objects(infinite)}, which counts as unknown"
        told = [f"{value:g} for {_objects(n)}" for value, n in stand_ins(values)]
        if told:
            yield (
                f"{called} is {' and '.join(told)}, far from all others, and used as it is: if it"
                " stands for unknown, leave these values empty"
            )


def _objects(n: int) -> str:
    return f"{n:,} object{'s' * (n != 1)}"
