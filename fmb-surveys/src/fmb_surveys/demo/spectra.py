"""Noise-free spectra through the fibre: stars, gas and what leaks in from blends."""

import numpy as np

from fmb import Array
from fmb_surveys.demo.dust import milky_way_curve
from fmb_surveys.demo.galaxies import Galaxies
from fmb_surveys.demo.rendering import Scene
from fmb_surveys.demo.sky_spectrum import WAVELENGTH_AA
from fmb_surveys.demo.starlight import line_fluxes, stellar_flux
from fmb_surveys.demo.surroundings import background
from fmb_surveys.planting.fibre import ellipse_share, spot_share

__all__ = ["LSF_SIGMA_AA", "add_lines", "component_shares", "fibre_spectrum"]

LSF_SIGMA_AA = 0.75
"""Line-spread function of the spectrograph (R = 2000 at 3600 to 5000 at 9800 Angstrom)."""

_KM_S_PER_PIXEL = 60.0
_LIGHT_KM_S = 299792.458
_LENGTH = 5292  # 2^2 3^3 7^2: longer than any part of the grid that is seen, and quick to transform
_REACH = 6.0
_MW_CURVE = milky_way_curve(WAVELENGTH_AA).astype(np.float32)


def component_shares(galaxies: Galaxies) -> Array:
    """(n, 2): shares of the bulge's and of the disc's light inside the fibre."""
    bulge = ellipse_share(
        galaxies.bulge_re_arcsec, galaxies.bulge_sersic, galaxies.bulge_axis_ratio
    )
    disc = ellipse_share(galaxies.disc_re_arcsec, np.ones(len(galaxies)), galaxies.disc_axis_ratio)
    return np.stack([bulge, disc], axis=1)


def fibre_spectrum(scene: Scene, shares: Array) -> Array:
    """What arrives through the fibre, without noise.

    Args:
        scene: the object and its surroundings.
        shares: (2,) of `component_shares` for the target.

    Returns:
        (7781,), float32, 1e-17 erg/s/cm2/Angstrom on the common grid.
    """
    row, knots = scene.row, scene.knots
    clumped = float(scene.galaxies.clumpiness[row])
    in_knots = float(np.sum(knots.share * spot_share(knots.sigma, np.hypot(knots.x, knots.y))))
    young = (1.0 - clumped) * float(shares[1]) + clumped * in_knots
    flux = _galaxy(scene.galaxies, row, np.array([shares[0], shares[1], young]))
    for k in range(len(scene.blends.x)):
        flux += _leak(scene, k)
    extinction = np.float32(-0.4 * np.log(10.0) * scene.galaxies.light.ebv[row])
    return np.asarray(flux * np.exp(extinction * _MW_CURVE))


def _leak(scene: Scene, k: int) -> Array:
    """Light of blend `k` that the fibre catches."""
    other = scene.blends
    distance = float(np.hypot(other.x[k], other.y[k]))
    caught = ellipse_share(
        other.re[k : k + 1], other.sersic[k : k + 1], other.axis_ratio[k : k + 1], distance
    )[0]
    galaxies, fluxes = background()
    template = int(other.template[k])
    dimmed = float(other.flux_ujy[k, 0] / fluxes[template, 0])
    return _galaxy(galaxies, template, np.ones(3)) * np.float32(caught * dimmed)


def _galaxy(galaxies: Galaxies, row: int, shares: Array) -> Array:
    """Spectrum of the given shares of bulge, disc and young stars on the common grid."""
    wave, parts = stellar_flux(galaxies.light, row, (WAVELENGTH_AA[0], WAVELENGTH_AA[-1]))
    stars = shares.astype(np.float32) @ parts
    stars = _broaden(stars, float(galaxies.dispersion_km_s[row]))
    flux = np.interp(WAVELENGTH_AA, wave, stars).astype(np.float32)
    centres, lines = line_fluxes(galaxies.light, row)
    add_lines(flux, centres, shares @ lines, float(galaxies.gas_dispersion_km_s[row]))
    return flux


def _broaden(stars: Array, dispersion_km_s: float) -> Array:
    """Convolve with the velocity dispersion; the grid is even in velocity."""
    sigma = dispersion_km_s / _KM_S_PER_PIXEL
    frequency = np.arange(_LENGTH // 2 + 1, dtype=np.float32) / _LENGTH
    padded = np.concatenate([stars, np.full(_LENGTH - len(stars), stars[-1], dtype=np.float32)])
    kernel = np.exp(np.float32(-2 * (np.pi * sigma) ** 2) * frequency**2)
    return np.asarray(np.fft.irfft(np.fft.rfft(padded) * kernel, n=_LENGTH)[: len(stars)])


def add_lines(flux: Array, centres_aa: Array, fluxes: Array, sigma_km_s: float) -> None:
    """Add Gaussian emission lines to a spectrum on the common grid, in place.

    Args:
        flux: (7781,).
        centres_aa: (m,) observed.
        fluxes: (m,) in the unit of `flux` times Angstrom.
        sigma_km_s: velocity dispersion of the gas.
    """
    step = WAVELENGTH_AA[1] - WAVELENGTH_AA[0]
    for centre, total in zip(centres_aa, fluxes, strict=True):
        sigma = float(np.hypot(centre * sigma_km_s / _LIGHT_KM_S, LSF_SIGMA_AA))
        first = int((centre - _REACH * sigma - WAVELENGTH_AA[0]) / step)
        last = int((centre + _REACH * sigma - WAVELENGTH_AA[0]) / step) + 2
        if total <= 0 or last <= 0 or first >= len(flux):
            continue
        part = slice(max(first, 0), last)
        offset = (WAVELENGTH_AA[part] - centre) / sigma
        flux[part] += total / (np.sqrt(2 * np.pi) * sigma) * np.exp(-0.5 * offset**2)
