"""A spectrum cleaned for drawing: bad pixels and jumps break its lines, smoothing heeds both."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from fmb import Spectra

__all__ = ["Trace", "smooth", "trace"]

Array = npt.NDArray[Any]

_JUMP = 5.0
"""Neighbouring pixels farther apart than this many median steps are not joined."""


@dataclass(frozen=True, eq=False)
class Trace:
    """A spectrum ready to be drawn; arrays of equal length with NaN where lines must break."""

    wavelength_aa: Array
    """(pixels,), float64, Angstrom; NaN where the grid has none and at jumps of the grid."""
    flux: Array
    """(pixels,), float64; NaN where the pixel is bad."""
    error: Array | None
    """(pixels,), float64, unit of the flux; NaN where bad; None when the survey gives no ivar."""

    @property
    def good(self) -> Array:
        """(pixels,), bool: a value is there."""
        return np.isfinite(self.flux)

    @property
    def step_aa(self) -> float | None:
        """Median distance of good neighbours; None with fewer than two good pixels."""
        steps = np.diff(self.wavelength_aa[self.good])
        return float(np.median(steps)) if steps.size else None


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
    spectrum = Trace(wavelength, flux, error)
    if (step := spectrum.step_aa) is None:
        return spectrum
    after = np.flatnonzero(np.diff(wavelength) > _JUMP * step) + 1
    return Trace(
        np.insert(wavelength, after, np.nan),
        np.insert(flux, after, np.nan),
        None if error is None else np.insert(error, after, np.nan),
    )


def smooth(spectrum: Trace, fwhm_aa: float) -> Array:
    """Flux averaged with a Gaussian, each good pixel weighted by its inverse variance.

    Nothing is carried across a jump of the grid, for instance from one detector to the next.

    Args:
        spectrum: bad pixels carry no weight; with fewer than two good ones nothing is averaged.
        fwhm_aa: full width at half maximum, Angstrom, taken at the median step of the grid.

    Returns:
        Shape (pixels,), float64, unit of the flux; NaN where the pixel is bad.
    """
    if (step := spectrum.step_aa) is None:
        return spectrum.flux
    width = fwhm_aa / math.sqrt(8.0 * math.log(2.0)) / step
    weight = spectrum.good.astype(np.float64)
    if spectrum.error is not None:
        weight[spectrum.good] = spectrum.error[spectrum.good] ** -2.0
        weight /= weight.max()
    product = np.where(spectrum.good, spectrum.flux, 0.0) * weight
    jumps = np.flatnonzero(~np.isfinite(spectrum.wavelength_aa))
    smoothed = np.full(len(weight), np.nan)
    for part in np.split(np.arange(len(weight)), jumps):
        reach = min(math.ceil(4.0 * width), (len(part) - 1) // 2)
        kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / width) ** 2)
        good = part[spectrum.good[part]]
        if good.size:
            total = np.convolve(weight[part], kernel, mode="same")
            mean = np.convolve(product[part], kernel, mode="same")
            smoothed[good] = mean[good - part[0]] / total[good - part[0]]
    return smoothed
