"""Histograms of what surveys measured, one panel a number, one outline a survey."""

import math
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from fmb import Array
from fmb_viz.frame import Frame
from fmb_viz.lettering import Print
from fmb_viz.page import MARGIN_IN, Page
from fmb_viz.palette import BLUE, VERMILION
from fmb_viz.sheet import Pen, Sheet
from fmb_viz.survey.measured_columns import Measured

__all__ = ["bin_edges", "draw_histograms"]

BINS = 40
TAIL = 0.5
"""Percent of the objects of a survey that may lie beyond each end of an axis."""
COLUMNS = 3
_PENS = (Pen(BLUE, 1.0, 2.0, name="first"), Pen(VERMILION, 1.0, 2.1, name="second"))
_WIDE_IN, _HIGH_IN = 2.7, 1.6
_LEFT_IN, _ABOVE_IN, _BELOW_IN, _GAP_IN = 0.55, 0.24, 0.45, 0.25


def bin_edges(samples: Sequence[Array]) -> Array:
    """(BINS + 1,) edges from the least 0.5th to the greatest 99.5th percentile of the samples."""
    low = min(float(np.percentile(values, TAIL)) for values in samples)
    high = max(float(np.percentile(values, 100 - TAIL)) for values in samples)
    if low == high:
        low, high = low - 0.5, high + 0.5
    return np.linspace(low, high, BINS + 1)


def draw_histograms(
    surveys: Mapping[str, Mapping[str, Measured]], affines: Mapping[str, tuple[float, float]]
) -> Figure:
    """A page of all numbers that any of the surveys has.

    Args:
        surveys: name -> what it measured; one or two.
        affines: number -> (scale, offset) that brings the second survey onto the first.
    """
    names = list(dict.fromkeys(name for columns in surveys.values() for name in columns))
    rows = math.ceil(len(names) / COLUMNS)
    across, down = _LEFT_IN + _WIDE_IN + _GAP_IN, _ABOVE_IN + _HIGH_IN + _BELOW_IN
    width = 2 * MARGIN_IN + min(COLUMNS, max(2, len(names))) * across
    page = Page(
        (width, rows * down),
        title=" and ".join(surveys),
        subtitle="What was measured, before any run",
        notes=[],
        legend=list(_legend(list(surveys))),
    )
    sheet = Sheet(page.figure)
    for at, name in enumerate(names):
        row, column = divmod(at, COLUMNS)
        left = MARGIN_IN + column * across + _LEFT_IN
        frame = (left, page.body_top_in + row * down + _ABOVE_IN, _WIDE_IN, _HIGH_IN)
        samples = [columns.get(name) for columns in surveys.values()]
        _panel(sheet, frame, name, samples, affines.get(name))
    sheet.finish()
    return page.figure


def _legend(names: Sequence[str]) -> Iterator[str]:
    colours = ("blue", "orange")[: len(names)]
    shown = "; ".join(f"{colour}: {name}" for colour, name in zip(colours, names, strict=True))
    yield (
        f"{shown}. Share of the objects in each of {BINS} bins; up to {TAIL:g} % of a survey lie"
        " beyond each end."
    )
    yield (
        "Flux of a band: sum over the good pixels of an image; of a spectrum: its median good"
        " pixel."
    )
    if len(names) > 1:
        yield "Dashed: the second survey brought onto the first by the scale and offset above."


def _panel(
    sheet: Sheet,
    box: tuple[float, float, float, float],
    name: str,
    samples: Sequence[Measured | None],
    affine: tuple[float, float] | None,
) -> None:
    left, top, width, height = box
    lines = [(pen, one.values) for pen, one in zip(_PENS, samples, strict=False) if one is not None]
    if affine is not None and math.isfinite(affine[0]):
        pen, values = lines[-1]
        brought = Pen(pen.colour, 0.8, 1.9, (4.0, 2.5), "brought")
        lines.append((brought, affine[0] * values + affine[1]))
    edges = bin_edges([values for _, values in lines])
    shares = [np.histogram(values, edges)[0] / len(values) for _, values in lines]
    highest = max(1e-9, 1.05 * max(float(share.max()) for share in shares))
    frame = Frame(left, top, width, height, (edges[0], edges[-1]), (0.0, highest))
    for (pen, _), share in zip(lines, shares, strict=True):
        x, y = np.repeat(edges, 2)[1:-1], np.repeat(share, 2)
        sheet.line(np.column_stack([frame.across(x), frame.down(y)]), pen)
    frame.edge(sheet)
    frame.ticks(sheet)
    units = dict.fromkeys(one.unit for one in samples if one is not None and one.unit)
    told = f"{name}{f' [{chr(44).join(units)}]' if units else ''}"
    if affine is not None and math.isfinite(affine[0]):
        told += f": {affine[0]:.3g}, {affine[1]:+.3g}"
    sheet.write(Print(told, left, top - 0.06, along="bottom"))
