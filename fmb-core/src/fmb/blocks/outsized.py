"""Vectors beside which all others look alike: a broken number, not a strange object."""

import numpy as np

from fmb.blocks.sound import sizes
from fmb.blocks.stored import Stored, StoredPairs
from fmb.contract.arrays import Array
from fmb.contract.vectors import Judged

__all__ = ["outsized"]

TIMES = 1e4
"""As large as most: beside 1e8, its square, those of most are rounding in float32."""
SAMPLE = 1024
"""Objects that tell how large most are."""


def outsized(x: Judged | Stored | StoredPairs, rows: Array) -> str:
    """What to say of vectors that are 10,000 times as large as most, "" where there is none.

    The size of a vector is its largest absolute number.

    Args:
        x: n objects.
        rows: (m,), int: which of them are looked at.
    """
    if not len(rows):
        return ""
    n, few = len(x), min(len(x), SAMPLE)
    usual = np.median(sizes(x.take(np.arange(few) * n // few)), axis=0)
    own = sizes(x.take(rows))
    times = np.divide(own, usual, out=np.zeros_like(own), where=usual > 0).max(axis=1)
    large = int(np.count_nonzero(times > TIMES))
    if not large:
        return ""
    first = int(np.argmax(times))
    more = f", and {large - 1:,} more are too large" if large > 1 else ""
    return (
        f"the vector of {x.ids[rows[first]]} is {times[first]:.0e} times as large as most (largest"
        f" number {own[first].max():.2g}){more}; beside it all others look alike: mend it, or leave"
        " it out with --exclude"
    )
