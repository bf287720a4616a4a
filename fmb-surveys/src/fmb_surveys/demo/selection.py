"""Which galaxies the survey holds: a magnitude-limited sample of a volume."""

from functools import lru_cache

import numpy as np

from fmb import Array
from fmb_surveys.demo.galaxies import Galaxies, draw_galaxies, join_galaxies
from fmb_surveys.demo.starlight import band_fluxes_ujy
from fmb_surveys.planting.cosmology import luminosity_distance_mpc

__all__ = ["MAG_RANGE", "REDSHIFT_RANGE", "magnitudes", "select_galaxies"]

REDSHIFT_RANGE = (0.03, 0.6)
MAG_RANGE = (17.5, 21.0)
"""Limits of the total magnitude in VIS."""

_BLOCK = 1024


def magnitudes(fluxes_ujy: Array) -> Array:
    """AB magnitudes of fluxes in microjansky."""
    return np.asarray(23.9 - 2.5 * np.log10(fluxes_ujy))


def select_galaxies(n: int, seed: int) -> tuple[Galaxies, Array]:
    """The first n galaxies of the survey of `seed`; a longer list starts with the same ones.

    Returns:
        The galaxies and their band fluxes by component, (n, 3, 8) microjansky.
    """
    kept: list[Galaxies] = []
    fluxes: list[Array] = []
    found = block = 0
    while found < n:
        rng = np.random.default_rng([seed, 1, block])
        redshift, logmass = _candidates(_BLOCK, rng)
        ebv = np.minimum(rng.gamma(2.0, 0.02, _BLOCK), 0.15)
        galaxies = draw_galaxies(redshift, logmass, ebv, rng)
        flux = band_fluxes_ujy(galaxies.light)
        mag = magnitudes(flux[:, :, 0].sum(1))
        good = np.flatnonzero((mag > MAG_RANGE[0]) & (mag < MAG_RANGE[1]))[: n - found]
        kept.append(galaxies.take(good))
        fluxes.append(flux[good])
        found += len(good)
        block += 1
    return join_galaxies(kept), np.concatenate(fluxes)


def _candidates(n: int, rng: np.random.Generator) -> tuple[Array, Array]:
    """Redshifts and log masses near those that pass the limits."""
    z, mass, cumulative = _density()
    cell = np.searchsorted(cumulative, rng.random(n))
    jitter = rng.random((2, n)) - 0.5
    return (
        z[cell // len(mass)] + jitter[0] * (z[1] - z[0]),
        mass[cell % len(mass)] + jitter[1] * (mass[1] - mass[0]),
    )


@lru_cache(maxsize=1)
def _density() -> tuple[Array, Array, Array]:
    """Grid of redshift and log mass and the cumulative number of objects over its cells.

    Source: volume times the mass function of Baldry et al. 2012 (GAMA), with the probability of
    a magnitude within the limits for a mass-to-light ratio near 1.6, and thinned by
    10^(-0.3 mag): targets of spectroscopic surveys are not as steep as the counts.
    """
    z = np.linspace(*REDSHIFT_RANGE, 116)[1:-1]
    mass = np.arange(7.8, 12.0, 0.05)
    distance = luminosity_distance_mpc(z)
    volume = (distance / (1 + z)) ** 2 / np.sqrt(0.3 * (1 + z) ** 3 + 0.7)
    x = 10 ** (mass - 10.66)
    schechter = np.exp(-x) * (3.96e-3 * x ** (-0.35 + 1) + 0.79e-3 * x ** (-1.47 + 1))
    mag = 4.55 - 2.5 * (mass[None, :] - 0.2) + 5 * np.log10(distance[:, None] * 1e5) + z[:, None]
    inside = 0.5 * (np.tanh((mag - MAG_RANGE[0]) / 0.7) - np.tanh((mag - MAG_RANGE[1]) / 0.7))
    density = volume[:, None] * schechter[None, :] * inside * 10 ** (-0.3 * mag)
    return z, mass, np.cumsum(density.ravel()) / density.sum()
