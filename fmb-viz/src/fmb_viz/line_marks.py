"""Marks of known lines in a spectrum, with names that do not overlap."""

from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection

from fmb_viz.lines import observed_lines
from fmb_viz.page import panel_width_in
from fmb_viz.palette import INK, VERMILION
from fmb_viz.typeset import SMALLEST_PT, font, text_style

__all__ = ["mark_lines", "spread"]

Array = npt.NDArray[Any]

_COLOUR = {True: VERMILION, False: INK}
"""Of emission and of absorption lines."""
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


def mark_lines(panel: Axes, redshift: float) -> None:
    """Draw common lines at a redshift through a panel and write their names above it."""
    low, high = panel.get_xlim()
    found = observed_lines(redshift, low, high)
    gap = (high - low) / panel_width_in(panel) * SMALLEST_PT * _NAME_PITCH / 72.0
    middles = np.array([float(np.mean(inside)) for _, inside in found])
    places = spread(middles, gap, low, high)
    for emission, dashes in ((True, (4, 2)), (False, (1, 2))):
        at = [aa for line, inside in found if line.emission is emission for aa in inside]
        marks = panel.vlines(
            at,
            0.0,
            1.0,
            transform=panel.get_xaxis_transform(),
            colors=_COLOUR[emission],
            linewidths=0.6,
            linestyles=(0.0, dashes),
            zorder=0.8,
        )
        marks.set_gid("emission" if emission else "absorption")
    leaders = LineCollection(
        [[(middle, 1.0), (place, 1.06)] for middle, place in zip(middles, places, strict=True)],
        transform=panel.get_xaxis_transform(),
        clip_on=False,
        colors=[_COLOUR[line.emission] for line, _ in found],
        linewidths=0.5,
        gid="leaders",
    )
    panel.add_collection(leaders, autolim=False)
    for (line, _), place in zip(found, places, strict=True):
        panel.text(
            place,
            1.07,
            line.name,
            rotation=90.0,
            ha="center",
            va="bottom",
            transform=panel.get_xaxis_transform(),
            **text_style(font(), _COLOUR[line.emission]),
        )
    panel.set_xlim(low, high)
