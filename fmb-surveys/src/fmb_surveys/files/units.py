"""Units of a survey: as its survey.toml and its files name them, and as FMB computes in them."""

import re
import warnings
from typing import Annotated, Any

from pydantic import AfterValidator

from fmb import DataError

__all__ = [
    "Unit",
    "angstroms",
    "check_unit",
    "convenient",
    "has_zero_point",
    "is_unit",
    "refuse_contradiction",
]

WORD_UNITS = ("display", "counts")
"""Units that astropy does not know: pictures without a flux scale, detector counts."""
COUNTED = re.compile(r"\b(counts?|ct|adu|dn|electrons?|e-|photons?)\b", re.IGNORECASE)
"""How files name what is no calibrated flux."""
CONVENIENT = ("1e-17 erg / (s cm2 Angstrom)", "nJy")
"""Flux densities that are of order one for objects of the night sky."""
FAR = 1e10
"""A unit so far from a convenient one is converted: squares of its numbers leave float32."""


def check_unit(text: str) -> str:
    """The unit as astropy reads it without a warning, or one of the two words.

    Raises:
        ValueError: astropy cannot parse it.
    """
    if text in WORD_UNITS:
        return text
    unit, doubtful = _parsed(text)
    if unit is None:
        raise ValueError(
            "astropy cannot parse this unit; write for instance 'nmgy',"
            " '1e-17 erg / (s cm2 Angstrom)', 'display' or 'counts'"
        )
    if _has_ampere(unit):
        raise ValueError("for astropy A is the ampere; write Angstrom")
    return str(unit.to_string()) if doubtful else text


def has_zero_point(unit: str) -> bool:
    """Whether numbers in a unit say how bright something is, whatever took them.

    Not in pictures and detector counts, also per second; counts per area of a mirror do.
    """
    if unit in WORD_UNITS:
        return False
    if not COUNTED.search(unit):
        return True
    from astropy import units  # Imported here: few surveys count

    return units.m in units.Unit(unit).decompose().bases


Unit = Annotated[str, AfterValidator(check_unit)]


def _parsed(text: str) -> tuple[Any, bool]:
    """The unit that a text means, None where it means none, and whether it is badly written."""
    # Imported here: a plan of a run whose survey is not read does without astropy.
    from astropy import units

    with warnings.catch_warnings(record=True) as doubts:
        warnings.simplefilter("always")
        try:
            return units.Unit(text), bool(doubts)
        except (ValueError, TypeError):
            return None, False


def _has_ampere(unit: Any) -> bool:
    return any(base.to_string() == "A" for base in unit.decompose().bases)


def _of_file(text: str) -> Any:
    """The unit that a file tells, None where astropy knows none: "Angstrom, in vacuum" is one.

    Nothing in a survey is in ampere: where a file says A, it means Angstrom.
    """
    known = _parsed(text)[0]
    before = re.split(r"[,;(]", text)[0].strip()
    if known is None and before:
        known = _parsed(before)[0]
    if known is not None and _has_ampere(known):
        known = _parsed(re.sub(r"\bA(?=\b|[-+0-9^])", "Angstrom", text))[0]
    return known


def is_unit(text: str) -> bool:
    """True when astropy knows the unit."""
    return _of_file(text) is not None


def refuse_contradiction(where: str, in_file: str, in_toml: str, key: str, power: int = 1) -> str:
    """Compare the unit that a file tells of an array with that of the survey.toml.

    Args:
        where: names the array.
        in_file: "" where the file tells none.
        in_toml: as `check_unit` gives it.
        key: of the survey.toml.
        power: of that unit which the array has: -2 for an inverse variance.

    Returns:
        "", or what the file says where astropy knows no such unit.

    Raises:
        DataError: they are different units.
    """
    if not in_file or (in_file == in_toml and power == 1) or "display" in (in_file, in_toml):
        return ""
    if in_toml == "counts":
        if power != 1 or COUNTED.search(in_file):
            return ""
        if _of_file(in_file) is None:
            return in_file
    else:
        theirs, ours = _of_file(in_file), _parsed(in_toml)[0] ** power
        if theirs is None:
            return in_file
        if theirs.is_equivalent(ours) and abs(float(theirs.to(ours)) - 1) < 1e-6:
            return ""
    meant = in_toml if power == 1 else f"({in_toml})^{power}"
    raise DataError(
        f"{where} is in {in_file!r} by what the file says, in {meant!r} by {key} of the"
        " survey.toml; correct the one that is wrong"
    )


def angstroms(unit: str, where: str) -> float:
    """One of a unit of length in Angstrom; `where` names the wavelengths in messages.

    Raises:
        DataError: it is no length.
    """
    if unit == "Angstrom":
        return 1.0
    from astropy import units

    parsed = _of_file(unit)
    if parsed is None or not parsed.is_equivalent(units.AA):
        raise DataError(f"{where}: wavelength_unit {unit!r} is not a length")
    return float(parsed.to(units.AA))


def convenient(unit: str) -> tuple[str, float]:
    """The unit in which float32 holds a flux density and its variance, and one of `unit` in it.

    W / m2 / Hz of a galaxy are 1e-32, and their inverse variance is beyond float32.
    """
    if unit in WORD_UNITS or unit in CONVENIENT:
        return unit, 1.0
    parsed = _parsed(unit)[0]
    for name in CONVENIENT:
        known = _parsed(name)[0]
        if parsed.is_equivalent(known):
            factor = float(parsed.to(known))
            return (name, factor) if not 1 / FAR < factor < FAR else (unit, 1.0)
    return unit, 1.0
