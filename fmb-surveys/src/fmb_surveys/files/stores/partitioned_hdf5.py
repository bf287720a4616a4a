"""A tree of HDF5 files that share their datasets: rows follow each other, file after file."""

import re
from collections import OrderedDict
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from fmb import Array, DataError, ShapeError
from fmb.files import Stated, is_table, read_table
from fmb_surveys.files.stores.places import visible
from fmb_surveys.files.stores.stacked_hdf5 import StackedHDF5

__all__ = ["PartitionedHDF5", "partitions"]

PATTERN = "*=*/*.hdf5"
"""Files of a tree: `healpix=1107/001-of-001.hdf5`."""

OPEN_FILES = 64
"""Files that a process keeps open: rows in the order of ids jump between them."""


def partitions(folder: Path) -> list[Path]:
    """The files of a tree: by the numbers in their names, then by the names.

    Raises:
        DataError: there are none.
    """
    found = sorted(visible(folder, PATTERN), key=_by_numbers)
    if not found:
        raise DataError(f"{folder}: holds no files {PATTERN}")
    return found


def _by_numbers(path: Path) -> tuple[tuple[int, ...], str]:
    name = f"{path.parent.name}/{path.name}"
    return tuple(map(int, re.findall(r"\d+", name))), name


class PartitionedHDF5:
    """Datasets of several files, each with its own rows. Pickles without the open files."""

    def __init__(self, path: Path, pixels: int | None = None) -> None:
        """Nothing is opened before it is read.

        Args:
            path: folder of the tree, or a table whose column `file` names its files.
            pixels: of the longest spectrum, where files pad theirs to lengths of their own.
        """
        self.path, self._pixels = path, pixels
        self._open: OrderedDict[int, StackedHDF5] = OrderedDict()

    def __getstate__(self) -> dict[str, Any]:
        kept = {"files", "_first_rows"}  # what took opening every file
        known = {name: value for name, value in self.__dict__.items() if name in kept}
        return {**known, "path": self.path, "_pixels": self._pixels, "_open": OrderedDict()}

    @cached_property
    def files(self) -> list[Path]:
        """The files in the order of their rows."""
        if is_table(self.path):
            return [Path(file) for file in read_table(self.path).column("file")]
        return partitions(self.path)

    @cached_property
    def _first_rows(self) -> Array:
        """(files + 1,), int64: the first row of each file, and the number of all rows."""
        name = "object_id"
        counts = [len(self._file(at).dataset(name)) for at in range(len(self.files))]
        return np.concatenate([[0], np.cumsum(counts, dtype=np.int64)])

    def place(self, name: str) -> str:
        """Where `name` is, for messages."""
        return f"{self.files[0]} and {len(self.files) - 1} more: {name!r}"

    def shape(self, name: str) -> tuple[int, ...]:
        """(rows of all files, ...), the rest as in the first file."""
        return (int(self._first_rows[-1]), *self._tail(self._file(0).shape(name)[1:]))

    def kind(self, name: str) -> "np.dtype[Any]":
        """Type of the numbers as the first file stores them."""
        kind: np.dtype[Any] = self._file(0).kind(name)
        return kind

    def stated(self, name: str) -> Stated:
        """What the first file says of the numbers; `read` holds the others to it."""
        return self._file(0).stated(name)

    def read(self, name: str, rows: Array, pad: float = np.nan) -> Array:
        """(m, ...): those rows, of whichever files.

        Raises:
            ShapeError: a file's rows have another shape than those of the first.
            DataError: a file is damaged, or says something else of its numbers than the first.
        """
        rows = np.asarray(rows, dtype=np.int64)
        files = np.searchsorted(self._first_rows, rows, side="right") - 1
        tail = self.shape(name)[1:]
        pieces = {at: self._rows(int(at), name, rows[files == at], pad) for at in np.unique(files)}
        if len(pieces) == 1:
            return next(iter(pieces.values()))
        kinds = [piece.dtype for piece in pieces.values()]
        made = np.empty((len(rows), *tail), dtype=np.result_type(*kinds) if kinds else np.float64)
        for at, piece in pieces.items():
            made[files == at] = piece
        return made

    def column(self, name: str) -> Array:
        """(rows,): a dataset of all files."""
        return np.concatenate([self._file(at).column(name) for at in range(len(self.files))])

    def origins(self, rows: Array, digest: str | None, mapping: str) -> Array:
        """(m,), uint64, by size and time of change of the file of each row, and its row there.

        A file that is added or changed changes the origins of its own rows only.
        """
        files = np.searchsorted(self._first_rows, rows, side="right") - 1
        made = np.zeros(len(rows), dtype=np.uint64)
        for at in np.unique(files):
            own = files == at
            there = rows[own] - self._first_rows[at]
            made[own] = self._file(int(at)).origins(there, None, mapping)
        return made

    def _rows(self, at: int, name: str, rows: Array, pad: float) -> Array:
        """Those rows of one file, checked against the first and padded to the longest."""
        file, n = self._file(at), int(self._first_rows[at + 1] - self._first_rows[at])
        shape, tail = file.shape(name), self.shape(name)[1:]
        if file.stated(name) != self.stated(name):
            raise DataError(
                f"{file.place(name)} has another unit, scale or missing value than in"
                f" {self.files[0]}; write all files alike"
            )
        if shape[:1] != (n,) or self._tail(shape[1:]) != tail:
            raise ShapeError(f"{file.place(name)} has shape {shape}, expected {(n, *tail)}")
        values = file.read(name, rows - self._first_rows[at])
        missing = tail[0] - values.shape[1] if len(tail) == 1 else 0
        if missing < 0:
            raise ShapeError(f"{file.place(name)} has shape {shape}; set pixels = {shape[1]}")
        if missing:
            fits = values.dtype.kind == "f" or np.isfinite(pad)
            values = values if fits else values.astype(np.float64)
            values = np.pad(values, ((0, 0), (0, missing)), constant_values=pad)
        return values

    def _tail(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        return shape if self._pixels is None or len(shape) != 1 else (self._pixels,)

    def _file(self, at: int) -> StackedHDF5:
        """One file; the longest unused is closed for it where too many are open."""
        if at not in self._open:
            while len(self._open) >= OPEN_FILES:
                self._open.popitem(last=False)
            self._open[at] = StackedHDF5(self.files[at])
        self._open.move_to_end(at)
        return self._open[at]
