"""Light of stars born together, by age: the basis every simulated galaxy is made of."""

from functools import lru_cache

import numpy as np

from fmb import Array
from fmb_surveys.demo.stars import star_spectrum

__all__ = ["AGES_GYR", "METALS", "basis", "surviving_fraction"]

AGES_GYR = np.array([0.003, 0.01, 0.03, 0.1, 0.3, 0.7, 1.5, 3.0, 6.0, 11.0])
METALS = (0.5, 1.5)
"""Strengths of metal absorption of the two families of the basis, 1 = solar."""

# Main sequence: mass (Msun), effective temperature (K), luminosity (Lsun).
# Source: Pecaut & Mamajek 2013, ApJS 208, 9, and its updated table of mean dwarfs.
_DWARFS = np.array(
    [
        (0.10, 2800.0, 8e-4),
        (0.20, 3200.0, 5e-3),
        (0.35, 3450.0, 1.6e-2),
        (0.50, 3750.0, 4e-2),
        (0.70, 4450.0, 0.16),
        (0.85, 5200.0, 0.45),
        (1.00, 5770.0, 1.0),
        (1.20, 6200.0, 2.1),
        (1.50, 7000.0, 5.5),
        (2.00, 8800.0, 20.0),
        (2.50, 10400.0, 45.0),
        (3.50, 13000.0, 150.0),
        (5.00, 16800.0, 650.0),
        (7.00, 20800.0, 2100.0),
        (10.0, 25500.0, 6800.0),
        (15.0, 30500.0, 2.2e4),
        (25.0, 37500.0, 9e4),
        (40.0, 43000.0, 2.5e5),
        (80.0, 48000.0, 9e5),
    ]
)

_LIGHT_PER_MASS = 1.6
"""Brings M/L in V to that of Bruzual & Charlot 2003 between 0.1 and 10 Gyr, within 30 %."""
_TEFF_K = np.geomspace(2600.0, 50000.0, 30)


@lru_cache(maxsize=1)
def basis() -> Array:
    """(2, 10, pixels): spectra per solar mass formed, by metal family and age.

    Unit: solar luminosities per Angstrom and solar mass formed, on `WAVELENGTH_AA`, float64.

    Source: Kroupa 2001 initial mass function on the dwarfs of Pecaut & Mamajek 2013, turn-off by
    lifetime = 10 Gyr M/L, giants as a share of the bolometric light (Maraston 2005, MNRAS 362,
    799, figure 3, smoothed by hand).
    """
    return np.array([[_population(float(age), metal) for age in AGES_GYR] for metal in METALS])


def surviving_fraction(age_gyr: Array) -> Array:
    """Share of the formed mass still in stars and remnants after `age_gyr`.

    Source: fit to Bruzual & Charlot 2003 for a Chabrier function, 0.05 ln(1 + t / 0.3 Myr).
    """
    return np.asarray(1.0 - 0.05 * np.log1p(age_gyr / 3e-4))


def _population(age_gyr: float, metal: float) -> Array:
    log_mass = np.linspace(np.log(0.1), np.log(80.0), 160)
    mass = np.exp(log_mass)
    table_mass, table_teff, table_lum = np.log(_DWARFS).T
    lum = np.exp(np.interp(log_mass, table_mass, table_lum))
    teff = np.exp(np.interp(log_mass, table_mass, table_teff))
    number = np.where(mass < 0.5, 2.0 * mass**-1.3, mass**-2.3)
    number /= np.sum(number * mass**2)  # per unit mass; mass^2 because the grid is in ln(mass)
    lifetime_gyr = 10.0 * mass / lum + 0.003
    light = number * mass * lum * np.clip(1.5 - age_gyr / lifetime_gyr, 0.0, 1.0)
    # Dwarfs brighten and cool by a few per cent before they leave the main sequence.
    teff *= 1.0 - 0.06 * np.clip(age_gyr / lifetime_gyr, 0.0, 1.0)
    spectrum = _mix(teff, light, metal)
    share = _giant_share(age_gyr)
    giant_teff, giant_share = _giants(age_gyr, metal)
    return spectrum + float(light.sum()) * share / (1 - share) * _mix(
        giant_teff, giant_share, metal
    )


@lru_cache(maxsize=2)
def _library(metal: float) -> Array:
    return np.array([star_spectrum(float(teff), metal) for teff in _TEFF_K])


def _mix(teff_k: Array, light: Array, metal: float) -> Array:
    """Spectrum of stars of given temperatures and bolometric luminosities."""
    place = np.interp(np.log(teff_k), np.log(_TEFF_K), np.arange(len(_TEFF_K)))
    lower = np.minimum(place.astype(int), len(_TEFF_K) - 2)
    weights = np.bincount(lower, light * (1.0 - place + lower), minlength=len(_TEFF_K))
    weights += np.bincount(lower + 1, light * (place - lower), minlength=len(_TEFF_K))
    return np.asarray(weights @ _library(metal))


def _giant_share(age_gyr: float) -> float:
    """Share of the bolometric light given by evolved stars."""
    nodes = [-2.5, -2.0, -1.5, -1.0, -0.5, 0.0, 0.3, 0.8, 1.05]
    shares = [0.02, 0.15, 0.16, 0.15, 0.20, 0.36, 0.46, 0.60, 0.66]
    return float(np.interp(np.log10(age_gyr), nodes, shares))


def _giants(age_gyr: float, metal: float) -> tuple[Array, Array]:
    """Temperatures (K) of evolved stars and their shares of the light of all evolved stars."""
    shift = -120.0 * np.log2(metal)
    if age_gyr < 0.02:
        mix = np.array([(18000.0, 0.75), (3900.0, 0.25)])
    elif age_gyr < 0.6:
        mix = np.array([(8000.0, 0.4), (4700.0, 0.35), (3600.0, 0.25)])
    else:
        mix = np.array([(5150.0, 0.20), (4750.0, 0.34), (4200.0, 0.22), (3450.0, 0.24)])
    return mix[:, 0] + shift, mix[:, 1]
