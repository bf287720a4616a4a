"""HDF5 files of one object each."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from fmb import Array
from fmb.files import Stated, attributes, find_dataset, numeric, open_file, stated, whole

__all__ = ["ObjectHDF5", "open_object"]


class ObjectHDF5:
    """An open file."""

    def __init__(self, file: h5py.File, path: Path) -> None:
        self._file, self._path = file, path

    def shape(self, name: str) -> tuple[int, ...]:
        """Of a dataset of numbers."""
        return tuple(numeric(find_dataset(self._file, name)).shape)

    def kind(self, name: str) -> "np.dtype[Any]":
        """Type of its numbers as they are stored."""
        kind: np.dtype[Any] = find_dataset(self._file, name).dtype
        return kind

    def stated(self, name: str) -> Stated:
        """What the file says of them."""
        written = attributes(find_dataset(self._file, name))
        return stated(written, f"{self._path}: {name!r}")

    def read(self, name: str) -> Array:
        """The dataset as a whole."""
        return whole(numeric(find_dataset(self._file, name)))


@contextmanager
def open_object(path: Path) -> Iterator[ObjectHDF5]:
    """The file of an object.

    Raises:
        DataError: it is missing, unreadable, truncated or no HDF5 file.
    """
    with open_file(path) as file:
        yield ObjectHDF5(file, path)
