"""Rows of DESI's coadd-*.fits, the arms of each spectrum merged."""

import os
from collections import OrderedDict
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from fmb import Array, DataError, ShapeError
from fmb.files import Stated, read_table
from fmb_surveys.files.stores.arms import Grid, grid_of, merged
from fmb_surveys.files.stores.fits_arrays import FitsFile
from fmb_surveys.files.stores.object_fits import fits_errors, open_fits
from fmb_surveys.files.stores.origins import origins_in_file

__all__ = ["CoaddFile", "DesiCoadds"]

OPEN_FILES = 4
"""Of those that were read last. They are mapped, so an open one fills no memory."""
_PARTS = ("flux", "ivar", "mask")


class CoaddFile:
    """One coadd-*.fits: any number of arms, each X_WAVELENGTH, X_FLUX, X_IVAR and X_MASK."""

    def __init__(self, path: Path) -> None:
        """Look at its headers and wavelengths.

        Raises:
            DataError: it is damaged, or an arm lacks a part.
            ShapeError: parts of an arm do not fit each other, or arms share no grid.
        """
        self.path = path
        self.file: FitsFile = open_fits(path, mapped=True)
        with fits_errors(path):
            found = {name.removesuffix("_FLUX") for name in self.file.names() if "_FLUX" in name}
            if not found:
                raise DataError(f"{path}: has no arm, such as B_FLUX: not a coadd of DESI")
            waves = {arm: self._wavelength(arm) for arm in found}
            self.arms = sorted(waves, key=lambda arm: float(waves[arm][0]))
            self.grid: Grid = grid_of([waves[arm] for arm in self.arms], str(path))
            self.rows = self._check_shapes(waves)

    def unit(self, part: str) -> str:
        """What the headers of all arms say of the unit of "flux", "ivar" or "wavelength".

        Raises:
            DataError: they differ.
        """
        with fits_errors(self.path):
            said = {arm: str(self._array(arm, part).stated.unit) for arm in self.arms}
        if len(set(said.values())) > 1:
            raise DataError(f"{self.path}: arms have {part} in {said}: write them in one unit")
        return said[self.arms[0]]

    def read(self, rows: Array) -> tuple[Array, Array, Array]:
        """Flux, inverse variance and bad pixels of those rows, as `merged` gives them."""
        with fits_errors(self.path):
            arms = [
                tuple(self._array(arm, part).read(rows) for part in _PARTS) for arm in self.arms
            ]
        return merged(self.grid, arms)

    def _array(self, arm: str, part: str) -> Any:
        return self.file.array(f"{arm}_{part.upper()}")

    def _wavelength(self, arm: str) -> Array:
        values: Array = self._array(arm, "wavelength").read().astype(np.float64)
        if values.ndim != 1 or len(values) < 2:
            raise ShapeError(f"{self.path}: {arm}_WAVELENGTH has shape {values.shape}")
        return values

    def _check_shapes(self, waves: dict[str, Array]) -> int:
        rows = self._array(self.arms[0], "flux").shape[0]
        for arm in self.arms:
            for part in _PARTS:
                shape, expected = self._array(arm, part).shape, (rows, len(waves[arm]))
                if shape != expected:
                    raise ShapeError(
                        f"{self.path}: {arm}_{part.upper()} has shape {shape}, expected {expected}"
                    )
        return int(rows)


