"""Where the datasets of one input are: stacked in one file, or in a file an object."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from fmb import Array, DataError, ShapeError
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

__all__ = ["PerObject", "Stacked"]


class Stacked:
    """Datasets of one file; the first axis is the objects. Pickles without the open file."""

    def __init__(self, path: Path) -> None:
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

    def read(self, name: str, rows: Array) -> Array:
        """(m, ...): those rows."""
        return read_rows(self.dataset(name), rows)


class PerObject:
    """One file an object, all with the same datasets; a row is a file."""

    def __init__(self, paths: Sequence[Path]) -> None:
        self.paths = tuple(paths)
        self._stated: dict[str, Stated] = {}
        self._shapes: dict[str, tuple[int, ...]] = {}

    def place(self, name: str) -> str:
        """Where `name` is, for messages."""
        return f"{self.paths[0]} and {len(self.paths) - 1} more: {name!r}"

    def shape(self, name: str) -> tuple[int, ...]:
        """Shape of the first object's dataset, with the number of files before it."""
        if name not in self._shapes:
            with open_file(self.paths[0]) as file:
                self._shapes[name] = tuple(numeric(find_dataset(file, name)).shape)
        return (len(self.paths), *self._shapes[name])

    def kind(self, name: str) -> Any:
        """Type of the numbers as the first file stores them."""
        with open_file(self.paths[0]) as file:
            return np.dtype(find_dataset(file, name).dtype)

    def stated(self, name: str) -> Stated:
        """What the first file says of the numbers of a dataset; `read` holds the others to it."""
        if name not in self._stated:
            with open_file(self.paths[0]) as file:
                written = attributes(find_dataset(file, name))
                self._stated[name] = stated(written, f"{self.paths[0]}: {name!r}")
        return self._stated[name]

    def read(self, name: str, rows: Array) -> Array:
        """(m, ...): one entry a file.

        Raises:
            ShapeError: a file's dataset has another shape than that of the first.
            DataError: a file says something else of its numbers than the first.
        """
        shape = self.shape(name)[1:]
        found: list[Array] = []
        for row in rows:
            with open_file(self.paths[row]) as file:
                dataset = numeric(find_dataset(file, name))
                found.append(whole(dataset))
                written = attributes(dataset)
                if stated(written, f"{self.paths[row]}: {name!r}") != self.stated(name):
                    raise DataError(
                        f"{self.paths[row]}: {name!r} has another unit, scale or missing value than"
                        f" in {self.paths[0]}; write all files alike"
                    )
            if found[-1].shape != shape:
                raise ShapeError(
                    f"{self.paths[row]}: {name!r} has shape {found[-1].shape},"
                    f" in {self.paths[0]} it has {shape}"
                )
        return np.stack(found) if found else np.empty((0, *shape))
