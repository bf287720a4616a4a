"""Positions of a catalogue in degrees, whatever unit or notation its file has."""

from typing import Any

import numpy as np

from fmb import Array, DataError

__all__ = ["degrees", "doubt_of"]

_DEGREES = {"deg": 1.0, "degree": 1.0, "degrees": 1.0, "\N{DEGREE SIGN}": 1.0, "d": 1.0}
_PER_UNIT = {
    **_DEGREES,
    **dict.fromkeys(("rad", "radian", "radians"), 180.0 / np.pi),
    **dict.fromkeys(("arcmin", "arcminute"), 1 / 60),
    **dict.fromkeys(("arcsec", "arcsecond"), 1 / 3600),
    "mas": 1 / 3.6e6,
}
_HOURS = ("h", "hr", "hour", "hours", "hourangle", "hms", "h:m:s", "hh:mm:ss", '"h:m:s"')
_SEXAGESIMAL = ("dms", "d:m:s", "dd:mm:ss", '"d:m:s"')


def degrees(values: Any, name: str, unit: str, where: str) -> Array:
    """A coordinate in degrees, (n,), float64; NaN where it is missing.

    Numbers are in `unit`, degrees where it is "". Text is sexagesimal, "10:20:30.5" or
    "10h20m30.5s": hours for "ra" unless the unit says degrees, degrees for "dec".

    Args:
        values: (n,), numbers or text.
        name: "ra" or "dec".
        unit: of the numbers.
        where: names the catalogue in messages.

    Raises:
        DataError: a unit that is no angle, or text that is no position; names the row.
    """
    plain = unit.strip().lower()
    hours = plain in _HOURS
    if hours and name == "dec":
        raise DataError(
            f"{where}: {name!r} is in {unit!r}; a declination is an angle: give degrees"
        )
    if not (hours or plain in ("", *_PER_UNIT, *_SEXAGESIMAL)):
        raise DataError(
            f"{where}: {name!r} is in {unit!r}, which is no angle FMB knows; give degrees"
        )
    factor = 15.0 if hours else _PER_UNIT.get(plain, 1.0)
    if isinstance(values, np.ndarray) and values.dtype.kind == "O":
        return _from_text(values, name, plain, factor, where)
    numbers = np.asarray(
        values.to_numpy(np.float64, na_value=np.nan) if hasattr(values, "isna") else values
    )
    if numbers.dtype.kind not in "iuf":
        raise DataError(f"{where}: {name!r} has type {numbers.dtype}, expected degrees")
    return numbers.astype(np.float64) * factor


def _from_text(texts: Array, name: str, unit: str, factor: float, where: str) -> Array:
    """Degrees of sexagesimal text, or of numbers in it, which are multiplied by `factor`."""
    # Imported here: most catalogues have degrees as numbers.
    from astropy import units
    from astropy.coordinates import Angle

    found = np.full(len(texts), np.nan)
    filled = [(row, text) for row, text in enumerate(texts.tolist()) if text and text.strip()]
    plain = [row for row, text in filled if not _is_sexagesimal(text)]
    for row, text in filled:
        sexagesimal = _is_sexagesimal(text)
        if sexagesimal and factor not in (1.0, 15.0):
            raise DataError(
                f"{where}: column {name!r} is in {unit!r} and holds {text!r} in row {row}, which"
                " says degrees or hours of itself; leave the unit out"
            )
        if sexagesimal and plain:
            raise DataError(
                f"{where}: column {name!r} holds {text!r} in row {row}, expected numbers, as in row"
                f" {plain[0]}, or all of them in this notation"
            )
        try:
            of = units.hourangle if name == "ra" and unit not in _DEGREES else units.deg
            found[row] = Angle(text, unit=of).deg if sexagesimal else float(text) * factor
        except (ValueError, TypeError, units.UnitsError):
            raise DataError(
                f"{where}: column {name!r} holds {text!r} in row {row}, expected numbers or"
                " 10:20:30.5"
            ) from None
    return found


def _is_sexagesimal(text: str) -> bool:
    return any(mark in text.strip() for mark in ":hdms ")


def doubt_of(ra: Array, dec: Array) -> str:
    """A warning where positions without a unit spread over the whole range of radians, else ""."""
    known = np.isfinite(ra) & np.isfinite(dec)
    if known.sum() < 2:
        return ""
    wide = np.ptp(ra[known]) > np.pi and np.ptp(dec[known]) > 0.5
    small = ra[known].min() >= -np.pi and ra[known].max() <= 2 * np.pi
    if wide and small and np.abs(dec[known]).max() <= np.pi / 2:
        return (
            "ra and dec are taken as degrees and look like radians: if they are, say so with"
            ' units = { ra = "rad", dec = "rad" } under [catalog]'
        )
    return ""
