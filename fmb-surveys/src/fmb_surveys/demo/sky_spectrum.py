"""What the night sky does to a spectrum: its noise, its lines and what their removal leaves."""

from functools import lru_cache

import numpy as np

from fmb import Array
from fmb_surveys.planting.airglow import ATOMIC_AA, OH_AA

__all__ = ["WAVELENGTH_AA", "noise_curve", "residual_shapes"]

WAVELENGTH_AA = np.round(3600.0 + 0.8 * np.arange(7781), 4)
"""The common grid of DESI spectra, 3600-9824 Angstrom."""

# Strengths of the atomic lines relative to the sky continuum, at a moderate moon.
_ATOMIC_STRENGTHS = (16.0, 2.9, 1.6, 5.6, 1.9)
_LSF_AA = 0.85


@lru_cache(maxsize=1)
def _sky_lines() -> Array:
    """(7781,) air-glow lines in units of the sky continuum near 6500 Angstrom."""
    rng = np.random.default_rng(5577)
    oh = 5.6 * rng.lognormal(0.0, 0.7, len(OH_AA)) * (OH_AA / 8500.0) ** 3
    total = np.zeros_like(WAVELENGTH_AA)
    for centre, strength in zip([*ATOMIC_AA, *OH_AA], [*_ATOMIC_STRENGTHS, *oh], strict=True):
        total += strength * np.exp(-0.5 * ((WAVELENGTH_AA - centre) / _LSF_AA) ** 2)
    return total


@lru_cache(maxsize=1)
def noise_curve() -> tuple[Array, Array]:
    """Noise of an ordinary exposure.

    Returns:
        (7781,) one sigma of sky and detector in 1e-17 erg/s/cm2/Angstrom, 0.55 at 6500 Angstrom,
        and (7781,) flux of one unit of source noise: variance added per unit flux. float32.

    Source: shape after Guy et al. 2023, AJ 165, 144 (DESI pipeline), figure of the noise in the
    three arms: low throughput below 4000, dips where the arms meet, air glow in the red.
    """
    wave = WAVELENGTH_AA
    throughput = 1.0 - 0.80 * np.exp(-(wave - 3500.0) / 420.0)
    throughput *= 1.0 - 0.25 * np.exp(-0.5 * ((wave - 5790.0) / 45.0) ** 2)
    throughput *= 1.0 - 0.20 * np.exp(-0.5 * ((wave - 7570.0) / 60.0) ** 2)
    throughput *= 1.0 - 0.45 / (1.0 + np.exp(-(wave - 9650.0) / 90.0))
    arm = np.where(wave < 5790.0, 0.95, np.where(wave < 7570.0, 1.15, 1.05))
    photons = throughput * arm * wave / 6500.0
    sky = 1.0 + 0.25 * (wave > 7570.0) + _sky_lines()
    detector = 0.6
    sigma = np.sqrt(sky * photons + detector) / photons
    at_red = int(np.searchsorted(wave, 6500.0))
    sigma *= 0.55 / sigma[at_red]
    per_flux = 0.09 / photons
    return sigma.astype(np.float32), per_flux.astype(np.float32)


@lru_cache(maxsize=1)
def residual_shapes() -> Array:
    """(2, 7781): what poor sky removal leaves, for a line too strong and a line out of place.

    In units of the noise, so that one unit is one sigma on the strongest lines.
    """
    lines = _sky_lines()
    sigma, _ = noise_curve()
    strength = lines / sigma
    shift = np.gradient(lines, WAVELENGTH_AA) / sigma
    shapes = np.stack([strength / strength.max(), shift / np.abs(shift).max()])
    return np.asarray((shapes * sigma).astype(np.float32))
