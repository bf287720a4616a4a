"""Arrays of FITS files by name, as they are stored: images, and columns of binary tables."""

import math
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from fmb import Array, DataError, did_you_mean
from fmb.files import Stated, stated
from fmb_surveys.files.stores.fits_columns import TableColumn, columns_of
from fmb_surveys.files.stores.fits_numbers import Stored

__all__ = ["FitsFile", "FitsImage"]

_TYPES = {8: "u1", 16: "i2", 32: "i4", 64: "i8", -32: "f4", -64: "f8"}
"""BITPIX -> type."""


class FitsImage:
    """An image, packed or not."""

    def __init__(self, hdu: Any, content: Any, where: str) -> None:
        """`hdu` of astropy, opened without scaling; the file's bytes; `where` for messages."""
        self._hdu, self._content, self._where = hdu, content, where

    @property
    def shape(self) -> tuple[int, ...]:
        """From the header."""
        return tuple(self._hdu.shape)

    @property
    def kind(self) -> "np.dtype[Any]":
        """Type of the numbers as `read` gives them."""
        return self._stored.kind

    @property
    def stated(self) -> Stated:
        """What the header says of the numbers that `read` gives."""
        return self._stored.stated

    def read(self, rows: Array | None = None, pad: float = np.nan) -> Array:
        """The image or some of its first axis, in the byte order of the machine, not scaled."""
        stored = self._data()
        return self._stored.values(stored if rows is None else stored[rows])

    def _data(self) -> Array:
        """As it is stored, big-endian; where it is not packed, nothing is copied."""
        from astropy.io import fits

        if isinstance(self._hdu, fits.CompImageHDU):
            return np.asarray(self._hdu.data)
        kind = np.dtype(_TYPES[int(self._hdu.header["BITPIX"])]).newbyteorder(">")
        start = self._hdu.fileinfo()["datLoc"]
        n = math.prod(self.shape)
        return np.frombuffer(self._content, kind, n, start).reshape(self.shape)

    @cached_property
    def _stored(self) -> Stored:
        bits = int(self._hdu.header["BITPIX"])
        keys = ("BUNIT", "BSCALE", "BZERO", *(("BLANK",) if bits > 0 else ()))
        said = {key: self._hdu.header.get(key) for key in keys}
        given = {key: value for key, value in said.items() if value not in (None, "")}
        return Stored(np.dtype(_TYPES[bits]), stated(given, self._where))


class FitsFile:
    """An open file and its bytes."""

    def __init__(self, hdus: Any, content: Any, path: Path) -> None:
        """Nothing is looked at before it is asked for.

        Args:
            hdus: of astropy, which scales no image.
            content: the bytes of the file, unpacked.
            path: names the file in messages.
        """
        self._hdus, self._content, self._path = hdus, content, path
        self._tables: dict[int, Mapping[str, TableColumn]] = {}

    def names(self) -> list[str]:
        """Names of the extensions, in order; "" where one has none."""
        return [hdu.name for hdu in self._hdus]

    def header(self, extension: int | str) -> Mapping[str, Any] | None:
        """The header of an extension, by number or name; None where there is none."""
        found = self._find(str(extension))
        return None if found is None else found.header

    def columns(self, extension: int | str) -> Mapping[str, TableColumn]:
        """The columns of a table; none where an extension is none, or not there.

        Raises:
            DataError: its header does not add up.
        """
        from astropy.io import fits

        hdu = self._find(str(extension))
        if not isinstance(hdu, fits.BinTableHDU) or isinstance(hdu, fits.CompImageHDU):
            return {}
        if id(hdu) not in self._tables:
            where = f"{self._path}: {hdu.name or extension}"
            self._tables[id(hdu)] = columns_of(hdu, self._content, where)
        return self._tables[id(hdu)]

    def images(self) -> list[int]:
        """Numbers of the extensions that are images and not empty."""
        return [at for at, hdu in enumerate(self._hdus) if hdu.is_image and hdu.shape]

    def array(self, name: str) -> FitsImage | TableColumn:
        """An array.

        Args:
            name: "EXT", an image; "EXT/COLUMN"; or "COLUMN" of the first table. EXT is the name
                of an extension, or its number, 0 for the first.

        Raises:
            DataError: there is none, it is empty, or a table is no binary one.
        """
        extension, _, column = name.rpartition("/")
        if extension:
            return self._column(extension, column)
        hdu = self._find(name)
        if hdu is None:
            first = self._first_table()
            if first is None or not _known(self.columns(first), name):
                raise DataError(f"{self._path}: has no extension {name!r}{self._hint(name)}")
            return self._column(str(first), name)
        if not hdu.is_image:
            some = next(iter(self.columns(name)), "flux")
            raise DataError(f"{self._path}: {name!r} is a table; name a column: '{name}/{some}'")
        if not hdu.shape:
            raise DataError(f"{self._path}: {name!r} is empty")
        return FitsImage(hdu, self._content, f"{self._path}: {name!r}")

    def _column(self, extension: str, wanted: str) -> TableColumn:
        if self._find(extension) is None:
            raise DataError(f"{self._path}: has no extension {extension!r}{self._hint(extension)}")
        columns = self.columns(extension)
        if not columns:
            raise DataError(f"{self._path}: {extension!r} is no binary table with columns")
        known = _known(columns, wanted)
        if not known:
            hint = did_you_mean(wanted, columns) or f"; it has {', '.join([*columns][:12])}"
            raise DataError(f"{self._path}: {extension!r} has no column {wanted!r}{hint}")
        return columns[known]

    def _find(self, wanted: str) -> Any:
        try:
            found = self._hdus[int(wanted) if wanted.isdecimal() else wanted]
        except (KeyError, IndexError):
            return None
        place = found.fileinfo()
        if place["datLoc"] + place["datSpan"] > len(self._content):
            raise DataError(f"{self._path}: the FITS file is cut short; copy it again")
        return found

    def _first_table(self) -> int | None:
        return next((at for at, _ in enumerate(self._hdus) if self.columns(at)), None)

    def _hint(self, wanted: str) -> str:
        names = [hdu.name or str(at) for at, hdu in enumerate(self._hdus)]
        return did_you_mean(wanted, names) or f"; it has {', '.join(names)}"


def _known(columns: Mapping[str, TableColumn], wanted: str) -> str:
    """The column of this name, else the only one with it in other letters, else ""."""
    alike = [name for name in columns if name.lower() == wanted.lower()]
    return wanted if wanted in columns else alike[0] if len(alike) == 1 else ""
