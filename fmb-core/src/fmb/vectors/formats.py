"""Files of vectors, a reader a format: matrices are mapped where they lie, where that is possible.

A matrix that a format compresses, or keeps in pieces, is decoded block by block.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from types import MappingProxyType

from fmb.files.damage import DAMAGE, reason, undamaged
from fmb.files.endings import ending
from fmb.messages.errors import DataError
from fmb.vectors.columns import Asked
from fmb.vectors.table import Blocks, VectorTable

__all__ = ["VECTOR_SUFFIXES", "Reader", "read_vectors"]

Reader = Callable[[Path, Asked], VectorTable]

_READERS = {
    ".npz": "numpy_files.read_npz",
    ".npy": "numpy_files.read_npy",
    ".h5": "hdf5_files.read_hdf5",
    ".hdf5": "hdf5_files.read_hdf5",
    ".parquet": "arrow_files.read_parquet",
    ".csv": "arrow_files.read_csv",
    ".csv.gz": "arrow_files.read_csv",
    ".fits": "fits_files.read_fits",
    ".fit": "fits_files.read_fits",
    ".fits.gz": "fits_files.read_fits",
}
"""Ending -> module and function, imported when such a file is read."""

VECTOR_SUFFIXES = tuple(_READERS)


def read_vectors(
    path: Path, asked: Asked, more: Mapping[str, Reader] = MappingProxyType({})
) -> VectorTable:
    """What a file holds, in its order.

    Args:
        path: npz, npy, HDF5, Parquet, CSV or FITS, by its ending.
        asked: which of it are ids and vectors.
        more: ending -> reader of formats that not everybody can read.

    Raises:
        DataError: the file cannot be read, or has no such ids or vectors.
    """
    suffix = ending(path)
    if suffix not in _READERS and suffix not in more:
        known = ", ".join([*_READERS, *more])
        raise DataError(f"{path}: cannot read {suffix!r}; give {known}")
    try:
        if suffix in more:
            return _guarded(path, more[suffix](path, asked))
        module, _, function = _READERS[suffix].partition(".")
        reader: Reader = getattr(import_module(f"fmb.vectors.{module}"), function)
        return _guarded(path, reader(path, asked))
    except DAMAGE as error:
        raise DataError(f"{path}: cannot be read: {reason(error)}") from None


def _guarded(path: Path, table: VectorTable) -> VectorTable:
    """The same, with what is wrong with packed vectors told when they are decoded."""

    def decode() -> Blocks:
        with undamaged(str(path)):
            yield from table.decode()

    return replace(table, decode=decode)
