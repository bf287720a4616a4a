"""Files of vectors, a reader a format: matrices are mapped where they lie, where that is possible.

A matrix that a format compresses, or keeps in pieces, is read.
"""

import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from fmb.contract.arrays import Array
from fmb.contract.errors import DataError, did_you_mean
from fmb.files.ids import as_ids, read_id_file

__all__ = ["read_vectors"]

Views = dict[str, Array]


def read_vectors(path: Path, ids: str) -> tuple[Array, Views]:
    """Ids (n,) and view -> matrix of a file, in its order.

    Args:
        path: npz, npy, HDF5 or Parquet.
        ids: name of the ids in the file; for npy, which holds none, the path of a file of ids.

    Raises:
        DataError: the file cannot be read, or has no such ids.
    """
    if path.suffix not in _READERS:
        raise DataError(f"{path}: cannot read {path.suffix!r}; give {', '.join(_READERS)}")
    try:
        listed, views = _READERS[path.suffix](path, ids)
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise DataError(f"{path}: cannot be read: {error}") from None
    return listed, {name: matrix for name, matrix in views.items() if matrix.dtype.kind in "biuf"}


def _pick_ids(path: Path, names: Mapping[str, Any], ids: str) -> Any:
    if ids not in names:
        raise DataError(f"{path}: no ids {ids!r}{did_you_mean(ids, names)}; name them with --ids")
    return names[ids]


def _read_npz(path: Path, ids: str) -> tuple[Array, Views]:
    # Object arrays are refused: they could run code. `np.load` leaves a damaged file open.
    with (
        path.open("rb") as stream,
        zipfile.ZipFile(stream) as archive,
        np.lib.npyio.NpzFile(stream) as arrays,
    ):
        listed = as_ids(_pick_ids(path, arrays, ids), str(path))
        views = {}
        stored = archive.namelist()
        for name in arrays.files:
            if f"{name}.npy" not in stored:
                continue  # something else that was put into the archive
            mapped = _mapped_member(path, f"{name}.npy")
            matrix = arrays[name] if mapped is None else mapped
            if matrix.ndim == 2:
                views[name] = matrix
    return listed, views


def _mapped_member(path: Path, member: str) -> Array | None:
    """An array of an npz where it lies in the file; None where it is compressed or of objects."""
    with zipfile.ZipFile(path) as archive:
        entry = archive.getinfo(member)
        if entry.compress_type != zipfile.ZIP_STORED:
            return None
    with path.open("rb") as stream:
        stream.seek(entry.header_offset + 26)
        name, extra = (int.from_bytes(stream.read(2), "little") for _ in range(2))
        stream.seek(name + extra, 1)
        version = np.lib.format.read_magic(stream)
        if version > (2, 0):
            return None
        read = np.lib.format.read_array_header_1_0
        if version == (2, 0):
            read = np.lib.format.read_array_header_2_0
        shape, fortran, dtype = read(stream)
        if dtype.hasobject or not np.prod(shape):
            return None
        mapped: Array = np.memmap(path, dtype, "r", stream.tell(), shape, "F" if fortran else "C")
        return mapped


def _read_npy(path: Path, ids: str) -> tuple[Array, Views]:
    source = Path(ids)
    if not source.is_file():
        raise DataError(f"{path}: an npy file has no ids; name a file of ids with --ids")
    listed = as_ids(np.load(source), ids) if source.suffix == ".npy" else read_id_file(source)
    return listed, {"vectors": np.load(path, mmap_mode="r")}


def _read_hdf5(path: Path, ids: str) -> tuple[Array, Views]:
    import h5py  # imported here: most runs read no HDF5

    with h5py.File(path, "r") as file:
        own = {
            name: file[name]
            for name in file
            if isinstance(file.get(name, getlink=True), h5py.HardLink)
            and isinstance(file[name], h5py.Dataset)
            and not (file[name].external or file[name].is_virtual)  # of no digest that we know
        }
        listed = as_ids(_pick_ids(path, own, ids)[()], str(path))
        views = {n: _matrix(path, d) for n, d in own.items() if d.ndim == 2 and d.dtype.kind == "f"}
    return listed, views


def _matrix(path: Path, dataset: Any) -> Array:
    """A dataset where it lies in the file, if it lies there in one plain piece."""
    import h5py

    offset = dataset.id.get_offset()
    plain = dataset.id.get_type() == h5py.h5t.py_create(dataset.dtype, logical=True)
    whole = dataset.id.get_storage_size() == dataset.size * dataset.dtype.itemsize
    if offset is None or not (dataset.size and plain and whole):
        return np.asarray(dataset[()])
    return np.memmap(path, dataset.dtype, "r", offset, dataset.shape)


def _read_parquet(path: Path, ids: str) -> tuple[Array, Views]:
    # Imported here: most runs read their vectors from elsewhere.
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(path)
    except pa.ArrowException as error:
        raise DataError(f"{path}: cannot be read: {error}") from None
    names = dict.fromkeys(table.column_names)
    _pick_ids(path, names, ids)
    lists = pa.types.is_list, pa.types.is_large_list, pa.types.is_fixed_size_list
    views = {}
    for name in names:
        kind = table.schema.field(name).type
        if any(is_list(kind) for is_list in lists):
            column = table[name].combine_chunks()
            if column.null_count:
                raise DataError(f"{path}: column {name!r} has {column.null_count} empty rows")
            views[name] = np.stack(column.to_numpy(zero_copy_only=False))
    return as_ids(table[ids].to_numpy(), str(path)), views


_READERS: dict[str, Callable[[Path, str], tuple[Array, Views]]] = {
    ".npz": _read_npz,
    ".npy": _read_npy,
    ".h5": _read_hdf5,
    ".hdf5": _read_hdf5,
    ".parquet": _read_parquet,
}
