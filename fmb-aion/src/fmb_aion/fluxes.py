"""Factors from a survey's flux unit to the one AION expects."""

from functools import lru_cache

from fmb import DataError

__all__ = ["MAGGY_JY", "scale_to"]

MAGGY_JY = 3631.0
"""One maggy: the flux of magnitude 0. Source: AB system, Oke & Gunn 1983, as the surveys use it."""


@lru_cache
def scale_to(wanted: str, unit: str, what: str) -> float:
    """The number that a flux in `unit` is multiplied with to be in `wanted`.

    Args:
        wanted: an astropy unit, for instance "nmgy".
        unit: an astropy unit, or one of the words "display" and "counts".
        what: names the data in messages: "images", "spectra".

    Raises:
        DataError: the unit is unknown, or not one of the wanted quantity.
    """
    # Imported here: plans and imports of weights do without astropy's half second.
    from astropy import units

    same = units.zero_point_flux(MAGGY_JY * units.Jy)
    try:
        return float(units.Unit(unit).to(units.Unit(wanted), equivalencies=same))
    except (ValueError, TypeError, units.UnitConversionError):
        raise DataError(
            f"the {what} have unit {unit!r}, which cannot be converted to {wanted}; AION takes"
            " calibrated flux only: state the survey's unit"
        ) from None
