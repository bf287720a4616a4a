"""A user's own vectors from npz, npy, HDF5 or Parquet: they need no model."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from fmb.contract.arrays import Array
from fmb.contract.config import Config
from fmb.contract.errors import DataError, did_you_mean
from fmb.contract.vectors import Vectors
from fmb.datasets.ids import (
    as_ids,
    canonical_order,
    locate,
    parse_ids,
    read_id_file,
    refuse_duplicates,
)
from fmb.store.keys import file_sha256

__all__ = ["OwnSurvey", "OwnVectors", "read_own_vectors"]


class OwnVectors(Config):
    """Table `[embeddings]`: a user's own vectors, which need no model."""

    file: str
    ids: str = "object_id"
    catalog: str | None = None
    catalog_id: str | None = None


@dataclass(frozen=True)
class OwnSurvey:
    """Vectors by view, and the table of their objects."""

    objects: pd.DataFrame
    views: Mapping[str, Vectors]
    identity: Mapping[str, Any]


def read_own_vectors(request: OwnVectors) -> OwnSurvey:
    """Read the file named by `--embeddings`; rows come out in canonical id order.

    Views are the file's two-dimensional arrays (npz, HDF5) or list columns (Parquet); an npy file
    is one view, `vectors`, and takes its ids from the file named by `--ids`.

    Raises:
        DataError: the file, its ids or its vectors cannot be used.
    """
    path = Path(request.file).expanduser()
    if not path.is_file():
        raise DataError(f"{path}: no such file")
    ids, views = _read(path, request.ids)
    if len(views) == 0:
        raise DataError(f"{path}: no array of vectors, expected shape (n, d) with n = {len(ids)}")
    _check(path, ids, views)
    order = canonical_order(ids)
    objects = pd.DataFrame({"object_id": ids[order]})
    if request.catalog:
        objects = _join(objects, Path(request.catalog), request.catalog_id or "object_id")
    vectors = {
        name: Vectors(ids[order], np.ascontiguousarray(value[order], dtype=np.float32))
        for name, value in views.items()
    }
    return OwnSurvey(objects, vectors, {"file": path.name, "sha256": file_sha256(path)})


def _read(path: Path, ids: str) -> tuple[Array, dict[str, Array]]:
    readers = {
        ".npz": _read_npz,
        ".npy": _read_npy,
        ".h5": _read_hdf5,
        ".hdf5": _read_hdf5,
        ".parquet": _read_parquet,
    }
    if path.suffix not in readers:
        raise DataError(f"{path}: cannot read {path.suffix!r}; give {', '.join(readers)}")
    try:
        return readers[path.suffix](path, ids)
    except (OSError, ValueError, EOFError, pa.ArrowException) as error:
        raise DataError(f"{path}: cannot be read: {error}") from None


def _pick_ids(path: Path, names: Mapping[str, Any], ids: str) -> Any:
    if ids not in names:
        raise DataError(f"{path}: no ids {ids!r}{did_you_mean(ids, names)}; name them with --ids")
    return names[ids]


def _read_npz(path: Path, ids: str) -> tuple[Array, dict[str, Array]]:
    with np.load(path) as arrays:  # object arrays are refused: they could run code
        named = {name: arrays[name] for name in arrays.files}
    found = as_ids(_pick_ids(path, named, ids), str(path))
    return found, {name: value for name, value in named.items() if value.ndim == 2}


def _read_npy(path: Path, ids: str) -> tuple[Array, dict[str, Array]]:
    source = Path(ids)
    if not source.is_file():
        raise DataError(f"{path}: an npy file has no ids; name a file of ids with --ids")
    found = as_ids(np.load(source), ids) if source.suffix == ".npy" else read_id_file(source)
    return found, {"vectors": np.load(path)}


def _read_hdf5(path: Path, ids: str) -> tuple[Array, dict[str, Array]]:
    with h5py.File(path, "r") as file:
        own = {
            name: file[name]
            for name in file
            if isinstance(file.get(name, getlink=True), h5py.HardLink)
            and isinstance(file[name], h5py.Dataset)
            and not file[name].external
        }
        found = as_ids(_pick_ids(path, own, ids)[()], str(path))
        views = {n: d[()] for n, d in own.items() if d.ndim == 2 and d.dtype.kind == "f"}
    return found, views


def _read_parquet(path: Path, ids: str) -> tuple[Array, dict[str, Array]]:
    table = pq.read_table(path)
    names = dict.fromkeys(table.column_names)
    _pick_ids(path, names, ids)
    views = {}
    for name in names:
        kind = table.schema.field(name).type
        if (
            pa.types.is_list(kind)
            or pa.types.is_large_list(kind)
            or pa.types.is_fixed_size_list(kind)
        ):
            column = table[name].combine_chunks()
            if column.null_count:
                raise DataError(f"{path}: column {name!r} has {column.null_count} empty rows")
            views[name] = np.stack(column.to_numpy(zero_copy_only=False))
    return as_ids(table[ids].to_numpy(), str(path)), views


def _check(path: Path, ids: Array, views: Mapping[str, Array]) -> None:
    if len(ids) == 0:
        raise DataError(f"{path}: no objects")
    refuse_duplicates(ids, str(path))
    for name, value in views.items():
        if value.ndim != 2 or len(value) != len(ids):
            raise DataError(f"{path}: {name!r} has shape {value.shape} for {len(ids)} ids")
        bad = ~np.isfinite(value).all(axis=1)
        if bad.any():
            first = ", ".join(str(v) for v in ids[bad][:3])
            raise DataError(
                f"{path}: {name!r} has {int(bad.sum())} rows that are not finite: {first}"
            )


def _join(objects: pd.DataFrame, path: Path, key: str) -> pd.DataFrame:
    """The objects with the catalogue's columns, joined by id."""
    if not path.is_file():
        raise DataError(f"{path}: no such catalogue")
    try:
        catalog = pd.read_parquet(path) if path.suffix == ".parquet" else _read_catalog(path, key)
    except (OSError, ValueError, pa.ArrowException) as error:
        raise DataError(f"{path}: cannot be read: {error}") from None
    if key not in catalog:
        raise DataError(f"{path}: no column {key!r}{did_you_mean(key, catalog.columns)}")
    raw = catalog[key].to_numpy()
    ids = (
        parse_ids(raw.tolist(), str(path)) if path.suffix != ".parquet" else as_ids(raw, str(path))
    )
    refuse_duplicates(ids, str(path))
    at = locate(objects["object_id"].to_numpy(), ids)
    if (at < 0).any():
        raise DataError(
            f"{path}: {int((at < 0).sum())} of {len(objects)} objects are not in the catalogue,"
            f" for instance {objects['object_id'][at < 0].iloc[0]}"
        )
    columns = catalog.drop(columns=[key, "object_id"], errors="ignore").iloc[at]
    return pd.concat([objects, columns.reset_index(drop=True)], axis=1)


def _read_catalog(path: Path, key: str) -> pd.DataFrame:
    return pd.read_csv(path, dtype={key: str})
