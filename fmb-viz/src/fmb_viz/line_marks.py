"""Marks of known lines in a spectrum, with names that do not overlap."""

from typing import Any

import numpy as np
import numpy.typing as npt

from fmb_viz.frame import Frame
from fmb_viz.lettering import Print
from fmb_viz.lines import observed_lines
from fmb_viz.palette import INK, VERMILION
from fmb_viz.sheet import Pen, Sheet
from fmb_viz.typeset import SMALLEST_PT

__all__ = ["mark_lines", "spread"]

Array = npt.NDArray[Any]

_COLOUR = {True: VERMILION, False: INK}
"""Of emission and of absorption lines."""
_MARK = {
    True: Pen(VERMILION, 0.6, 0.8, (4.0, 2.0), "emission"),
    False: Pen(INK, 0.6, 0.8, (1.0, 2.0), "absorption"),
}
_LEADER = {kind: Pen(colour, 0.5, 2.7, name="leaders") for kind, colour in _COLOUR.items()}
"""From the top of a mark to its name."""
_LEADER_IN = 0.07
_NAME_PITCH = 1.25
"""Distance of two names over the size of the type."""


def spread(at: Array, gap: float, low: float, high: float) -> Array:
    """Places for labels, at least `gap` apart and within limits, as near to `at` as can be.

    Args:
        at: (n,), ascending.
        gap: least distance; less where n labels do not fit.
        low: smallest place.
        high: largest place.

    Returns:
        Shape (n,), ascending; the least-squares solution before the limits are applied.
    """
    n = len(at)
    gap = min(gap, (high - low) / max(n - 1, 1))
    blocks: list[tuple[float, int]] = []  # pool adjacent violators of at - i * gap
    for value in at - gap * np.arange(n):
        mean, count = float(value), 1
        while blocks and blocks[-1][0] > mean:
            before, members = blocks.pop()
            mean = (mean * count + before * members) / (count + members)
            count += members
        blocks.append((mean, count))
    flat = np.array([mean for mean, count in blocks for _ in range(count)])
    return np.asarray(np.clip(flat, low, high - gap * (n - 1)) + gap * np.arange(n))


def mark_lines(sheet: Sheet, frame: Frame, redshift: float) -> None:
    """Draw common lines at a redshift through a panel and write their names above it."""
    low, high = frame.x
    found = observed_lines(redshift, low, high)
    gap = SMALLEST_PT * _NAME_PITCH / 72.0
    middles = np.array([float(np.mean(frame.across(inside))) for _, inside in found])
    places = spread(middles, gap, frame.left, frame.left + frame.width)
    bottom, elbow = frame.top + frame.height, frame.top - _LEADER_IN
    for (line, inside), middle, place in zip(found, middles, places, strict=True):
        for at in frame.across(inside):
            sheet.line([(at, frame.top), (at, bottom)], _MARK[line.emission])
        sheet.line([(middle, frame.top), (place, elbow)], _LEADER[line.emission])
        name = Print(line.name, place, elbow - 0.01, "center", "bottom", upright=False)
        sheet.write(name, colour=_COLOUR[line.emission])
