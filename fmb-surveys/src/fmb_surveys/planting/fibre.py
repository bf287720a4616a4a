"""How much of a source a spectroscopic fibre sees: 1.5 arcsec across, in 1 arcsec seeing."""

from functools import lru_cache

import numpy as np

from fmb import Array
from fmb_surveys.planting.sersic import bessel_j0, bessel_j1, sersic_transform

__all__ = ["FIBRE_RADIUS_ARCSEC", "SEEING_FWHM_ARCSEC", "ellipse_share", "spot_share"]

FIBRE_RADIUS_ARCSEC = 0.75
SEEING_FWHM_ARCSEC = 1.0

_N_ANGLES = 12


@lru_cache(maxsize=1)
def _aperture() -> tuple[Array, Array]:
    """Wavenumbers (cycles/arcsec) and weights: k dk times the transforms of fibre and seeing."""
    step = 0.03
    k = (np.arange(56) + 0.5) * step
    sigma = SEEING_FWHM_ARCSEC / np.sqrt(8 * np.log(2))
    disc = FIBRE_RADIUS_ARCSEC * bessel_j1(2 * np.pi * k * FIBRE_RADIUS_ARCSEC) / k
    return k, 2 * np.pi * k * step * disc * np.exp(-2 * (np.pi * sigma * k) ** 2)


def ellipse_share(
    re_arcsec: Array, sersic: Array, axis_ratio: Array, distance_arcsec: Array | float = 0.0
) -> Array:
    """Share of the light of Sersic galaxies inside the fibre.

    Args:
        re_arcsec: (n,) half-light radii along the major axis.
        sersic: (n,) indices.
        axis_ratio: (n,).
        distance_arcsec: (n,) or one number: of the galaxy from the fibre; the orientation is
            averaged over.

    Returns:
        (n,) between 0 and 1.

    Source: Parseval's theorem on profile, seeing and a round aperture.
    """
    k, weight = _aperture()
    angle = (np.arange(_N_ANGLES) + 0.5) * np.pi / _N_ANGLES
    stretch = np.sqrt(
        np.cos(angle) ** 2 + np.asarray(axis_ratio)[:, None] ** 2 * np.sin(angle) ** 2
    )
    away = np.broadcast_to(distance_arcsec, np.shape(re_arcsec))[:, None]
    at_distance = weight * bessel_j0(2 * np.pi * k * away)
    share = np.empty(len(re_arcsec))
    for row in range(len(re_arcsec)):
        at = k[:, None] * (float(re_arcsec[row]) * stretch[row])
        light = sersic_transform(float(sersic[row]), at).mean(1)
        share[row] = light @ at_distance[row]
    return share


def spot_share(sigma_arcsec: Array, distance_arcsec: Array) -> Array:
    """Share of the light of round Gaussian spots inside the fibre, (n,)."""
    k, weight = _aperture()
    light = np.exp(-2 * (np.pi * k[None, :] * np.asarray(sigma_arcsec)[:, None]) ** 2)
    place = bessel_j0(2 * np.pi * k[None, :] * np.asarray(distance_arcsec)[:, None])
    return np.asarray((light * place) @ weight)
