"""Where things stand when they are sorted."""

import numpy as np

from fmb.contract.arrays import Array

__all__ = ["stable_order"]


def stable_order(values: Array) -> Array:
    """(n,), int64: positions that sort `values`, equal ones in the order they have."""
    if values.dtype.kind not in "iuf":
        return np.argsort(values, kind="stable")
    order = np.argsort(values)  # four times as fast as the stable one, and equal without ties
    ranked = values[order]
    tied = len(values) > 1 and bool((ranked[1:] == ranked[:-1]).any())
    return np.argsort(values, kind="stable") if tied else order
