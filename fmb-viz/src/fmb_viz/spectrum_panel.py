"""One spectrum in one panel: flux, its error, a smoothed line, lost pixels and known lines."""

from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.patheffects import Normal, withStroke

from fmb_viz.line_marks import mark_lines
from fmb_viz.page import PLAIN_LINE, set_ticks
from fmb_viz.palette import BLUE, GREY, INK, NO_DATA, PALE_BLUE, PAPER, RULE
from fmb_viz.trace import Trace, smooth
from fmb_viz.typeset import font, text_style, unit_text, wrap

__all__ = ["draw_spectrum", "flux_limits"]

Array = npt.NDArray[Any]

_TRUSTED = 0.05
"""Pixels with less than this part of the median ivar do not set the limits of the flux axis."""
_LABEL_IN = 1.75
"""Longest label of the flux axis in one line; it may reach beyond the axis."""


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
    panel: Axes,
    spectrum: Trace,
    *,
    unit: str,
    calibrated: bool,
    instrument: str,
    fwhm_aa: float,
    redshift: float | None,
) -> None:
    """Draw a spectrum with at least one good pixel.

    Args:
        panel: empty axes; names of lines are written above it.
        spectrum: what to draw.
        unit: of the flux.
        calibrated: False prints that the level of the flux means nothing.
        instrument: printed in the corner.
        fwhm_aa: width of the smoothing, Angstrom; 0 = none.
        redshift: where to mark lines; None = nowhere.
    """
    x = spectrum.wavelength_aa
    line = smooth(spectrum, fwhm_aa) if fwhm_aa > 0.0 else spectrum.flux
    panel.set_xlim(*_wavelength_limits(x))
    panel.set_ylim(*flux_limits(spectrum, line))
    _draw_flux(panel, spectrum, line, smoothed=line is not spectrum.flux)
    _mark_lost(panel, spectrum)
    set_ticks(panel, "x")
    set_ticks(panel, "y", most=4)
    panel.set_xlabel("wavelength (Å)", labelpad=1.0, **text_style(font()))
    _name(panel, instrument, f"flux ({unit_text(unit)}{'' if calibrated else ', not calibrated'})")
    if redshift is not None:
        mark_lines(panel, redshift)


def _mark_lost(panel: Axes, spectrum: Trace) -> None:
    x = spectrum.wavelength_aa
    panel.fill_between(
        x,
        0.0,
        0.035,
        where=np.isfinite(x) & ~spectrum.good,
        step="mid",
        transform=panel.get_xaxis_transform(),
        color=NO_DATA[0],
        linewidth=0.0,
        gid="no-data",
    )


def _name(panel: Axes, instrument: str, flux: str) -> None:
    label = wrap([flux], _LABEL_IN, font())
    panel.set_ylabel("\n".join(label), labelpad=2.0, **text_style(font()))
    panel.text(
        0.012,
        0.95,
        instrument,
        va="top",
        ha="left",
        transform=panel.transAxes,
        path_effects=[withStroke(linewidth=1.6, foreground=PAPER), Normal()],
        zorder=4.0,
        **text_style(font()),
    )


def _wavelength_limits(x: Array) -> tuple[float, float]:
    low, high = float(np.nanmin(x)), float(np.nanmax(x))
    return (low, high) if high > low else (low - 1.0, high + 1.0)


def _draw_flux(panel: Axes, spectrum: Trace, line: Array, *, smoothed: bool) -> None:
    x = spectrum.wavelength_aa
    low, high = panel.get_ylim()
    if low < 0.0 < high:
        panel.axhline(0.0, color=RULE, linewidth=0.6, linestyle="-", zorder=0.5, **PLAIN_LINE)
    if spectrum.error is not None:
        panel.fill_between(
            x,
            line - spectrum.error,
            line + spectrum.error,
            color=PALE_BLUE,
            alpha=0.7,
            linewidth=0.0,
            zorder=1.7,
            rasterized=True,
            gid="error",
        )
    colour, width = (GREY, 0.35) if smoothed else (INK, 0.5)
    panel.plot(
        x,
        spectrum.flux,
        color=colour,
        linewidth=width,
        linestyle="-",
        zorder=1.5,
        rasterized=True,
        gid="raw",
        **PLAIN_LINE,
    )
    if smoothed:
        panel.plot(
            x,
            line,
            color=BLUE,
            linewidth=0.7,
            linestyle="-",
            zorder=2.0,
            gid="smoothed",
            **PLAIN_LINE,
        )
