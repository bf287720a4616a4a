"""Factors from the units of a survey to those the weights were trained in."""

from fmb import DataError

__all__ = ["LARGEST", "factor_to"]

LARGEST = 1e15
"""Largest value, in the unit of the weights, that is taken for data: no source on the night sky
comes near, and squares of larger ones overflow 32-bit numbers, which would end the whole run."""

_SAME = {"nmgy": "3.631e-06 Jy"}
"""A nanomaggy as a flux density (zero point 3631 Jy), which astropy keeps apart from it."""


def factor_to(wanted: str, given: str) -> float:
    """What values in `given` are multiplied with to be in `wanted`.

    Raises:
        DataError: they measure different things, or `given` is no unit ("counts", "display").
    """
    accepted = [wanted, *([_SAME[wanted]] if wanted in _SAME else [])]
    if given in accepted:
        return 1.0
    # Imported here: data in the right unit do without astropy's half second in each worker.
    from astropy import units

    try:
        mine = units.Unit(given)
        for name in accepted:
            if mine.is_equivalent(units.Unit(name)):
                return float(mine.to(units.Unit(name)))
    except ValueError:
        pass
    raise DataError(f"unit {given!r} cannot be converted to {' or '.join(accepted)}")
