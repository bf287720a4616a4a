"""Units as the formats of tables write them."""

from typing import Any

__all__ = ["about_with_unit", "unit_of", "unit_word"]


def unit_word(text: str, standard: str) -> str:
    """The unit as a standard writes it; "" where it does not know it.

    A magnitude system is left to the comment: the standards have magnitudes only.

    Args:
        text: as the survey has it.
        standard: a format of astropy, "fits" or "vounit".
    """
    import warnings

    from astropy import units

    unit = unit_of(text)
    if isinstance(unit, units.UnrecognizedUnit):
        return ""
    if isinstance(unit, units.function.FunctionUnitBase):
        unit = unit.function_unit
    with warnings.catch_warnings():
        # VOUnit calls erg and Angstrom, which surveys have, deprecated.
        warnings.simplefilter("ignore", units.UnitsWarning)
        try:
            return str(unit.to_string(standard)) if unit is not None else ""
        except ValueError:
            return ""


def about_with_unit(about: str, text: str, written: str) -> str:
    """What is told of a column, with its unit where that could not be written as one."""
    return about if written or not text else f"{about} [{text}]".lstrip()


def unit_of(text: str) -> Any:
    """A unit as astropy has it; one it does not know stays text."""
    from astropy import units

    return units.Unit(text, parse_strict="silent") if text else None
