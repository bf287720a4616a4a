"""Distances and ages in a flat universe with matter and a cosmological constant."""

from functools import lru_cache

import numpy as np
import numpy.typing as npt

from fmb import Array

__all__ = ["H0_KM_S_MPC", "OMEGA_M", "age_gyr", "kpc_per_arcsec", "luminosity_distance_mpc"]

H0_KM_S_MPC = 70.0
OMEGA_M = 0.3

_LIGHT_KM_S = 299792.458
_HUBBLE_TIME_GYR = 977.792 / H0_KM_S_MPC
_Z_MAX = 8.0


@lru_cache(maxsize=1)
def _table() -> tuple[Array, Array]:
    """Redshifts and comoving distances in Mpc, by the trapezium rule."""
    z = np.linspace(0.0, _Z_MAX, 16001)
    inverse = 1.0 / np.sqrt(OMEGA_M * (1 + z) ** 3 + 1 - OMEGA_M)
    steps = 0.5 * (inverse[1:] + inverse[:-1]) * np.diff(z)
    return z, _LIGHT_KM_S / H0_KM_S_MPC * np.concatenate([[0.0], np.cumsum(steps)])


def luminosity_distance_mpc(redshift: npt.ArrayLike) -> Array:
    """Luminosity distance in Mpc for redshifts up to 8, the shape of `redshift`.

    Source: Hogg 1999, astro-ph/9905116, eqs. 15 and 21.
    """
    z = np.asarray(redshift, dtype=np.float64)
    return np.asarray(np.interp(z, *_table()) * (1 + z))


def kpc_per_arcsec(redshift: npt.ArrayLike) -> Array:
    """Proper transverse kpc under one arcsec (Hogg 1999, eq. 18)."""
    z = np.asarray(redshift, dtype=np.float64)
    return np.asarray(luminosity_distance_mpc(z) / (1 + z) ** 2 * 1000.0 * np.pi / 648000.0)


def age_gyr(redshift: npt.ArrayLike) -> Array:
    """Age of the universe in Gyr (closed form for a flat universe; Peebles 1993, eq. 13.20)."""
    z = np.asarray(redshift, dtype=np.float64)
    dark = 1.0 - OMEGA_M
    ratio = np.sqrt(dark / OMEGA_M) * (1 + z) ** -1.5
    return np.asarray(_HUBBLE_TIME_GYR * 2.0 / (3.0 * np.sqrt(dark)) * np.arcsinh(ratio))
