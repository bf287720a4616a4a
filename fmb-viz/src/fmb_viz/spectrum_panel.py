"""One spectrum in one panel: flux, its error, a smoothed line, lost pixels and known lines."""

from typing import Any

import numpy as np
import numpy.typing as npt
from fmb.data import Spectra
from matplotlib.axes import Axes
from matplotlib.patheffects import Normal, withStroke

from fmb_viz.lines import observed_lines
from fmb_viz.page import panel_width_in, set_ticks
from fmb_viz.palette import BLUE, GREY, INK, NO_DATA, PALE_BLUE, PAPER, RULE, VERMILION
from fmb_viz.typeset import SMALLEST_PT, font, text_style, unit_text, wrap

__all__ = ["Trace", "draw_spectrum", "flux_limits", "smooth", "spread", "trace"]

Array = npt.NDArray[Any]

_JUMP = 5.0
"""Neighbouring pixels farther apart than this many median steps are not joined."""
_TRUSTED = 0.05
"""Pixels with less than this part of the median ivar do not set the limits of the flux axis."""
_LABEL_IN = 1.75
"""Longest label of the flux axis in one line; it may reach beyond the axis."""


class Trace:
    """A spectrum ready to be drawn; arrays of equal length with NaN where lines must break.

    Args:
        wavelength_aa: (pixels,), float64, Angstrom; NaN where the grid has none.
        flux: (pixels,), float64; NaN where the pixel is bad.
        error: (pixels,), float64, same unit; NaN where bad; None when the survey gives no ivar.
    """

    def __init__(self, wavelength_aa: Array, flux: Array, error: Array | None) -> None:
        self.wavelength_aa = wavelength_aa
        self.flux = flux
        self.error = error

    @property
    def good(self) -> Array:
        """(pixels,), bool: a value is there."""
        return np.isfinite(self.flux)


def trace(spectra: Spectra, row: int) -> Trace:
    """The spectrum of one object, with breaks at bad pixels and at jumps of the grid.

    A pixel is bad when it is masked, not finite, without information (ivar 0) or at a wavelength
    that is not positive.
    """
    wavelength = np.array(spectra.wavelengths()[row], dtype=np.float64)
    wavelength[~(np.isfinite(wavelength) & (wavelength > 0.0))] = np.nan
    flux = np.array(spectra.flux[row], dtype=np.float64)
    bad = spectra.mask[row] | ~np.isfinite(flux) | ~np.isfinite(wavelength)
    error = None
    if spectra.ivar is not None:
        ivar = np.array(spectra.ivar[row], dtype=np.float64)
        bad |= ~(np.isfinite(ivar) & (ivar > 0.0))
        error = np.full(len(ivar), np.nan)
        error[~bad] = ivar[~bad] ** -0.5
    flux[bad] = np.nan
    steps = np.diff(wavelength)
    usable = steps[np.isfinite(steps)]
    if usable.size:
        after = np.flatnonzero(steps > _JUMP * np.median(usable)) + 1
        wavelength = np.insert(wavelength, after, np.nan)
        flux = np.insert(flux, after, np.nan)
        error = None if error is None else np.insert(error, after, np.nan)
    return Trace(wavelength, flux, error)


def smooth(spectrum: Trace, fwhm_aa: float) -> Array:
    """Flux averaged with a Gaussian, each good pixel weighted by its inverse variance.

    Args:
        spectrum: bad pixels carry no weight.
        fwhm_aa: full width at half maximum, Angstrom, taken at the median step of the grid.

    Returns:
        Shape (pixels,), float64, unit of the flux; NaN where the pixel is bad.
    """
    steps = np.diff(spectrum.wavelength_aa)
    width = fwhm_aa / 2.3548 / float(np.median(steps[np.isfinite(steps)]))
    reach = min(int(np.ceil(4.0 * width)), (len(spectrum.flux) - 1) // 2)
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / width) ** 2)
    weight = spectrum.good.astype(np.float64)
    if spectrum.error is not None:
        weight[spectrum.good] = spectrum.error[spectrum.good] ** -2.0
        weight /= weight.max()
    total = np.convolve(weight, kernel, mode="same")
    product = np.convolve(np.where(spectrum.good, spectrum.flux, 0.0) * weight, kernel, mode="same")
    smoothed = np.full(len(total), np.nan)
    smoothed[spectrum.good] = product[spectrum.good] / total[spectrum.good]
    return smoothed


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
        unit: of the flux, printed as it is.
        calibrated: False prints that the level of the flux means nothing.
        instrument: printed on the flux axis.
        fwhm_aa: width of the smoothing, Angstrom; 0 = none.
        redshift: where to mark lines; None = nowhere.
    """
    x = spectrum.wavelength_aa
    line = smooth(spectrum, fwhm_aa) if fwhm_aa > 0.0 and len(x) > 1 else spectrum.flux
    panel.set_xlim(*_wavelength_limits(x))
    panel.set_ylim(*flux_limits(spectrum, line))
    _draw_flux(panel, spectrum, line, smoothed=line is not spectrum.flux)
    lost = np.isfinite(x) & ~spectrum.good
    panel.fill_between(
        x,
        0.0,
        0.035,
        where=lost,
        step="mid",
        transform=panel.get_xaxis_transform(),
        color=NO_DATA[0],
        linewidth=0.0,
        gid="no-data",
    )
    set_ticks(panel, "x")
    set_ticks(panel, "y", most=4)
    panel.set_xlabel("wavelength (Å)", labelpad=1.0, **text_style(font()))
    _name(panel, instrument, f"flux ({unit_text(unit)}{'' if calibrated else ', not calibrated'})")
    if redshift is not None:
        _mark_lines(panel, redshift)


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
        panel.axhline(0.0, color=RULE, linewidth=0.6, linestyle="-", zorder=0.5)
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
    style: dict[str, Any] = {"linestyle": "-", "marker": "", "solid_joinstyle": "round"}
    colour, width = (GREY, 0.35) if smoothed else (INK, 0.5)
    panel.plot(
        x,
        spectrum.flux,
        color=colour,
        linewidth=width,
        zorder=1.5,
        rasterized=True,
        gid="raw",
        **style,
    )
    if smoothed:
        panel.plot(x, line, color=BLUE, linewidth=0.7, zorder=2.0, gid="smoothed", **style)


def _mark_lines(panel: Axes, redshift: float) -> None:
    low, high = panel.get_xlim()
    found = observed_lines(redshift, low, high)
    width_in = panel_width_in(panel)
    gap = (high - low) / width_in * SMALLEST_PT * 1.25 / 72.0
    middles = np.array([float(np.mean(inside)) for _, inside in found])
    places = spread(middles, gap, low, high)
    for (line, inside), middle, place in zip(found, middles, places, strict=True):
        colour = VERMILION if line.emission else INK
        for aa in inside:
            panel.axvline(
                aa,
                color=colour,
                linewidth=0.6,
                linestyle=(0, (4, 2)) if line.emission else (0, (1, 2)),
                zorder=0.8,
                gid=f"line {line.name}",
            )
        panel.plot(
            [middle, place],
            [1.0, 1.06],
            transform=panel.get_xaxis_transform(),
            clip_on=False,
            color=colour,
            linewidth=0.5,
            linestyle="-",
            marker="",
            gid="leader",
        )
        panel.text(
            place,
            1.07,
            line.name,
            rotation=90.0,
            ha="center",
            va="bottom",
            transform=panel.get_xaxis_transform(),
            **text_style(font(), colour),
        )
