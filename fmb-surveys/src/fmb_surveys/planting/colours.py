"""Colours of planted light: those of the host, made bluer or redder."""

import numpy as np

from fmb import Array
from fmb_surveys.planting.target import Cutouts

__all__ = ["PIVOT_AA", "host_fluxes_ujy", "reference_band", "tilted"]

PIVOT_AA = 7000.0
"""Magnitudes of planted light are those near this wavelength."""

_APERTURE_ARCSEC = 2.5


def reference_band(cutouts: Cutouts) -> int:
    """The band nearest to 7000 Angstrom."""
    return int(np.argmin(np.abs(cutouts.wavelengths() - PIVOT_AA)))


def host_fluxes_ujy(cutouts: Cutouts) -> Array:
    """(bands,) flux of the host within 2.5 arcsec, microjansky, never below its noise."""
    n_pixels = np.pi * (_APERTURE_ARCSEC / cutouts.pixel_scale_arcsec) ** 2
    floor = [2.0 * cutouts.sigma(band) * np.sqrt(n_pixels) for band in range(len(cutouts.bands))]
    return np.maximum(cutouts.band_fluxes(_APERTURE_ARCSEC), floor) * cutouts.in_ujy()


def tilted(host_ujy: Array, cutouts: Cutouts, total_ujy: float, index: float) -> Array:
    """Fluxes with the host's colours times a power of the wavelength.

    Args:
        host_ujy: (bands,) of the host.
        cutouts: gives the wavelengths.
        total_ujy: flux in the band nearest to 7000 Angstrom.
        index: power of the wavelength; negative = bluer than the host.

    Returns:
        (bands,) microjansky.
    """
    wave = cutouts.wavelengths()
    at = reference_band(cutouts)
    ratio = host_ujy / host_ujy[at] * (wave / wave[at]) ** index
    return np.asarray(total_ujy * ratio)
