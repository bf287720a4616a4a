"""Arrays of one FITS file whose first axis is the objects: columns of a table, or images."""

from pathlib import Path
from typing import Any

import numpy as np

from fmb import Array, ShapeError
from fmb.files import Stated
from fmb_surveys.files.stores.fits_arrays import FitsFile, FitsImage
from fmb_surveys.files.stores.fits_columns import TableColumn
from fmb_surveys.files.stores.object_fits import fits_errors, open_fits
from fmb_surveys.files.stores.origins import origins_in_file

__all__ = ["StackedFITS"]


class StackedFITS:
    """A FITS file that is mapped, so that rows are read where they lie. Pickles without it."""

    def __init__(self, path: Path, pixels: int | None = None) -> None:
        """Nothing is opened before it is read.

        Args:
            path: the file.
            pixels: of the longest spectrum, where rows have lengths of their own; left out, as
                many as the longest row has.
        """
        self.path, self._pixels = path, pixels
        self._file: FitsFile | None = None
        self._arrays: dict[str, FitsImage | TableColumn] = {}

    def __getstate__(self) -> dict[str, Any]:
        return {"path": self.path, "_pixels": self._pixels, "_file": None, "_arrays": {}}

    def place(self, name: str) -> str:
        """Where `name` is, for messages."""
        return f"{self.path}: {name!r}"

    def shape(self, name: str) -> tuple[int, ...]:
        """(rows, ...) of an array of numbers.

        Raises:
            ShapeError: a row is longer than `pixels`.
        """
        with fits_errors(self.path):
            array = self._array(name)
            shape = array.shape
            if self._pixels is None or not _is_ragged(array):
                return shape
        if shape[1] > self._pixels:
            raise ShapeError(
                f"{self.place(name)} has a row of {shape[1]} values; set pixels = {shape[1]}"
            )
        return (shape[0], self._pixels)

    def kind(self, name: str) -> "np.dtype[Any]":
        """Type of the numbers as they are stored."""
        with fits_errors(self.path):
            return self._array(name).kind

    def stated(self, name: str) -> Stated:
        """What the header says of the numbers."""
        with fits_errors(self.path):
            return self._array(name).stated

    def read(self, name: str, rows: Array, pad: float = np.nan) -> Array:
        """(m, ...): those rows, in that order, shorter ones filled with `pad`."""
        with fits_errors(self.path):
            array = self._array(name)
            values = array.read(np.asarray(rows), pad)
        more = self.shape(name)[1] - values.shape[1] if _is_ragged(array) else 0
        if more <= 0:
            return values
        fits = values.dtype.kind == "f" or np.isfinite(pad)
        values = values if fits else values.astype(np.float64)
        return np.pad(values, ((0, 0), (0, more)), constant_values=pad)

    def column(self, name: str) -> Array:
        """(rows,): a value for each row, such as ids."""
        with fits_errors(self.path):
            array = self._array(name)
            return array.values() if isinstance(array, TableColumn) else array.read()

    def origins(self, rows: Array, digest: str | None, mapping: str) -> Array:
        """(m,), uint64, by the file's content, or size and time of change, and the row."""
        return origins_in_file(self.path, rows, digest, mapping)

    def _array(self, name: str) -> FitsImage | TableColumn:
        if self._file is None:
            self._file = open_fits(self.path, mapped=True)
        if name not in self._arrays:
            self._arrays[name] = self._file.array(name)
        return self._arrays[name]


def _is_ragged(array: FitsImage | TableColumn) -> bool:
    return isinstance(array, TableColumn) and array.lengths is not None
