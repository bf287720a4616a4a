"""What every kind of file answers of the arrays in it, and which kinds there are."""

from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol, cast

import numpy as np

from fmb import Array, ConfigError, ShapeError, did_you_mean
from fmb.files import Stated

__all__ = ["FORMATS", "PARTITIONS", "Store", "format_of", "open_store", "present_at"]

FORMATS = {
    "hdf5": ("fmb_surveys.files.stores.stacked_hdf5:StackedHDF5", (".h5", ".hdf5")),
    "shards": ("fmb_surveys.files.stores.hdf5_shards:HDF5Shards", ()),
    "mmu-hdf5": ("fmb_surveys.files.stores.partitioned_hdf5:PartitionedHDF5", ()),
    "fits": (
        "fmb_surveys.files.stores.stacked_fits:StackedFITS",
        (".fits", ".fit", ".fits.gz", ".fz"),
    ),
    "desi": ("fmb_surveys.files.stores.desi_coadd:DesiCoadds", ()),
    "parquet": ("fmb_surveys.files.stores.parquet_tree:ParquetTree", (".parquet",)),
    "arrow": ("fmb_surveys.files.stores.arrow_files:ArrowFiles", (".arrow",)),
}
"""Format -> what opens one file, or one tree, that holds all objects, and the endings it has."""

PARTITIONS = "partitions.parquet"
"""Name that a reader gives a table of row groups, which stands for a tree of Parquet files."""


class Store(Protocol):
    """Arrays by name whose first axis is the stored rows. Pickles without open files."""

    def place(self, name: str) -> str:
        """Where the array is, for messages."""

    def shape(self, name: str) -> tuple[int, ...]:
        """(rows, ...) of an array of numbers; of those of several lengths, the longest."""

    def kind(self, name: str) -> "np.dtype[Any]":
        """Type of the numbers as they are stored."""

    def stated(self, name: str) -> Stated:
        """What the file says of the numbers."""

    def read(self, name: str, rows: Array, pad: float = np.nan) -> Array:
        """(m, ...): those rows, in that order.

        Args:
            name: of the array.
            rows: (m,), stored rows, repeats allowed.
            pad: fills what a row is shorter by than the longest, and rows without a value.
        """

    def column(self, name: str) -> Array:
        """(rows,): a value for each stored row, such as ids."""

    def origins(self, rows: Array, digest: str | None, mapping: str) -> Array:
        """(m,), uint64: what tells where each row comes from; another when the file changes.

        Args:
            rows: (m,), stored rows.
            digest: of the content of the file or tree, where it was taken.
            mapping: says how it is read.
        """


def format_of(path: Path, asked: str, formats: Sequence[str] = tuple(FORMATS)) -> str:
    """The format of a file: what is asked for, else what its ending says, else HDF5.

    Raises:
        ConfigError: there is no such format.
    """
    if asked and asked not in formats:
        raise ConfigError(f"no format is called {asked!r}{did_you_mean(asked, formats)}")
    endings = {ending: name for name in formats for ending in FORMATS[name][1]}
    name = path.name.lower()
    return asked or next((kind for end, kind in endings.items() if name.endswith(end)), "hdf5")


def open_store(path: Path, asked: str = "", pixels: int | None = None) -> Store:
    """The file or tree at `path` that holds an input of all objects.

    Args:
        path: file, or folder of a tree.
        asked: its format; "" = by its ending.
        pixels: of the longest spectrum, where they are not all as long.

    Raises:
        ConfigError: there is no such format.
    """
    module, _, name = FORMATS[format_of(path, asked)][0].partition(":")
    return cast(Store, getattr(import_module(module), name)(path, pixels))


def present_at(store: Store, name: str, rows: Array, shape: tuple[int, ...]) -> Array:
    """(m,) bool: which of some stored rows were observed, by a column of their store.

    Args:
        store: where the column is; one with a method `present_at` reads no more than these rows.
        name: of the column.
        rows: (m,), stored rows.
        shape: that the column must have.

    Raises:
        ShapeError: the column has another.
    """
    own = getattr(store, "present_at", None)
    if own is not None:
        return np.asarray(own(name, rows))
    have = store.column(name)
    if have.shape != shape:
        raise ShapeError(f"{store.place(name)} has shape {have.shape}, expected {shape}")
    return np.asarray(have[rows] != 0)
