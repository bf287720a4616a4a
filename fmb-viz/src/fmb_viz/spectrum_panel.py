"""One spectrum in one panel: flux, its error, a smoothed line, lost pixels and known lines."""

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from fmb_viz.axis_names import name_axes
from fmb_viz.curves import clipped, envelope, thinned
from fmb_viz.frame import Frame, corners
from fmb_viz.line_marks import mark_lines
from fmb_viz.palette import BLUE, GREY, INK, NO_DATA, PALE_BLUE, RULE
from fmb_viz.sheet import Fill, Pen, Sheet
from fmb_viz.trace import Trace, smooth
from fmb_viz.typeset import unit_text

__all__ = ["draw_spectrum", "flux_limits"]

Array = npt.NDArray[Any]

_TRUSTED = 0.05
"""Pixels with less than this part of the median ivar do not set the limits of the flux axis."""
_COLUMN_IN = 1.0 / 150.0
"""Nothing narrower can be seen: a pixel of the page."""
_RULE = Pen(RULE, 0.6, 0.5)
_RAW, _RAW_ALONE = Pen(GREY, 0.35, 1.5, name="raw"), Pen(INK, 0.5, 1.5, name="raw")
_SMOOTHED = Pen(BLUE, 0.6, 2.0, name="smoothed")
_ERROR = Fill(PALE_BLUE, 1.7, 0.7, "error")
_LOST = Fill(NO_DATA[0], 1.8, name="no-data")


def flux_limits(spectrum: Trace, line: Array) -> tuple[float, float]:
    """Limits of the flux axis: all of `line` where the error is not many times the usual one.

    The peak of a line stays inside, a useless edge of the detector does not set the scale.

    Args:
        spectrum: at least one good pixel.
        line: (pixels,), what the eye follows, usually the smoothed flux.
    """
    trusted = spectrum.good
    if spectrum.error is not None:
        usual = float(np.median(spectrum.error[trusted]))
        trusted = trusted & (np.nan_to_num(spectrum.error, nan=np.inf) <= usual * _TRUSTED**-0.5)
    low, high = float(line[trusted].min()), float(line[trusted].max())
    spread_of_raw = np.percentile(spectrum.flux[trusted], [2.0, 98.0])
    low, high = min(low, float(spread_of_raw[0])), max(high, float(spread_of_raw[1]))
    room = 0.06 * (high - low) or 0.1 * abs(high) or 1.0
    return low - room, high + room


def draw_spectrum(
    sheet: Sheet,
    box: Frame,
    spectrum: Trace,
    *,
    unit: str,
    calibrated: bool,
    name: str,
    fwhm_aa: float,
    redshift: float | None,
) -> None:
    """Draw a spectrum with at least one good pixel.

    Args:
        sheet: the page.
        box: where; its axes and the names of lines are written around it.
        spectrum: what to draw.
        unit: of the flux.
        calibrated: False prints that the level of the flux means nothing.
        name: of the instrument; printed in the corner.
        fwhm_aa: width of the smoothing, Angstrom; 0 = none.
        redshift: where to mark lines; None = nowhere.
    """
    x = spectrum.wavelength_aa
    line = smooth(spectrum, fwhm_aa) if fwhm_aa > 0.0 else spectrum.flux
    frame = replace(box, x=_wavelength_limits(x), y=flux_limits(spectrum, line))
    _draw_flux(sheet, frame, spectrum, line, smoothed=line is not spectrum.flux)
    _mark_lost(sheet, frame, spectrum)
    frame.edge(sheet)
    numbers_in = frame.ticks(sheet)
    flux = f"flux ({unit_text(unit)}{'' if calibrated else ', not calibrated'})"
    name_axes(sheet, frame, name, flux, numbers_in)
    if redshift is not None:
        mark_lines(sheet, frame, redshift)


def _mark_lost(sheet: Sheet, frame: Frame, spectrum: Trace) -> None:
    """Mark the pixels without a value at the foot, each from half way to its neighbours."""
    x = spectrum.wavelength_aa
    there = np.isfinite(x)
    x, lost = x[there], ~spectrum.good[there]
    between = 0.5 * (x[1:] + x[:-1])
    sides = np.concatenate([x[:1], between, x[-1:]])
    begins = np.flatnonzero(np.diff(lost, prepend=False) & lost)
    ends = np.flatnonzero(np.diff(lost, append=False) & lost)
    foot = 0.035 * frame.height
    for left, right in frame.across(np.stack([sides[begins], sides[ends + 1]], axis=1)):
        sheet.area(corners(left, frame.top + frame.height - foot, right - left, foot), _LOST)


def _wavelength_limits(x: Array) -> tuple[float, float]:
    low, high = float(np.nanmin(x)), float(np.nanmax(x))
    return (low, high) if high > low else (low - 1.0, high + 1.0)


def _draw_flux(sheet: Sheet, frame: Frame, spectrum: Trace, line: Array, *, smoothed: bool) -> None:
    x, (low, high) = frame.across(spectrum.wavelength_aa), frame.y
    top, bottom = frame.top, frame.top + frame.height
    if low < 0.0 < high:
        zero = float(frame.down(0.0))
        sheet.line([(frame.left, zero), (frame.left + frame.width, zero)], _RULE)
    if spectrum.error is not None:
        ends = (line + spectrum.error, line - spectrum.error)
        above, below = (np.clip(frame.down(end), top, bottom) for end in ends)
        for at, upper, lower in envelope(x, above, below, _COLUMN_IN):
            there, back = np.stack([at, upper], axis=1), np.stack([at, lower], axis=1)
            sheet.area(np.concatenate([there, back[::-1]]), _ERROR)
    drawn = [(spectrum.flux, _RAW if smoothed else _RAW_ALONE)]
    for flux, pen in drawn + [(line, _SMOOTHED)] * smoothed:
        curve = np.stack(thinned(x, frame.down(flux), _COLUMN_IN), axis=1)
        sheet.line(clipped(curve, top, bottom), pen)
