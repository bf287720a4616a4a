"""Spectra of stars by temperature: black bodies with the absorption that galaxies show."""

from functools import lru_cache

import numpy as np

from fmb import Array

__all__ = ["LN_STEP", "WAVELENGTH_AA", "star_spectrum"]

LN_STEP = 2e-4
"""Logarithmic pixel of the rest-frame grid: 60 km/s."""
WAVELENGTH_AA = np.exp(np.arange(np.log(1650.0), np.log(25000.0), LN_STEP))
"""Rest-frame grid of all stellar spectra, Angstrom."""

_HC_OVER_K_AA = 1.43877688e8
"""h c / k in Angstrom K (CODATA 2018)."""

# Lick/IDS index bands (Worthey et al. 1994, ApJS 94, 687) and the strong lines around them: centre
# and width in Angstrom, central depth in a solar-metallicity giant of 4500 K, and the temperature
# at which the feature has faded to half.
_METAL_LINES = (
    (3834.0, 12.0, 0.30, 6200.0),  # Mg I, Fe I
    (3860.0, 24.0, 0.30, 5300.0),  # CN
    (3933.7, 7.0, 0.80, 7600.0),  # Ca II K
    (3968.5, 7.0, 0.75, 7600.0),  # Ca II H
    (4226.7, 4.0, 0.35, 4700.0),  # Ca I
    (4304.0, 11.0, 0.33, 5900.0),  # G band (CH)
    (4383.5, 7.0, 0.22, 5800.0),  # Fe I
    (4531.0, 10.0, 0.13, 5500.0),
    (4668.0, 14.0, 0.12, 5300.0),  # C2
    (5015.0, 14.0, 0.12, 5500.0),
    (5110.0, 35.0, 0.10, 5000.0),  # MgH
    (5175.0, 12.0, 0.26, 5400.0),  # Mg b
    (5270.0, 8.0, 0.18, 5600.0),
    (5335.0, 7.0, 0.15, 5500.0),
    (5406.0, 6.0, 0.10, 5300.0),
    (5709.0, 5.0, 0.06, 5200.0),
    (5782.0, 5.0, 0.06, 5200.0),
    (5892.5, 5.0, 0.30, 4900.0),  # Na D
    (6162.0, 8.0, 0.08, 5000.0),
    (6497.0, 8.0, 0.10, 5200.0),
    (8498.0, 4.0, 0.22, 7000.0),  # Ca II triplet
    (8542.1, 5.0, 0.35, 7000.0),
    (8662.1, 5.0, 0.30, 7000.0),
)
# Heads of TiO bands: sharp on the blue side, fading to the red over the given width.
_TIO_HEADS = (
    (4954.0, 90.0, 0.30),
    (5167.0, 110.0, 0.30),
    (5448.0, 110.0, 0.22),
    (5847.0, 120.0, 0.30),
    (6158.0, 160.0, 0.35),
    (6651.0, 130.0, 0.30),
    (7053.0, 180.0, 0.45),
    (7589.0, 150.0, 0.40),
    (8432.0, 150.0, 0.35),
)


def star_spectrum(teff_k: float, metal: float) -> Array:
    """Spectrum of a star with unit bolometric flux.

    Args:
        teff_k: effective temperature, 2500-50000 K.
        metal: strength of the metal absorption, 1 = solar.

    Returns:
        (pixels,) float64 on `WAVELENGTH_AA`; flux per Angstrom, unit integral over all
        wavelengths before absorption.

    Source: Planck's law with the absorption of Worthey et al. 1994 (bands) and the temperature
    behaviour of the Balmer lines and of the Balmer jump in Gray & Corbally, Stellar Spectral
    Classification (2009). Strengths are set by eye on colours and on the 4000 Angstrom break.
    """
    # Between the jumps hydrogen makes warm stars bluer than a black body of their temperature.
    nodes = np.log([4500.0, 5500.0, 6500.0, 7500.0, 9500.0, 15000.0, 25000.0, 50000.0])
    excess = [0.0, 0.10, 0.15, 0.30, 0.55, 0.45, 0.20, 0.10]
    colour_k = teff_k * (1.0 + float(np.interp(np.log(teff_k), nodes, excess)))
    x = _HC_OVER_K_AA / (WAVELENGTH_AA * colour_k)
    # B_lambda = (15 / pi^4) x^4 / (e^x - 1) / lambda, normalised by its integral over lambda.
    planck = 15.0 / np.pi**4 * x**4 / np.expm1(np.minimum(x, 500.0)) / WAVELENGTH_AA
    depth = _blanketing(teff_k, metal) + _metal_lines(teff_k, metal) + _tio(teff_k)
    depth += _balmer(teff_k) - np.log(_h_minus_bump(teff_k))
    return np.asarray(planck * np.exp(-depth))


