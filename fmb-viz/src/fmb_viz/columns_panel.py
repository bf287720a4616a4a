"""Photometry in one panel: the flux in each band at its wavelength, with its error."""

from dataclasses import replace

import numpy as np

from fmb import Array, Columns
from fmb_viz.axis_names import name_axes
from fmb_viz.frame import Frame, corners
from fmb_viz.palette import BLUE, GREY, RULE
from fmb_viz.sheet import Fill, Pen, Sheet
from fmb_viz.typeset import unit_text

__all__ = ["draw_columns", "drawable"]

_ROOM, _ABOVE = 0.08, 0.22
"""Of the range, free at each side of the points, and above them for the name."""
_DOT_IN = 0.035
"""Half the side of a point."""
_RULE, _BAR = Pen(RULE, 0.6, 0.5), Pen(GREY, 0.8, 1.9, name="errors")
_JOINED = Pen(GREY, 0.5, 1.5, (3.0, 3.0), "photometry")
_POINT = Fill(BLUE, 2.0, name="photometry")


def drawable(data: Columns) -> bool:
    """True where columns are fluxes of one unit in bands of known wavelength."""
    return bool(data.wavelength_aa) and len(set(data.units)) <= 1


def draw_columns(sheet: Sheet, box: Frame, data: Columns, row: int, name: str) -> None:
    """Draw the photometry of one object, which has a value.

    Args:
        sheet: the page.
        box: where; its axes are written around it.
        data: `drawable`.
        row: of the object.
        name: of the input; printed in the corner.
    """
    order = np.argsort(data.wavelength_aa, kind="stable")
    wave = np.array(data.wavelength_aa)[order]
    flux = data.values[row].astype(np.float64)[order]
    error = np.full(len(flux), np.nan)
    if data.errors is not None:
        error = data.errors[row].astype(np.float64)[order]
    known = np.isfinite(flux)
    reach = np.where(np.isfinite(error), error, 0.0)
    ends = np.concatenate([(flux - reach)[known], (flux + reach)[known]])
    frame = replace(box, x=_limits(wave), y=_limits(ends, _ABOVE))
    low, high = frame.y
    if low < 0.0 < high:
        zero = float(frame.down(0.0))
        sheet.line([(frame.left, zero), (frame.left + frame.width, zero)], _RULE)
    across, down = frame.across(wave), frame.down(flux)
    sheet.line(np.stack([across[known], down[known]], axis=1), _JOINED)
    for x, y, top, bottom in zip(
        across, down, frame.down(flux + error), frame.down(flux - error), strict=True
    ):
        if np.isfinite(top):
            sheet.line([(x, top), (x, bottom)], _BAR)
        if np.isfinite(y):
            sheet.area(corners(x - _DOT_IN, y - _DOT_IN, 2 * _DOT_IN, 2 * _DOT_IN), _POINT)
    frame.edge(sheet)
    unit = data.units[0] if data.units else ""
    flux = f"flux ({unit_text(unit)})" if unit else "value"
    name_axes(sheet, frame, name, flux, frame.ticks(sheet, across=4))


def _limits(values: Array, above: float = _ROOM) -> tuple[float, float]:
    low, high = float(values.min()), float(values.max())
    span = high - low or abs(high) or 1.0
    return low - _ROOM * span, high + above * span
