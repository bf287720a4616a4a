"""Measures of spectra: their noise, light, signal-to-noise ratio and lost pixels."""

import numpy as np

from fmb.contract.arrays import Array
from fmb.contract.inputs import Spectra
from fmb.measured.light import log_light

__all__ = ["SPECTRUM_ROLES", "measure_spectra"]

SPECTRUM_ROLES = ("noise", "light", "measured_snr", "masked")
"""In the order of the columns of `measure_spectra`."""
FEWEST = 8
"""Usable pixels below which nothing but their share is measured."""
MEDIAN_ERROR = float(np.sqrt(np.pi / 2))
"""Error of a median over that of a mean, of normal noise."""


def measure_spectra(spectra: Spectra) -> Array:
    """Measures of each spectrum, over its usable pixels.

    The columns are those of `SPECTRUM_ROLES`: logarithm of the noise, the median of 1/sqrt(ivar),
    in the unit of the flux; `log_light` of the median flux; that of the signal-to-noise ratio of a
    pixel, the median of flux sqrt(ivar), whose error is 1; the share of pixels that are masked,
    without a value or information. Where the survey gives no ivar the noise is that of
    neighbouring pixels, and the ratio the median flux over it.

    Returns:
        (n, 4), float64, in the order of the objects; NaN where it cannot be measured: fewer than
        8 pixels are usable.

    Source: noise without ivar: Stoehr et al. 2008, ASP Conf. 394, 505 (DER_SNR).
    """
    measured = np.full((len(spectra), len(SPECTRUM_ROLES)), np.nan)
    for row in range(len(spectra)):
        usable = np.isfinite(spectra.flux[row]) & ~spectra.mask[row]
        ivar = None if spectra.ivar is None else spectra.ivar[row].astype(np.float64)
        if ivar is not None:
            usable &= ivar > 0
        measured[row, 3] = 1 - usable.mean()
        if usable.sum() >= FEWEST:
            flux = spectra.flux[row, usable].astype(np.float64)
            measured[row, :3] = _measure(flux, None if ivar is None else ivar[usable])
    return measured


def _measure(flux: Array, ivar: Array | None) -> tuple[float, float, float]:
    """Noise, light and signal-to-noise ratio of usable pixels (m,), all of them logarithms."""
    level, nan = float(np.median(flux)), float("nan")
    if ivar is None:
        twice = 2 * flux[2:-2] - flux[:-4] - flux[4:]
        noise = 1.482602 / np.sqrt(6) * float(np.median(np.abs(twice)))
        snr = level / noise if noise else nan
    else:
        noise, snr = float(np.median(ivar**-0.5)), float(np.median(flux * np.sqrt(ivar)))
    light = log_light(level, MEDIAN_ERROR * noise / np.sqrt(len(flux)))
    return float(np.log10(noise)) if noise else nan, light, log_light(snr, 1.0)