class DesiCoadds:
    """Rows of several coadd-*.fits. Pickles without open files.

    Its arrays are "flux", "ivar" and "mask", (rows, pixels), and "wavelength", (pixels,).
    """

    def __init__(self, path: Path, pixels: int | None = None) -> None:
        """`path` is a table with the columns file and row; all spectra have one grid."""
        self.path = path
        self._open: OrderedDict[Path, CoaddFile] = OrderedDict()
        self._last: tuple[bytes, tuple[Array, Array, Array]] | None = None
        self._process = os.getpid()

    def __getstate__(self) -> dict[str, Any]:
        return {"path": self.path, "_open": OrderedDict(), "_last": None, "_process": 0}

    @cached_property
    def _rows(self) -> tuple[list[Path], Array, Array]:
        """Files, and of each stored row which of them it is in, and where."""
        table = read_table(self.path, text=("file",))
        names, which = np.unique(np.asarray(table.column("file"), dtype=str), return_inverse=True)
        return [Path(name) for name in names], which, np.asarray(table.column("row"), np.int64)

    def place(self, name: str) -> str:
        """Where the array is, for messages."""
        files = self._rows[0]
        return f"{files[0]} and {len(files) - 1} more: {name!r}"

    def shape(self, name: str) -> tuple[int, ...]:
        """(rows, pixels), or (pixels,) of the wavelengths.

        Raises:
            DataError: there is no such array.
        """
        self._check(name)
        pixels = len(self._file(self._rows[0][0]).grid.wavelength_aa)
        return (pixels,) if name == "wavelength" else (len(self._rows[1]), pixels)

    def kind(self, name: str) -> "np.dtype[Any]":
        """Type of the numbers as they are merged."""
        return np.dtype({"wavelength": "f8", "mask": "?"}.get(name, "f4"))

    def stated(self, name: str) -> Stated:
        """The unit by the headers of the first file."""
        self._check(name)
        return Stated("" if name == "mask" else self._file(self._rows[0][0]).unit(name))

    def read(self, name: str, rows: Array, pad: float = np.nan) -> Array:
        """(m, pixels): those rows, merged; or those of the wavelengths."""
        self._check(name)
        if name == "wavelength":
            return self._file(self._rows[0][0]).grid.wavelength_aa[rows]
        key = np.asarray(rows, np.int64).tobytes()
        if self._last is None or self._last[0] != key:
            self._last = key, self._merged(np.asarray(rows, np.int64))
        return self._last[1][_PARTS.index(name)]

    def column(self, name: str) -> Array:
        """A column of the table of rows."""
        return np.asarray(read_table(self.path).column(name))

    def origins(self, rows: Array, digest: str | None, mapping: str) -> Array:
        """(m,), uint64, by the path, size and time of change of the file, and the row."""
        files, which, where = self._rows
        made = np.zeros(len(rows), np.uint64)
        for number in np.unique(which[rows]):
            here = which[rows] == number
            made[here] = origins_in_file(files[number], where[rows][here], None, mapping)
        return made

    def _check(self, name: str) -> None:
        if name not in (*_PARTS, "wavelength"):
            raise DataError(f"{self.path}: a coadd of DESI has flux, ivar, mask and wavelength")

    def _merged(self, rows: Array) -> tuple[Array, Array, Array]:
        files, which, where = self._rows
        shape = (len(rows), self.shape("wavelength")[0])
        made = (np.empty(shape, "f4"), np.empty(shape, "f4"), np.empty(shape, bool))
        for number in np.unique(which[rows]):
            here = np.flatnonzero(which[rows] == number)
            # In the order of the file, so that it is read from front to back.
            here = here[np.argsort(where[rows[here]], kind="stable")]
            for whole, part in zip(made, self._read(files[number], where[rows[here]]), strict=True):
                whole[here] = part
        return made

    def _read(self, path: Path, rows: Array) -> tuple[Array, Array, Array]:
        file, first = self._file(path), self._file(self._rows[0][0])
        if not np.array_equal(file.grid.wavelength_aa, first.grid.wavelength_aa):
            raise ShapeError(f"{path}: has other wavelengths than {first.path}")
        if rows.max(initial=0) >= file.rows:
            raise DataError(f"{path}: has {file.rows} rows now; it had row {rows.max()} before")
        return file.read(rows)

    def _file(self, path: Path) -> CoaddFile:
        if self._process != os.getpid():  # astropy shares its position in a file with a parent
            self._open, self._process = OrderedDict(), os.getpid()
        if path not in self._open:
            self._open[path] = CoaddFile(path)
            if len(self._open) > OPEN_FILES:
                self._open.popitem(last=False)
        self._open.move_to_end(path)
        return self._open[path]
