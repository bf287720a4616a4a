"""Emission lines to plant: narrow ones of any redshift, broad ones of an active nucleus."""

import numpy as np

from fmb import Array

__all__ = ["BALMER_BROAD", "NARROW", "add_doublet", "gaussian_line"]

# Vacuum wavelengths (Angstrom, NIST) and fluxes relative to H-alpha of an ordinary star-forming
# galaxy (means of SDSS; Brinchmann et al. 2004).
NARROW = (
    (3728.8, 0.75),
    (4341.7, 0.15),
    (4862.7, 0.32),
    (4960.3, 0.12),
    (5008.2, 0.36),
    (6549.9, 0.12),
    (6564.6, 1.00),
    (6585.3, 0.36),
    (6718.3, 0.20),
    (6732.7, 0.15),
)
# The same for the broad lines of an active nucleus (Vanden Berk et al. 2001, table 2).
BALMER_BROAD = ((4102.9, 0.09), (4341.7, 0.16), (4862.7, 0.32), (6564.6, 1.00))

LSF_SIGMA_AA = 0.8
_LIGHT_KM_S = 299792.458


def gaussian_line(wavelength_aa: Array, centre_aa: float, flux: float, sigma_km_s: float) -> Array:
    """A line of given total flux, blurred by 0.8 Angstrom (sigma) of the spectrograph.

    Args:
        wavelength_aa: (pixels,).
        centre_aa: observed.
        flux: integral over wavelength.
        sigma_km_s: velocity dispersion.

    Returns:
        (pixels,) flux density.
    """
    sigma = float(np.hypot(centre_aa * sigma_km_s / _LIGHT_KM_S, LSF_SIGMA_AA))
    offset = np.clip((wavelength_aa - centre_aa) / sigma, -12.0, 12.0)
    return np.asarray(flux / (np.sqrt(2 * np.pi) * sigma) * np.exp(-0.5 * offset**2))


def add_doublet(wavelength_aa: Array, centre_aa: float, flux: float) -> Array:
    """The [O II] doublet 3727, 3730 of cold gas with a total flux; (pixels,) flux density."""
    half = 1.395 / 3728.8 * centre_aa
    return gaussian_line(wavelength_aa, centre_aa - half, 0.43 * flux, 60.0) + gaussian_line(
        wavelength_aa, centre_aa + half, 0.57 * flux, 60.0
    )
