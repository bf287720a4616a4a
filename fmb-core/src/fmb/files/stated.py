"""What a file says of its own numbers: unit, scale, offset, and which value means none."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from fmb.contract.arrays import Array
from fmb.files.columns import from_array
from fmb.messages.errors import DataError

__all__ = ["Stated", "equal_to", "meant", "stated"]

UNIT = ("unit", "units", "bunit")
SCALE = ("scale_factor", "bscale", "tscal")
OFFSET = ("add_offset", "bzero", "tzero")
MISSING = ("_fillvalue", "missing_value", "fill_value", "blank", "tnull")
"""Names of attributes, in lower case: of netCDF, of FITS, and of those who follow either."""


@dataclass(frozen=True)
class Stated:
    """What the attributes of an array say of its numbers; nothing where they are silent."""

    unit: str = ""
    scale: float = 1.0
    offset: float = 0.0
    missing: tuple[int | float, ...] = ()
    """Stored values that mean "no value", whole ones exact; what is no number needs no naming."""

    @property
    def as_stored(self) -> bool:
        """True when the stored numbers are the values."""
        return self.scale == 1.0 and self.offset == 0.0

    def gaps(self, stored: Array) -> Array | None:
        """Where `stored` holds a value that means none, bool; None where nothing does."""
        found = [equal_to(stored, value) for value in self.missing]
        return np.asarray(np.logical_or.reduce(found)) if found else None

    def values(self, stored: Array) -> Array:
        """The numbers meant: stored x scale + offset, whole ones as int64 or uint64 where exact.

        In float64, never in the type of the file, in which a product may overflow or lose digits.
        """
        if self.as_stored:
            return stored
        whole = stored.dtype.kind in "iu" and self.scale == 1.0 and self.offset.is_integer()
        if whole and abs(self.offset) <= 2**63:  # how FITS stores unsigned numbers
            shifted = stored.astype(object) + int(self.offset)
            low, high = min(shifted.flat, default=0), max(shifted.flat, default=0)
            for kind in (np.int64, np.uint64):
                if low >= np.iinfo(kind).min and high <= np.iinfo(kind).max:
                    return shifted.astype(kind)
        return np.asarray(stored, dtype=np.float64) * self.scale + self.offset


def meant(stored: Array, told: Stated) -> Any:
    """A column of a table, (n,), as its file says it is meant; see `fmb.files.columns`.

    Raises:
        Unreadable: it holds more than a value a row.
        DataError: bytes that are no text (UTF-8).
    """
    if isinstance(stored, np.ma.MaskedArray):
        return from_array(stored.data, np.ma.getmaskarray(stored))
    if stored.dtype.kind not in "iuf":
        return from_array(stored)
    return from_array(told.values(stored), told.gaps(stored))


def equal_to(stored: Array, value: int | float) -> Array:
    """Where an array holds a value as its own type has it: -999.9 is another number in float32."""
    if stored.dtype.kind == "f":
        return (
            np.isnan(stored) if np.isnan(value) else np.asarray(stored == stored.dtype.type(value))
        )
    if not float(value).is_integer():
        return np.zeros(stored.shape, dtype=bool)
    limits = np.iinfo(stored.dtype) if stored.dtype.kind in "iu" else None
    if limits is not None and not limits.min <= int(value) <= limits.max:
        return np.zeros(stored.shape, dtype=bool)
    return np.asarray(stored == stored.dtype.type(int(value)))


def stated(attributes: Mapping[str, Any], where: str) -> Stated:
    """What attributes say, as text of any length, bytes, numbers or arrays of one of these.

    Args:
        attributes: of the array.
        where: names it in messages.

    Raises:
        DataError: a scale, an offset or a missing value is no number.
    """
    by_name = {str(name).lower(): value for name, value in attributes.items()}
    return Stated(
        unit=next((_text(by_name[name]) for name in UNIT if name in by_name), ""),
        scale=_number(by_name, SCALE, 1.0, where),
        offset=_number(by_name, OFFSET, 0.0, where),
        missing=tuple(
            number
            for name in MISSING
            if name in by_name
            for number in _exact(by_name[name], name, where)
            if number == number
        ),
    )


def _text(value: Any) -> str:
    """Text however a program in C, IDL, Julia or Python stores it."""
    plain = np.asarray(value).ravel()[:1].tolist()
    text = plain[0] if plain else ""
    return (text.decode(errors="replace") if isinstance(text, bytes) else str(text)).strip(" \0")


def _number(
    attributes: Mapping[str, Any], names: tuple[str, ...], default: float, where: str
) -> float:
    stated_ones = {
        name: np.atleast_1d(_numbers(attributes[name], name, where))
        for name in names
        if name in attributes
    }
    for name, numbers in stated_ones.items():
        if len(numbers) != 1 or not np.isfinite(numbers[0]):
            raise DataError(f"{where}: its attribute {name} is no single number; mend the file")
        return float(numbers[0])
    return default


def _exact(value: Any, name: str, where: str) -> list[int | float]:
    """Numbers as they are stored: netCDF fills 64 bits with a whole number beyond 2^53."""
    plain = np.atleast_1d(np.asarray(value))
    numbers = plain if plain.dtype.kind in "iu" else np.atleast_1d(_numbers(value, name, where))
    listed: list[int | float] = numbers.ravel().tolist()
    return listed


def _numbers(value: Any, name: str, where: str) -> Array:
    try:
        return np.asarray(_text(value) if np.asarray(value).dtype.kind in "SOU" else value).astype(
            np.float64
        )
    except (ValueError, TypeError):
        raise DataError(f"{where}: its attribute {name} is no number; mend the file") from None
