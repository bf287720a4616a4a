"""Photometry of the simulated survey: fluxes in all eight bands with errors, beside the images."""

import numpy as np

from fmb import Array, Columns
from fmb_surveys.demo.bands import BANDS, EUCLID, LEGACY
from fmb_surveys.demo.sky import Cells, Plan

__all__ = ["PHOTOMETRY", "photometry"]

PHOTOMETRY = "phot"
"""Name of the input."""
_APERTURE_ARCSEC = 2.0
"""Diameter over which the noise of pixels is summed."""
_CALIBRATION = 0.02
"""Error of the flux scale, as a share of the flux."""


def photometry(plan: Plan, cells: Cells, flux_ujy: Array, seed: int) -> Columns:
    """Total fluxes of all rows of a survey as a catalogue of it would have them.

    Noise is that of the pixels of an aperture, at the depth of the cell, and 2 % of the flux. It is
    drawn from a stream of its own, a row after the other: a longer survey starts with the same.

    Args:
        plan: n rows of the survey.
        cells: conditions.
        flux_ujy: (galaxies, 3, 8) fluxes by component.
        seed: of the survey.
    """
    n_pixels = np.array(
        [
            np.pi * (0.5 * _APERTURE_ARCSEC / instrument.pixel_scale_arcsec) ** 2
            for instrument in (EUCLID, LEGACY)
            for _ in instrument.bands
        ]
    )
    sky = np.array([band.noise_ujy for band in BANDS]) * np.sqrt(n_pixels)
    depth = 10 ** (-0.4 * cells.depth_mag[plan.cell])
    total = flux_ujy.sum(axis=1)[plan.source]
    error = np.hypot(sky * depth[:, None], _CALIBRATION * total)
    drawn = np.random.default_rng([seed, 8]).normal(size=total.shape)
    return Columns(
        values=(total + error * drawn).astype(np.float32),
        errors=error.astype(np.float32),
        names=tuple(band.name for band in BANDS),
        units=("uJy",) * len(BANDS),
        wavelength_aa=tuple(round(band.effective_aa) * 1.0 for band in BANDS),
    )
