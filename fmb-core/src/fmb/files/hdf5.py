"""Safe access to HDF5 files: nothing outside the file is followed, nothing absurd is read."""

import math
from collections.abc import Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from fmb.contract.arrays import Array
from fmb.files.columns import masks_of
from fmb.files.damage import undamaged
from fmb.messages.errors import DataError, did_you_mean

__all__ = [
    "attributes",
    "dataset_names",
    "find_dataset",
    "numeric",
    "open_file",
    "read_column",
    "read_rows",
    "runs",
    "whole",
]

CACHE_BYTES = 32 * 2**20
"""Chunk cache of each dataset: rows read out of order decompress a chunk once, not once a row."""

_FILTERS = (1, 2, 3, 4, 5, 6, 32000)
"""gzip, shuffle, fletcher32, szip, nbit, scale-offset, lzf; others load code from a plugin path."""

_LARGE_BYTES = 64 * 2**20
_MAX_RATIO = 2048
"""gzip packs at most about 1032 to 1; a large dataset beyond this was declared, never written."""

_MAX_LINKS = 8


def open_file(path: Path) -> h5py.File:
    """The HDF5 file at `path`, open for reading.

    Raises:
        DataError: it is missing, unreadable, truncated or no HDF5 file.
    """
    try:
        return h5py.File(path, "r", rdcc_nbytes=CACHE_BYTES)
    except FileNotFoundError:
        raise DataError(f"{path}: no such file") from None
    except IsADirectoryError:
        raise DataError(f"{path}: is a folder, expected an HDF5 file") from None
    except PermissionError:
        raise DataError(f"{path}: no permission to read it") from None
    except OSError as error:
        reason = str(error)
        if "signature not found" in reason:
            raise DataError(f"{path}: not an HDF5 file") from None
        if "truncated" in reason:
            raise DataError(f"{path}: the HDF5 file is cut short; copy it again") from None
        raise DataError(f"{path}: cannot be opened: {reason}") from None


def attributes(entry: h5py.Dataset | h5py.File) -> dict[str, Any]:
    """What is written beside a dataset, or a file, by name.

    Raises:
        DataError: the file is damaged there.
    """
    with undamaged(f"{entry.file.filename}: {entry.name!r}"):
        return dict(entry.attrs)


def dataset_names(group: h5py.Group, prefix: str = "") -> Iterator[str]:
    """Paths of the datasets below a group, through hard links only.

    Raises:
        DataError: the file is damaged there.
    """
    with undamaged(f"{group.file.filename}: {group.name!r}"):
        for name in group:
            if not isinstance(group.get(name, getlink=True), h5py.HardLink):
                continue
            path, entry = f"{prefix}{name}", group[name]
            if isinstance(entry, h5py.Group):
                yield from dataset_names(entry, f"{path}/")
            elif isinstance(entry, h5py.Dataset):
                yield path


def find_dataset(file: h5py.File, path: str) -> h5py.Dataset:
    """The dataset at `path`, if reading it touches this file only.

    Raises:
        DataError: there is none, or it is a link out of the file, external, virtual, compressed by
            a filter plugin, or declares far more than the file stores.
    """
    where = f"{file.filename}: {path!r}"
    with undamaged(where):
        entry = _follow(file, path, where)
    if not isinstance(entry, h5py.Dataset):
        raise DataError(f"{where} is a group, expected a dataset")
    with undamaged(where):
        _refuse_unsafe(entry, where)
    return entry


def _refuse_unsafe(entry: h5py.Dataset, where: str) -> None:
    """Refuse a dataset that lies elsewhere, needs a plugin to read, or was never written."""
    if entry.external or entry.is_virtual:
        raise DataError(f"{where} keeps its data in other files, which FMB does not follow")
    plist = entry.id.get_create_plist()
    for index in range(plist.get_nfilters()):
        number, *_, name = plist.get_filter(index)
        if number not in _FILTERS:
            label = name.decode(errors="replace") or "unknown"
            raise DataError(
                f"{where} is packed by filter plugin {number} ({label}), which is not loaded;"
                " repack it with h5repack -f GZIP=4"
            )
    declared, stored = entry.size * entry.dtype.itemsize, entry.id.get_storage_size()
    if declared and (not stored or (declared > _LARGE_BYTES and declared > _MAX_RATIO * stored)):
        raise DataError(f"{where} declares {declared} bytes but the file stores {stored} of them")


def _follow(file: h5py.File, path: str, where: str) -> Any:
    group: Any = file
    parts = [part for part in path.split("/") if part]
    links = 0
    while parts:
        part = parts.pop(0)
        link = _link(group, part, where)
        if link is None:
            raise DataError(f"{where} is not there{did_you_mean(path, dataset_names(file))}")
        if isinstance(link, h5py.SoftLink):
            links += 1
            if links > _MAX_LINKS:
                raise DataError(f"{where} goes through more than {_MAX_LINKS} links")
            parts = [*filter(None, link.path.split("/")), *parts]
            group = file if link.path.startswith("/") else group
        elif isinstance(link, h5py.ExternalLink):
            raise DataError(f"{where} is a link into another file, which FMB does not follow")
        else:
            group = group[part]
    return group