def _fade(teff_k: float, half_k: float) -> float:
    """1 for cool stars, one half at `half_k`, 0 for hot ones."""
    return float(1.0 / (1.0 + (teff_k / half_k) ** 12))


def _blanketing(teff_k: float, metal: float) -> Array:
    """Optical depth of crowded metal lines: a step at 4000 Angstrom and a rise to the blue."""
    wave = WAVELENGTH_AA
    step = 0.46 * _below(3985.0, 28.0)
    rise = 0.0 * np.clip((5600.0 / wave) ** 2 - 1.0, 0.0, None)
    cool = _fade(teff_k, 5900.0)
    return np.asarray(metal**0.4 * cool * (step + rise + 0.9 * _below(2640.0, 25.0) + _forest()))


def _below(edge_aa: float, width_aa: float) -> Array:
    """1 bluewards of an edge and 0 redwards, with a smooth passage."""
    return np.asarray(0.5 - 0.5 * np.tanh((WAVELENGTH_AA - edge_aa) / (2.0 * width_aa)))


@lru_cache(maxsize=1)
def _forest() -> Array:
    """Weak lines between 3000 and 7000 Angstrom, the same in every star.

    Their places are drawn once from a fixed seed; only their crowding to the blue is real.
    """
    rng = np.random.default_rng(3933)
    centres = 3000.0 * (1.0 - rng.random(450) * (1.0 - (3.0 / 7.0) ** 2)) ** -0.5
    depths = rng.exponential(0.05, 450)
    widths = rng.uniform(1.2, 3.5, 450)
    total = np.zeros_like(WAVELENGTH_AA)
    for centre, depth, width in zip(centres, depths, widths, strict=True):
        near = slice(*np.searchsorted(WAVELENGTH_AA, (centre - 6 * width, centre + 6 * width)))
        total[near] += depth * np.exp(-0.5 * ((WAVELENGTH_AA[near] - centre) / width) ** 2)
    return np.asarray(total)


def _metal_lines(teff_k: float, metal: float) -> Array:
    total = np.zeros_like(WAVELENGTH_AA)
    for centre, width, depth, half_k in _METAL_LINES:
        # Relative to the strength at 4500 K, so that `depth` keeps its meaning.
        strength = metal**0.7 * _fade(teff_k, half_k) / _fade(4500.0, half_k)
        offset = (WAVELENGTH_AA - centre) / width
        total -= np.log1p(-min(depth * strength, 0.9) * np.exp(-0.5 * offset**2))
    return np.asarray(total)


def _tio(teff_k: float) -> Array:
    strength = 1.0 / (1.0 + np.exp((teff_k - 3750.0) / 130.0))
    total = np.zeros_like(WAVELENGTH_AA)
    for head, width, depth in _TIO_HEADS:
        past = WAVELENGTH_AA - head
        fall = np.exp(-np.clip(past, 0.0, None) / width)
        total += strength * depth * fall * (1.0 - _below(head, 6.0))
    return np.asarray(total)


def _balmer(teff_k: float) -> Array:
    """Balmer lines H-alpha to H14 and the Balmer jump, strongest near 9300 K."""
    wave = WAVELENGTH_AA
    strength = float(np.exp(-0.5 * (np.log10(teff_k / 9300.0) / 0.16) ** 2))
    wings = 4.0 + 6.0 * strength
    total = np.zeros_like(wave)
    for upper in range(3, 15):
        centre = 3646.0 * upper**2 / (upper**2 - 4.0)
        depth = (0.06 + 0.62 * strength) * min(1.0, (9.0 / upper) ** 1.5)
        profile = 1.0 / (1.0 + np.abs((wave - centre) / wings) ** 2.2)
        total -= np.log1p(-depth * profile)
    jump = 0.10 + 0.85 * float(np.exp(-0.5 * (np.log10(teff_k / 9500.0) / 0.20) ** 2))
    if teff_k < 5500.0:
        jump = 0.0
    return np.asarray(total + jump * _below(3690.0, 18.0))


def _h_minus_bump(teff_k: float) -> Array:
    """The minimum of the H- opacity at 1.6 micron, seen in cool stars."""
    strength = 0.75 * _fade(teff_k, 5200.0)
    return np.asarray(1.0 + strength * np.exp(-0.5 * ((WAVELENGTH_AA - 16400.0) / 2300.0) ** 2))
