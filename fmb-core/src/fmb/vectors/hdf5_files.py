"""Vectors in HDF5: matrices and columns of a group, or a table of records."""

from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from fmb.contract.arrays import Array
from fmb.files.hdf5 import attributes, dataset_names, find_dataset, whole
from fmb.files.ids import as_ids
from fmb.files.stated import Stated, meant, stated
from fmb.messages.errors import DataError
from fmb.vectors.columns import Asked, Column, kind_of, lay_out
from fmb.vectors.records import catalogue, read_structured
from fmb.vectors.table import Blocks, VectorTable, block_rows, refuse_lengths

__all__ = ["read_hdf5"]


def read_hdf5(path: Path, asked: Asked) -> VectorTable:
    """The vectors of the group, or of the table of records, in which the ids stand.

    Matrices that lie in one plain piece are mapped. What a file keeps outside itself is not read.

    Raises:
        DataError: there are no such ids, several places could be meant, or there are no vectors.
    """
    with h5py.File(path, "r") as file:
        own = {name: file[name] for name in dataset_names(file) if _inside(file[name])}
        place, ids = _place(path, own, asked)
        asked = Asked(ids, asked.ids_elsewhere, asked.vectors)
        if place in own:
            return _records(path, place, find_dataset(file, place), asked)
        prefix = f"{place}/" if place else ""
        members = {
            name.removeprefix(prefix).replace("/", "."): dataset
            for name, dataset in own.items()
            if name.startswith(prefix) and dataset.ndim and not dataset.dtype.names
        }
        return _group(path, file, members, asked)


def _inside(dataset: h5py.Dataset) -> bool:
    return not (dataset.external or dataset.is_virtual)  # of no digest that we know


def _place(path: Path, own: Mapping[str, Any], asked: Asked) -> tuple[str, str | None]:
    """The group or table of records that is meant, and what the ids are called in it."""
    folder, _, name = (asked.ids or "object_id").rpartition("/")
    with_ids = [p for p, dataset in own.items() if name in (dataset.dtype.names or ())]
    with_ids += [p.rpartition("/")[0] for p in own if p.rpartition("/")[2] == name]
    if folder:
        with_ids = [p for p in with_ids if p == folder]
    if "" in with_ids or len(with_ids) == 1:
        return "" if "" in with_ids else with_ids[0], name
    if not with_ids:
        with_ids = [p for p, dataset in own.items() if dataset.dtype.names]
        with_ids += [p.rpartition("/")[0] for p in own if not own[p].dtype.names]
        with_ids = list(dict.fromkeys(with_ids))
        if "" in with_ids or len(with_ids) < 2:
            return "" if "" in with_ids or not with_ids else with_ids[0], asked.ids
    raise DataError(
        f"{path}: vectors may stand in {', '.join(with_ids)}; say where, as --ids {with_ids[0]}/"
        f"{name}"
    )


def _records(path: Path, place: str, dataset: h5py.Dataset, asked: Asked) -> VectorTable:
    if dataset.ndim != 1:
        raise DataError(f"{path}: {place!r} has shape {dataset.shape}, expected a row an object")
    mapped = _mapped(path, dataset)
    if mapped is not None:
        return read_structured(mapped, asked, str(path))

    def read(part: slice, names: list[str]) -> Array:
        with h5py.File(path, "r") as file:
            return np.asarray(find_dataset(file, place).fields(names)[part])

    return read_structured(np.empty(0, dataset.dtype), asked, str(path), read=read)


