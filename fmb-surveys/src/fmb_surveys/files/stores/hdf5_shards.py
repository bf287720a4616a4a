"""A folder of HDF5 files that `fmb data pack` wrote: rows follow each other, file after file."""

from functools import cached_property
from pathlib import Path

import numpy as np

from fmb import Array, DataError
from fmb_surveys.files.stores.partitioned_hdf5 import PartitionedHDF5

__all__ = ["SHARED", "HDF5Shards", "shard_name"]

SHARED = "shared/"
"""Arrays of this group are of all rows: they stand in every file alike."""


def shard_name(number: int) -> str:
    """Name of a file; in the order of names they are in the order of rows."""
    return f"shard-{number:06d}.h5"


class HDF5Shards(PartitionedHDF5):
    """Datasets of files that share their layout, and grids that all rows share."""

    @cached_property
    def files(self) -> list[Path]:
        """The files in the order of their rows.

        Raises:
            DataError: there are none, or one between two others is missing.
        """
        found = sorted(self.path.glob("shard-*.h5"))
        if [path.name for path in found] != [shard_name(at) for at in range(len(found))]:
            raise DataError(f"{self.path}: a shard is missing before {found[-1].name}; pack again")
        if not found:
            raise DataError(f"{self.path}: holds no shards; pack again")
        return found

    def shape(self, name: str) -> tuple[int, ...]:
        """(rows of all files, ...), or that of what all rows share."""
        return self._file(0).shape(name) if name.startswith(SHARED) else super().shape(name)

    def read(self, name: str, rows: Array, pad: float = np.nan) -> Array:
        """(m, ...): those rows, of whichever files, or of what all rows share."""
        if name.startswith(SHARED):
            return self._file(0).read(name, rows, pad)
        return super().read(name, rows, pad)
