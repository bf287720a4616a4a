"""Columns of a binary table of FITS, told by its header and taken out of the bytes of the file.

astropy makes an object of each column before it gives one: of a table with a hundred, as SDSS has
one in each file, that takes longer than everything else.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from fmb import Array, DataError
from fmb.files import Stated, stated
from fmb_surveys.files.stores.fits_numbers import Stored, native

__all__ = ["TableColumn", "columns_of"]

_CARD = re.compile(
    r"(TTYPE|TFORM|TUNIT|TSCAL|TZERO|TNULL|TDIM)(\d+) *= *(?:'((?:[^']|'')*)'|([^/ ]+))"
)
_FORMAT = re.compile(r"(\d*)([A-Z])([A-Z]?)")
_TYPES = {
    "L": "u1", "B": "u1", "I": ">i2", "J": ">i4", "K": ">i8", "E": ">f4", "D": ">f8",
    "C": ">c8", "M": ">c16", "P": ">i4", "Q": ">i8",
}  # fmt: skip
"""Letter of a format -> type; a column with lengths of its own (P, Q) has pairs of numbers."""


@dataclass(frozen=True)
class _Place:
    """A table: the bytes of its file, and where in them its rows and its heap begin."""

    content: Any
    rows: int
    row_bytes: int
    start: int
    heap: int


@dataclass(frozen=True, eq=False)
class TableColumn:
    """A column; the first axis are the rows."""

    where: str
    """Names it in messages."""
    place: _Place
    offset: int
    """Of its first byte in a row."""
    format: str
    words: Mapping[str, str]
    """What the header says of it: TUNIT, TSCAL, TZERO, TNULL, TDIM."""

    @cached_property
    def is_text(self) -> bool:
        """True where it holds text."""
        return self._letter == "A"

    @cached_property
    def shape(self) -> tuple[int, ...]:
        """(rows, ...) from the header; where rows have lengths of their own, the longest."""
        if self.lengths is not None:
            return (self.place.rows, int(self.lengths.max(initial=0)))
        return (self.place.rows, *self._field.shape)

    @property
    def kind(self) -> "np.dtype[Any]":
        """Type of the numbers as `read` gives them.

        Raises:
            DataError: they are no numbers.
        """
        return np.dtype(bool) if self._letter == "L" else self._stored.kind

    @property
    def stated(self) -> Stated:
        """What the header says of the numbers that `read` gives."""
        return self._stored.stated

    @cached_property
    def lengths(self) -> Array | None:
        """(rows,) of a column whose rows have lengths of their own, else None."""
        if self._letter not in "PQ":
            return None
        return native(self._records()[:, 0]).astype(np.int64)

    def read(self, rows: Array | None = None, pad: float = np.nan) -> Array:
        """All rows or some, in the byte order of the machine; no scale is applied."""
        if self.lengths is not None:
            return self._ragged(np.arange(self.place.rows) if rows is None else rows, pad)
        stored = self._records()
        stored = stored if rows is None else stored[rows]
        return (
            np.asarray(stored == ord("T")) if self._letter == "L" else self._stored.values(stored)
        )

    def values(self) -> Array:
        """(rows,): what it means, text or numbers, masked where it has no value.

        Raises:
            DataError: text that is no ASCII, or more than a value a row.
        """
        if self.is_text:
            texts = [value.decode("ascii").strip(" \0") for value in self._records().tolist()]
            return np.array(texts, dtype=object)
        if len(self.shape) != 1:
            raise DataError(f"{self.where} holds arrays of shape {self.shape[1:]}")
        stored = self.read()
        gaps, values = self.stated.gaps(stored), self.stated.values(stored)
        return values if gaps is None or not gaps.any() else np.ma.MaskedArray(values, gaps)

    @cached_property
    def _letter(self) -> str:
        found = _FORMAT.match(self.format)
        return found[2] if found else ""

    @cached_property
    def _field(self) -> "np.dtype[Any]":
        """Type and shape in a row."""
        found = _FORMAT.match(self.format)
        if not found:
            raise DataError(f"{self.where} has the format {self.format!r}, which is none of FITS")
        repeat = int(found[1] or 1)
        if self._letter == "A":
            return np.dtype(f"S{repeat}" if repeat else "V0")
        if self._letter == "X":
            return np.dtype(("u1", (math.ceil(repeat / 8),)))
        if self._letter not in _TYPES:
            raise DataError(f"{self.where} has the format {self.format!r}, which is none of FITS")
        if self._letter in "PQ":
            return np.dtype((_TYPES[self._letter], (2,)))
        shape = [int(n) for n in re.findall(r"\d+", self.words.get("TDIM", ""))][::-1]
        if not shape or math.prod(shape) != repeat:
            shape = [] if repeat == 1 else [repeat]
        return np.dtype((_TYPES[self._letter], tuple(shape)))

    @cached_property
    def _stored(self) -> Stored:
        found = _FORMAT.match(self.format)
        letter = found[3] if found and self._letter in "PQ" else self._letter
        kind = np.dtype(_TYPES.get(letter, "V1"))
        if letter in "XPQ" or kind.kind not in "iuf":
            raise DataError(f"{self.where} holds no numbers but {self.format!r}")
        said = {key: value for key, value in self.words.items() if key != "TDIM" and value}
        if kind.kind == "f":
            said.pop("TNULL", None)  # has no meaning there
        numbers = {k: v.replace("D", "E") for k, v in said.items() if k != "TUNIT"}
        null = {"TNULL": int(numbers["TNULL"])} if "TNULL" in numbers else {}
        unit = {"unit": said["TUNIT"]} if "TUNIT" in said else {}
        return Stored(kind, stated({**numbers, **null, **unit}, self.where))

    def _records(self) -> Array:
        place = self.place
        layout = {"formats": [self._field], "offsets": [self.offset], "itemsize": place.row_bytes}
        kind = np.dtype({"names": ["it"], **layout})  # type: ignore[call-overload]
        return np.asarray(np.frombuffer(place.content, kind, place.rows, place.start)["it"])

    def _ragged(self, rows: Array, pad: float) -> Array:
        places, longest, kind = native(self._records()), self.shape[1], self._stored.kind
        short = bool((places[rows, 0] < longest).any())
        fits = not short or kind.kind == "f" or np.isfinite(pad)
        made = np.full((len(rows), longest), pad if short else 0, kind if fits else np.float64)
        found = _FORMAT.match(self.format)
        stored = np.dtype(_TYPES[found[3] if found else ""])
        for at, (length, offset) in enumerate(places[rows].tolist()):
            begin = self.place.heap + offset
            part = np.frombuffer(self.place.content, stored, length, begin)
            made[at, :length] = self._stored.values(part)
        return made


def columns_of(hdu: Any, content: Any, where: str) -> dict[str, TableColumn]:
    """Name -> column of a binary table.

    Args:
        hdu: the table, of astropy.
        content: the bytes of the file, unpacked.
        where: names the table in messages.

    Raises:
        DataError: two columns share a name, or what the header says of them does not add up.
    """
    header = hdu.header
    n, row_bytes, rows = (int(header[key]) for key in ("TFIELDS", "NAXIS1", "NAXIS2"))
    begin, start = (hdu.fileinfo()[key] for key in ("hdrLoc", "datLoc"))
    heap = start + int(header.get("THEAP", rows * row_bytes))
    place = _Place(content, rows, row_bytes, start, heap)
    said: list[dict[str, str]] = [{} for _ in range(n)]
    text = bytes(content[begin:start]).decode("ascii", errors="replace")
    for at in range(0, len(text), 80):
        if text[at] == "T" and (card := _CARD.match(text, at, at + 80)):
            key, number, quoted, plain = card.groups()
            if 1 <= int(number) <= n:
                value = plain if quoted is None else quoted.replace("''", "'").strip()
                said[int(number) - 1][key] = value
    made: dict[str, TableColumn] = {}
    offset = 0
    for number, words in enumerate(said, start=1):
        name = words.pop("TTYPE", f"col{number}")
        column = TableColumn(f"{where}/{name}", place, offset, words.pop("TFORM", ""), words)
        if name in made:
            raise DataError(f"{where}: two columns are called {name!r}")
        made[name] = column
        offset += column._field.itemsize
    if offset != row_bytes:
        raise DataError(f"{where}: its columns have {offset} bytes a row, its rows {row_bytes}")
    return made
