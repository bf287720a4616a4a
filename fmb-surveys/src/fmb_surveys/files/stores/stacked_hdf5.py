"""Datasets of one HDF5 file whose first axis is the objects."""

import os
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from fmb import Array
from fmb.files import (
    Stated,
    attributes,
    find_dataset,
    numeric,
    open_file,
    read_rows,
    stated,
    whole,
)
from fmb_surveys.files.stores.origins import origins_in_file

__all__ = ["StackedHDF5"]


class StackedHDF5:
    """Datasets of one file; the first axis is the objects. Pickles without the open file."""

    def __init__(self, path: Path, pixels: int | None = None) -> None:
        """Nothing is opened before it is read; all rows of a dataset have one shape."""
        self.path = path
        self._file: h5py.File | None = None
        self._checked: dict[str, h5py.Dataset] = {}
        self._process = 0

    def __getstate__(self) -> dict[str, Any]:
        return {"path": self.path, "_file": None, "_checked": {}, "_process": 0}

    @property
    def file(self) -> h5py.File:
        """The file, opened once in each process."""
        # A handle inherited through fork shares its file position with the parent.
        if self._file is None or self._process != os.getpid():
            self._file, self._checked = open_file(self.path), {}
            self._process = os.getpid()
        return self._file

    def dataset(self, name: str) -> h5py.Dataset:
        """A dataset that has passed the checks of `find_dataset`."""
        file = self.file
        if name not in self._checked:
            self._checked[name] = find_dataset(file, name)
        return self._checked[name]

    def place(self, name: str) -> str:
        """Where `name` is, for messages."""
        return f"{self.path}: {name!r}"

    def shape(self, name: str) -> tuple[int, ...]:
        """Shape of a dataset of numbers."""
        return tuple(numeric(self.dataset(name)).shape)

    def kind(self, name: str) -> Any:
        """Type of the numbers as they are stored."""
        return np.dtype(self.dataset(name).dtype)

    def stated(self, name: str) -> Stated:
        """What the file says of the numbers of a dataset."""
        return stated(attributes(self.dataset(name)), self.place(name))

    def read(self, name: str, rows: Array, pad: float = np.nan) -> Array:
        """(m, ...): those rows; none is shorter than others."""
        return read_rows(self.dataset(name), rows)

    def column(self, name: str) -> Array:
        """(n,): a dataset as a whole."""
        return whole(self.dataset(name))

    def origins(self, rows: Array, digest: str | None, mapping: str) -> Array:
        """(m,), uint64, by the file's content, or size and time of change, and the row."""
        return origins_in_file(self.path, rows, digest, mapping)