def _group(path: Path, file: h5py.File, members: Mapping[str, Any], asked: Asked) -> VectorTable:
    columns = {name: Column(_kind(d), f"{d.dtype}, shape {d.shape}") for name, d in members.items()}
    layout = lay_out(columns, asked, str(path))

    def dataset(name: str) -> h5py.Dataset:
        return find_dataset(file, members[name].name)

    ids = None if layout.ids is None else as_ids(whole(dataset(layout.ids)), str(path))
    n = members[next(iter(layout.views.values()))[0]].shape[0] if ids is None else len(ids)
    fits = [name for name in layout.catalog if members[name].shape == (n,)]
    told = {name: stated(attributes(dataset(name)), f"{path}: {name!r}") for name in fits}
    beside = {name: partial(_meant, dataset(name), told[name]) for name in fits}
    catalog, unread = catalogue(beside, n)
    catalog.attrs["units"] = {
        name: told[name].unit for name in map(str, catalog) if told[name].unit
    }
    views = {view: [dataset(name) for name in names] for view, names in layout.views.items()}
    of_vectors = {
        d.name: stated(attributes(d), f"{path}: {d.name!r}") for own in views.values() for d in own
    }
    stored, packed = _matrices(path, views, of_vectors)
    names = {view: [d.name for d in views[view]] for view in packed}
    decode = partial(_read, path, names, packed, of_vectors)
    other = [f"{name} {members[name].shape}" for name in layout.catalog if name not in fits]
    left_out = (*layout.left_out, *other, *unread)
    return VectorTable(ids, catalog, stored, packed, decode, left_out)


def _meant(dataset: h5py.Dataset, told: Stated) -> Any:
    return meant(whole(dataset), told)


def _kind(dataset: h5py.Dataset) -> Any:
    return kind_of(dataset.dtype.kind, dataset.ndim - 1)


def _matrices(
    path: Path, views: Mapping[str, list[h5py.Dataset]], told: Mapping[str, Stated]
) -> tuple[dict[str, Array], dict[str, tuple[int, int]]]:
    stored: dict[str, Array] = {}
    packed: dict[str, tuple[int, int]] = {}
    for view, datasets in views.items():
        refuse_lengths(str(path), {one.name: len(one) for one in datasets})
        for one in datasets:
            if not told[one.name].as_stored:
                raise DataError(
                    f"{path}: {one.name!r} is to be scaled by what the file says; vectors are taken"
                    " as they lie: store them unscaled"
                )
        first = datasets[0]
        plain = first.ndim == 2 and not _may_lack(first.dtype, told[first.name])
        mapped = _mapped(path, first) if plain else None
        if mapped is not None:
            stored[view] = mapped
        else:
            packed[view] = (first.shape[0], first.shape[1] if first.ndim == 2 else len(datasets))
    return stored, packed


def _may_lack(dtype: np.dtype[Any], told: Stated) -> bool:
    """True where a value of the file means none and is no NaN, so that it has to be replaced."""
    return bool(told.missing) and (dtype.kind != "f" or not np.isnan(told.missing).all())


def _mapped(path: Path, dataset: h5py.Dataset) -> Array | None:
    """A dataset where it lies in the file, if it lies there in one plain piece."""
    offset = dataset.id.get_offset()
    plain = dataset.id.get_type() == h5py.h5t.py_create(dataset.dtype, logical=True)
    all_there = dataset.id.get_storage_size() == dataset.size * dataset.dtype.itemsize
    if offset is None or dataset.dtype.hasobject or not (dataset.size and plain and all_there):
        return None
    return np.memmap(path, dataset.dtype, "r", offset, dataset.shape)


def _read(
    path: Path,
    names: Mapping[str, list[str]],
    shapes: Mapping[str, tuple[int, int]],
    told: Mapping[str, Stated],
) -> Blocks:
    with h5py.File(path, "r") as file:
        for view, own in names.items():
            datasets = [file[name] for name in own]
            n, d = shapes[view]
            for part in _stretches(n, block_rows(d * datasets[0].dtype.itemsize)):
                pieces = [_with_gaps(one[part], told[one.name]) for one in datasets]
                yield view, pieces[0] if pieces[0].ndim == 2 else np.column_stack(pieces)


def _with_gaps(stored: Array, told: Stated) -> Array:
    """The same, NaN where the file says that there is no value."""
    gaps = told.gaps(stored)
    return stored if gaps is None or not gaps.any() else np.where(gaps, np.nan, stored)


def _stretches(n: int, rows: int) -> Iterator[slice]:
    return (slice(at, min(at + rows, n)) for at in range(0, n, rows))
