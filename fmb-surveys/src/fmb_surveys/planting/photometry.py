"""What flux means in an input: wavelengths of bands and factors between units."""

import warnings
from functools import lru_cache

from fmb import Array, InputInfo

__all__ = [
    "BAND_AA",
    "band_wavelengths",
    "flambda_factor",
    "flambda_from_ujy",
    "ujy_factor",
    "ujy_from_flambda",
]

# Effective wavelengths in Angstrom, from the SVO Filter Profile Service (Rodrigo et al. 2012).
_FAMILIES = {
    "DES": {"G": 4770.0, "R": 6370.0, "I": 7770.0, "Z": 9160.0, "Y": 9890.0},
    "LS": {"G": 4720.0, "R": 6415.0, "I": 7835.0, "Z": 9260.0},
    "HSC": {"G": 4750.0, "R": 6170.0, "I": 7710.0, "Z": 8890.0, "Y": 9760.0},
    "SDSS": {"U": 3560.0, "G": 4720.0, "R": 6190.0, "I": 7500.0, "Z": 8960.0},
    "NISP": {"Y": 10850.0, "J": 13690.0, "H": 17720.0},
    "LSST": {"U": 3690.0, "G": 4800.0, "R": 6230.0, "I": 7540.0, "Z": 8690.0, "Y": 9740.0},
}
BAND_AA = {
    f"{family}-{band}": aa for family, bands in _FAMILIES.items() for band, aa in bands.items()
}
BAND_AA |= {"VIS": 7150.0, "F475W": 4750.0, "F606W": 5920.0, "F775W": 7690.0, "F814W": 8050.0}
"""Band name -> effective wavelength."""


def band_wavelengths(bands: tuple[str, ...]) -> list[float] | None:
    """Effective wavelengths in Angstrom, in the order of `bands`; None when one is not known."""
    known = [BAND_AA.get(band.upper().replace("_", "-")) for band in bands]
    return None if None in known else [aa for aa in known if aa is not None]


@lru_cache(maxsize=32)
def _factor(unit: str, target: str) -> float | None:
    # Imported here: astropy costs half a second and controls and artefacts do without it.
    from astropy import units

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", units.UnitsWarning)
        try:
            equivalency = units.zero_point_flux(3631 * units.Jy)
            return float(units.Unit(unit).to(target, equivalencies=equivalency))
        except (ValueError, TypeError, units.UnitConversionError):
            return None


def ujy_factor(info: InputInfo) -> float | None:
    """Microjansky in one unit of an image input; None when its pixels carry no flux scale."""
    return _factor(info.unit, "uJy") if info.calibrated and info.unit != "display" else None


def flambda_factor(info: InputInfo) -> float | None:
    """1e-17 erg/s/cm2/Angstrom in one unit of a spectrum; None when it is not calibrated."""
    if not info.calibrated or info.unit == "counts":
        return None
    return _factor(info.unit, "1e-17 erg / (s cm2 Angstrom)")


def ujy_from_flambda(flux: float | Array, wavelength_aa: float | Array) -> float | Array:
    """Microjansky of a flux density in 1e-17 erg/s/cm2/Angstrom at a wavelength in Angstrom."""
    return flux * wavelength_aa**2 * 1e-17 * 1e29 / 2.99792458e18


def flambda_from_ujy(flux_ujy: float, wavelength_aa: float | Array) -> float | Array:
    """1e-17 erg/s/cm2/Angstrom of a flux density in microjansky at a wavelength in Angstrom."""
    return flux_ujy * 2.99792458e18 * 1e-29 * 1e17 / wavelength_aa**2
