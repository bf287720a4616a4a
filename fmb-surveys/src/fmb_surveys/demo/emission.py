"""Nebular emission lines: where they are and how bright they are for given stars."""

import numpy as np

from fmb import Array
from fmb_surveys.demo.dust import attenuation_curve

__all__ = ["LINES_AA", "LINE_NAMES", "nebular_lines", "old_star_lines"]

# Vacuum wavelengths, Angstrom (NIST Atomic Spectra Database).
_LINES = {
    "[O II] 3727": 3727.09,
    "[O II] 3730": 3729.88,
    "[Ne III] 3870": 3869.86,
    "H-epsilon": 3971.20,
    "H-delta": 4102.89,
    "H-gamma": 4341.68,
    "H-beta": 4862.68,
    "[O III] 4960": 4960.30,
    "[O III] 5008": 5008.24,
    "He I 5877": 5877.25,
    "[O I] 6302": 6302.05,
    "[N II] 6550": 6549.85,
    "H-alpha": 6564.61,
    "[N II] 6585": 6585.28,
    "[S II] 6718": 6718.29,
    "[S II] 6733": 6732.67,
    "[S III] 9071": 9071.1,
    "[S III] 9533": 9533.2,
    "Paschen-beta": 12821.6,
}
LINE_NAMES = tuple(_LINES)
LINES_AA = np.array(list(_LINES.values()))

_SOLAR_ERG_S = 3.828e33


def nebular_lines(sfr: Array, oh12: Array, a_v: Array, excitation: Array) -> Array:
    """Line luminosities of star-forming gas, after its own dust.

    Args:
        sfr: (n,) solar masses a year.
        oh12: (n,) oxygen abundance 12 + log(O/H).
        a_v: (n,) attenuation of the gas, magnitudes in V.
        excitation: (n,) offset of log([O III]/H-beta) from the star-forming sequence, dex.

    Returns:
        (n, lines) erg/s, in the order of `LINES_AA`.

    Source: H-alpha from Kennicutt & Evans 2012, table 1; Balmer ratios of case B at 10^4 K;
    [N II] from Pettini & Pagel 2004, eq. 1; [O III] from the sequence of Kewley et al. 2013, eq. 1
    at z = 0; [S II], [O II], [Ne III] as mean ratios of SDSS galaxies.
    """
    h_alpha = 0.7 * sfr / 5.37e-42  # dust inside the nebulae takes 30 % of the ionising light
    ratios = _ratios(oh12, excitation)
    shape = np.stack([ratios[name] for name in LINE_NAMES], axis=1)
    dust = 10 ** (-0.4 * a_v[:, None] * attenuation_curve(LINES_AA)[None, :])
    return np.asarray(h_alpha[:, None] * shape * dust)


def _ratios(oh12: Array, excitation: Array) -> dict[str, Array]:
    """Line -> (n,) flux relative to H-alpha, without dust."""
    log_n2 = (oh12 - 8.90) / 0.57
    o3 = 10 ** (0.61 / (np.minimum(log_n2, -0.20) + 0.08 - 0.25) + 1.10 + excitation)
    o3 = np.minimum(o3, 6.5)
    s2 = 10 ** (-0.48 + 0.25 * (log_n2 + 0.6))
    o2 = 3.0 * 10 ** (-0.45 * np.clip(oh12 - 8.5, -0.6, 0.6))
    beta = np.ones_like(oh12) / 2.86
    return {
        "[O II] 3727": o2 * beta * 0.43,
        "[O II] 3730": o2 * beta * 0.57,
        "[Ne III] 3870": 0.08 * o3 * beta,
        "H-epsilon": 0.159 * beta,
        "H-delta": 0.259 * beta,
        "H-gamma": 0.468 * beta,
        "H-beta": beta,
        "[O III] 4960": o3 * beta / 2.98,
        "[O III] 5008": o3 * beta,
        "He I 5877": 0.12 * beta,
        "[O I] 6302": 0.10 * beta,
        "[N II] 6550": 10**log_n2 / 3.05,
        "H-alpha": np.ones_like(oh12),
        "[N II] 6585": 10**log_n2,
        "[S II] 6718": 0.57 * s2,
        "[S II] 6733": 0.43 * s2,
        "[S III] 9071": 0.25 * beta,
        "[S III] 9533": 0.62 * beta,
        "Paschen-beta": 0.162 * beta,
    }


def old_star_lines(mass: Array, strength: Array) -> Array:
    """Faint lines of gas lit by old stars, about 1 Angstrom of H-alpha for strength 1.

    Args:
        mass: (n,) solar masses formed in old stars.
        strength: (n,) 0 = no gas.

    Returns:
        (n, lines) erg/s, in the order of `LINES_AA`.

    Source: ratios of LINER-like galaxies, Yan & Blanton 2012, ApJ 747, 61; 1 Angstrom of a
    continuum of 2e-5 solar luminosities per Angstrom and solar mass.
    """
    ratios = dict.fromkeys(LINE_NAMES, 0.0) | {
        "[O II] 3727": 0.7,
        "[O II] 3730": 0.9,
        "H-beta": 0.35,
        "[O III] 4960": 0.23,
        "[O III] 5008": 0.7,
        "[O I] 6302": 0.25,
        "[N II] 6550": 0.4,
        "H-alpha": 1.0,
        "[N II] 6585": 1.2,
        "[S II] 6718": 0.6,
        "[S II] 6733": 0.5,
    }
    h_alpha = strength * mass * 2e-5 * _SOLAR_ERG_S
    return np.asarray(h_alpha[:, None] * np.array([ratios[name] for name in LINE_NAMES]))
