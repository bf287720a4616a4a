"""Broad-line active nucleus: lines and power law in the spectrum, a point in the image."""

import numpy as np

from fmb_surveys.planting.canvas import Ellipse
from fmb_surveys.planting.fibre import spot_share
from fmb_surveys.planting.lightmap import blurred_ellipse
from fmb_surveys.planting.lines import BALMER_BROAD, gaussian_line
from fmb_surveys.planting.photometry import ujy_from_flambda
from fmb_surveys.planting.target import Spectrum, Target

__all__ = ["plant_agn", "power_law_share"]

_SLOPE = -1.54
"""Power of the wavelength in f_lambda (Vanden Berk et al. 2001, section 4.1)."""
_EW_AA = (15.0, 100.0)
_SHARES = (0.05, 0.50)


def power_law_share(h_alpha_ew_aa: float) -> float:
    """Share of the power law in the light at 5100 Angstrom: 5 to 50 % as the lines grow."""
    growth = np.log(h_alpha_ew_aa / _EW_AA[0]) / np.log(_EW_AA[1] / _EW_AA[0])
    return float(_SHARES[0] * (_SHARES[1] / _SHARES[0]) ** growth)


def plant_agn(target: Target, h_alpha_ew_aa: float, rng: np.random.Generator) -> None:
    """Add broad Balmer lines of 2000-8000 km/s, a power law, and the same light as a point.

    Spectra without images need no flux scale: all is measured by the host's continuum.

    Args:
        target: changed in place; its images take the point of the first spectrum.
        h_alpha_ew_aa: rest equivalent width of H-alpha over host and power law together.
        rng: width of the lines and noise.
    """
    fwhm_km_s = rng.uniform(2000.0, 8000.0)
    share = power_law_share(h_alpha_ew_aa)
    spectra = list(target.spectra.values())
    heights = [
        _plant_spectrum(s, target.redshift, h_alpha_ew_aa, share, fwhm_km_s, rng) for s in spectra
    ]
    pivot = 5100.0 * (1 + target.redshift)
    # The fibre catches only part of a point's light; the image has all of it.
    caught = float(spot_share(np.zeros(1), np.zeros(1))[0])
    for cutouts in target.images.values():
        wave = cutouts.wavelengths()
        all_light = heights[0] * spectra[0].in_flambda() / caught
        ujy = np.asarray(ujy_from_flambda(all_light * (wave / pivot) ** _SLOPE, wave))
        point = blurred_ellipse(cutouts, Ellipse(0.0, 0.0, 0.0, 0.5, 1.0, 0.0))
        cutouts.add_light(point * ujy[:, None, None] / cutouts.in_ujy(), rng)


def _plant_spectrum(
    spectrum: Spectrum,
    redshift: float,
    h_alpha_ew_aa: float,
    share: float,
    fwhm_km_s: float,
    rng: np.random.Generator,
) -> float:
    """Power law at rest 5100 Angstrom that was added, in the spectrum's unit."""
    wave = spectrum.wavelength_aa
    pivot = 5100.0 * (1 + redshift)
    height = spectrum.continuum(pivot) * share / (1 - share)
    law = height * (wave / pivot) ** _SLOPE
    centre = 6564.6 * (1 + redshift)
    below = spectrum.continuum(centre) + height * (centre / pivot) ** _SLOPE
    h_alpha = h_alpha_ew_aa * (1 + redshift) * below
    sigma = fwhm_km_s / np.sqrt(8 * np.log(2))
    lines = [
        gaussian_line(wave, aa * (1 + redshift), ratio * h_alpha, sigma)
        for aa, ratio in BALMER_BROAD
    ]
    spectrum.add_light(law + np.sum(lines, axis=0), rng)
    return height