def _link(group: Any, part: str, where: str) -> Any:
    if not isinstance(group, h5py.Group):
        return None
    try:
        return group.get(part, getlink=True)
    except TypeError:  # a link class that only the program which wrote it knows
        raise DataError(f"{where} goes through a link of an unknown kind") from None


def read_column(file: h5py.File, path: str) -> tuple[Array, Mapping[str, Any]]:
    """A column of a table and the attributes beside it: a dataset, or a field of one of records.

    Args:
        file: where it is.
        path: "group/dataset", or "group/dataset/field".

    Returns:
        (n, ...), native byte order, text as bytes or str, masked where a field beside it, as
        astropy writes it, says so; and the attributes, {} for a field.

    Raises:
        DataError: it is not there, unsafe or damaged, or holds records or references.
    """
    table, _, field = path.rpartition("/")
    with undamaged(f"{file.filename}: {path!r}"):
        linked = table and isinstance(file.get(table, getlink=True), h5py.HardLink)
        records = file[table] if linked else None
        if isinstance(records, h5py.Dataset) and records.dtype.names:
            find_dataset(file, table)
            if field not in records.dtype.names:
                hint = did_you_mean(field, records.dtype.names)
                raise DataError(f"{file.filename}: {table!r} has no field {field!r}{hint}")
            values = _native(records, records.dtype[field], field)
            mask = masks_of(records.dtype.names).get(field)
            if mask is not None and records.dtype[mask].kind == "b":
                values = np.ma.MaskedArray(values, records[mask])
            return values, {}
    dataset = find_dataset(file, path)
    if dataset.dtype.names:
        fields = ", ".join(f"{path}/{name}" for name in dataset.dtype.names[:3])
        raise DataError(f"{file.filename}: {path!r} is a table; name its columns: {fields} ...")
    return whole(dataset), attributes(dataset)


def _native(records: h5py.Dataset, kind: Any, field: str) -> Array:
    where = f"{records.file.filename}: '{records.name.lstrip('/')}/{field}'"
    if h5py.check_string_dtype(kind) is None and kind.base.kind not in "fiubS":
        raise DataError(f"{where} has type {kind}, expected numbers or text")
    with undamaged(where):
        found = np.asarray(records[field])
    return found.astype(found.dtype.newbyteorder("="), copy=False)


def numeric(dataset: h5py.Dataset) -> h5py.Dataset:
    """The same dataset if it holds numbers or booleans.

    Raises:
        DataError: it holds text, records or references.
    """
    if dataset.dtype.kind not in "fiub":
        raise DataError(
            f"{dataset.file.filename}: {dataset.name!r} has type {dataset.dtype}, expected numbers"
        )
    return dataset


def runs(ascending: Array, gap: int = 1) -> Iterator[tuple[int, int]]:
    """Begin and end of each stretch of `ascending` whose steps are at most `gap`."""
    edges = np.flatnonzero(np.diff(ascending) > gap) + 1
    bounds = [0, *edges.tolist(), len(ascending)]
    yield from (pair for pair in pairwise(bounds) if pair[0] < pair[1])


def read_rows(dataset: h5py.Dataset, rows: Array) -> Array:
    """Rows of a dataset, in any order.

    h5py's own index lists are slow: neighbouring rows are read in one piece, the others one by
    one, sorted, so that the cache gives each chunk once. Where it cannot hold the chunks of a row,
    the rows between are read as well and dropped.

    Args:
        dataset: its first axis is the rows.
        rows: (m,) positions.

    Returns:
        (m, ...) in the order of `rows`, native byte order.

    Raises:
        DataError: the file is damaged there.
    """
    native = dataset.dtype.newbyteorder("=")
    if len(rows) and (np.diff(rows) == 1).all():  # most reads are of this kind: nothing to copy
        with undamaged(f"{dataset.file.filename}: {dataset.name!r}"):
            return np.asarray(dataset[rows[0] : rows[-1] + 1]).astype(native, copy=False)
    out = np.empty((len(rows), *dataset.shape[1:]), dtype=native)
    order = np.argsort(rows, kind="stable")
    ascending = np.asarray(rows)[order]
    chunk_rows = dataset.chunks[0] if dataset.chunks else 1
    cached = chunk_rows * math.prod(out.shape[1:]) * out.itemsize <= CACHE_BYTES
    with undamaged(f"{dataset.file.filename}: {dataset.name!r}"):
        for begin, end in runs(ascending, 1 if cached else chunk_rows):
            first, last = int(ascending[begin]), int(ascending[end - 1])
            piece = dataset[first : last + 1]
            picked = ascending[begin:end] - first
            all_of_it = np.array_equal(picked, np.arange(len(piece)))
            out[order[begin:end]] = piece if all_of_it else piece[picked]
    return out


def whole(dataset: h5py.Dataset) -> Array:
    """All of a dataset of numbers or text, native byte order; text as bytes or str.

    Raises:
        DataError: it holds records or references, or the file is damaged there.
    """
    if h5py.check_string_dtype(dataset.dtype) is None:
        numeric(dataset)
    with undamaged(f"{dataset.file.filename}: {dataset.name!r}"):
        found = np.asarray(dataset[()])
    return found.astype(found.dtype.newbyteorder("="), copy=False)
