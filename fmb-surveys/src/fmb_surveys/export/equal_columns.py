"""Whether a column says what another says already."""

import numpy as np
import pandas as pd

from fmb_surveys.export.exported import ROWS_AT_ONCE, Column, Exported, Part, masked

__all__ = ["adds_nothing"]

_EXACT = 1 << 53
"""Below this a float holds every whole number."""


def adds_nothing(exported: Exported, name: str, column: Column, unit: str) -> bool:
    """Whether a further column has, in every row of a table, no value but that of one of it.

    A gap of the further column adds nothing either; in another unit the same number is another.

    Args:
        exported: the table.
        name: its column.
        column: the further one, of all objects.
        unit: of the further one, "" where nobody said.
    """
    own = exported.fields[name].unit
    if own and unit and own != unit:
        return False
    for part in exported.parts:
        other = Part({name: column}, part.rows)
        for start in range(0, len(part.rows), ROWS_AT_ONCE):
            stop = min(start + ROWS_AT_ONCE, len(part.rows))
            a, b = part.taken(name, start, stop), other.taken(name, start, stop)
            if a is None or b is None or not _same(a, b):
                return False
    return True


def _same(a: pd.Series, b: pd.Series) -> bool:
    left, right = masked(a), masked(b)
    kinds = {"n" if one.dtype.kind in "iuf" else one.dtype.kind for one in (left, right)}
    if len(kinds) > 1:
        return False
    gaps = np.ma.getmaskarray(right)
    if right.dtype.kind == "f":
        gaps = gaps | np.isnan(right.data)
    x, y = left.data[~gaps], right.data[~gaps]
    if np.ma.getmaskarray(left)[~gaps].any():
        return False
    if x.dtype.kind == "f" or y.dtype.kind == "f":
        whole = [one for one in (x, y) if one.dtype.kind in "iu" and len(one)]
        if any(int(one.max()) >= _EXACT or int(one.min()) <= -_EXACT for one in whole):
            return False
    return bool((x == y).all())
