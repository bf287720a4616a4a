"""Vectors in npz and npy files: mapped where they lie, unless they are compressed."""

import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, Any

import numpy as np
import pandas as pd

from fmb.contract.arrays import Array
from fmb.files.columns import from_array
from fmb.files.ids import as_ids
from fmb.messages.errors import DataError
from fmb.vectors.columns import Asked, Column, Layout, kind_of, lay_out
from fmb.vectors.records import catalogue, read_structured
from fmb.vectors.table import Blocks, VectorTable, block_rows, refuse_lengths

__all__ = ["read_npy", "read_npz"]


def read_npy(path: Path, asked: Asked) -> VectorTable:
    """One matrix, the view `vectors`, or a table of records.

    Raises:
        DataError: it is neither.
    """
    array = np.load(path, mmap_mode="r")
    if array.dtype.names:
        return read_structured(array, asked, str(path))
    if array.ndim != 2:
        raise DataError(
            f"{path}: no array of vectors, expected shape (n, d), got {array.shape}; a table has"
            " its columns side by side"
        )
    kind = kind_of(array.dtype.kind, 1)
    lay_out({"vectors": Column(kind, _about(array.dtype, array.shape))}, asked, str(path))
    return VectorTable(None, pd.DataFrame(index=range(len(array))), {"vectors": array})


@dataclass(frozen=True)
class _Member:
    """An array of an archive, of which only the head was read."""

    shape: tuple[int, ...]
    fortran: bool
    dtype: np.dtype[Any]


def read_npz(path: Path, asked: Asked) -> VectorTable:
    """Two-dimensional arrays are vectors; those of one number an object are the catalogue.

    Raises:
        DataError: an array is of Python's own objects, which could run code, or cannot be used.
    """
    # `np.load` leaves a damaged file open.
    with (
        path.open("rb") as stream,
        zipfile.ZipFile(stream) as archive,
        np.lib.npyio.NpzFile(stream) as arrays,
    ):
        stored = archive.namelist()
        # What else was put into the archive is left alone.
        heads = {n: _head(path, archive, n) for n in arrays.files if f"{n}.npy" in stored}
        columns = {
            name: Column(kind_of(head.dtype.kind, len(head.shape) - 1), _about(*_type(head)))
            for name, head in heads.items()
        }
        layout = lay_out(columns, asked, str(path))
        listed = None if layout.ids is None else as_ids(arrays[layout.ids], str(path))
        n = _objects(listed, layout, heads)
        fits = [name for name in layout.catalog if heads[name].shape == (n,)]
        other = [f"{m} {heads[m].shape}" for m in layout.catalog if m not in fits]
        catalog, unread = catalogue({m: partial(_column, arrays, m) for m in fits}, n)
        matrices: dict[str, Array] = {}
        packed: dict[str, tuple[int, int]] = {}
        for view, names in layout.views.items():
            head = heads[names[0]]
            mapped = None if len(head.shape) == 1 else _mapped_member(path, names[0], head)
            if mapped is not None:
                matrices[view] = mapped
            elif len(head.shape) == 1:
                refuse_lengths(str(path), {name: heads[name].shape[0] for name in names})
                matrices[view] = np.column_stack([arrays[name] for name in names])
            else:
                packed[view] = (head.shape[0], head.shape[1])
    members = {view: layout.views[view][0] for view in packed}
    left_out = (*layout.left_out, *other, *unread)
    return VectorTable(
        listed, catalog, matrices, packed, lambda: _unpacked(path, members, heads), left_out
    )


def _column(arrays: np.lib.npyio.NpzFile, name: str) -> Any:
    return from_array(arrays[name])


def _type(head: _Member) -> tuple[np.dtype[Any], tuple[int, ...]]:
    return head.dtype, head.shape


def _about(dtype: np.dtype[Any], shape: tuple[int, ...]) -> str:
    what = "complex, which has no order: store real and imaginary part" if dtype.kind == "c" else ""
    what = "of records" if dtype.names else what or str(dtype)
    return f"{what}, shape {shape}"


def _objects(listed: Array | None, layout: Layout, heads: dict[str, _Member]) -> int:
    if listed is not None:
        return len(listed)
    return heads[next(iter(layout.views.values()))[0]].shape[0]


def _head(path: Path, archive: zipfile.ZipFile, name: str) -> _Member:
    with archive.open(f"{name}.npy") as stream:
        head = _read_head(stream)
    if head.dtype.hasobject:
        raise DataError(
            f"{path}: cannot be read: {name!r} is of Python's own objects, which could run code;"
            " store text as .astype(str)"
        )
    return head


def _read_head(stream: IO[bytes]) -> _Member:
    version = np.lib.format.read_magic(stream)
    if version == (1, 0):
        return _Member(*np.lib.format.read_array_header_1_0(stream))
    return _Member(*np.lib.format.read_array_header_2_0(stream))


def _mapped_member(path: Path, name: str, head: _Member) -> Array | None:
    """An array of an npz where it lies in the file; None where it is compressed or empty."""
    with zipfile.ZipFile(path) as archive:
        entry = archive.getinfo(f"{name}.npy")
        if entry.compress_type != zipfile.ZIP_STORED or 0 in head.shape:
            return None
    with path.open("rb") as stream:
        stream.seek(entry.header_offset + 26)
        length, extra = (int.from_bytes(stream.read(2), "little") for _ in range(2))
        stream.seek(length + extra, 1)
        order: Any = "F" if _read_head(stream).fortran else "C"
        mapped: Array = np.memmap(path, head.dtype, "r", stream.tell(), head.shape, order)
        return mapped


def _unpacked(path: Path, members: dict[str, str], heads: dict[str, _Member]) -> Blocks:
    for view, name in members.items():
        head = heads[name]
        with zipfile.ZipFile(path) as archive, archive.open(f"{name}.npy") as stream:
            for block in _rows(stream, head):
                yield view, block


def _rows(stream: IO[bytes], head: _Member) -> Iterator[Array]:
    """The rows of a compressed array, a block at a time where it lies row by row."""
    if head.fortran:
        yield np.lib.format.read_array(stream, allow_pickle=False)
        return
    _read_head(stream)
    n, d = head.shape
    rows = block_rows(d * head.dtype.itemsize)
    for at in range(0, n, rows):
        k = min(rows, n - at)
        body = stream.read(k * d * head.dtype.itemsize)
        yield np.frombuffer(body, head.dtype).reshape(k, d)
