"""Point-spread functions: a Gaussian core with wider wings, from the width alone."""

from functools import lru_cache

import numpy as np

from fmb import Array

__all__ = ["PSF_WEIGHTS", "psf_sigmas", "psf_transform"]

PSF_WEIGHTS = np.array([0.82, 0.18])
"""Shares of the light in core and wings."""
_RATIOS = np.array([1.0, 2.2])


@lru_cache(maxsize=1)
def _core_per_fwhm() -> float:
    """Core sigma of the mixture of unit FWHM, by bisection on its half-light level."""
    low, high = 0.3, 0.5
    for _ in range(60):
        core = 0.5 * (low + high)
        height = PSF_WEIGHTS / (core * _RATIOS) ** 2
        half = float(np.sum(height * np.exp(-0.125 / (core * _RATIOS) ** 2)))
        low, high = (core, high) if half < 0.5 * height.sum() else (low, core)
    return core


def psf_sigmas(fwhm: float) -> Array:
    """(2,): sigmas of core and wings of a point-spread function of full width `fwhm`."""
    return np.asarray(fwhm * _core_per_fwhm() * _RATIOS)


def psf_transform(fwhm: float, wavenumber_squared: Array) -> Array:
    """Fourier transform of the point-spread function, 1 at zero.

    Args:
        fwhm: full width at half maximum, pixel included.
        wavenumber_squared: any shape; squared cycles per unit of `fwhm`.
    """
    variance = psf_sigmas(fwhm) ** 2
    k2 = np.asarray(wavenumber_squared)
    core, wings = (
        w * np.exp(k2 * np.float32(-2 * np.pi**2 * v))
        for w, v in zip(PSF_WEIGHTS, variance, strict=True)
    )
    return np.asarray(core + wings, dtype=np.float32)
