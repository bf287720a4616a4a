"""A user's own vectors: a dataset without inputs, whose matrices stay on disk."""

import re
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd

from fmb.contract.arrays import Array
from fmb.contract.config import Config
from fmb.contract.errors import DataError, did_you_mean
from fmb.contract.inputs import Batch, InputInfo
from fmb.contract.names import VectorName
from fmb.contract.vector_view import VectorView
from fmb.files.ids import as_ids, locate, parse_ids, refuse_duplicates
from fmb.files.matrices import read_vectors
from fmb.store.digests import Digests

__all__ = ["OwnVectors", "VectorFile", "open_vector_file"]

_ROWS_AT_ONCE = 4096
_VIEW = r"\w[\w.-]*"
"""Names of views are parts of file names."""


class OwnVectors(Config):
    """Table `[embeddings]`: a user's own vectors, which need no model."""

    file: str
    """npz, npy, HDF5 or Parquet."""
    ids: str = "object_id"
    """Array or column of their ids; for npy a file of ids."""
    catalog: str | None = None
    """Parquet or CSV with more columns of the objects."""
    catalog_id: str | None = None
    """Column of ids in `catalog`; left out: "object_id"."""


class VectorFile:
    """Objects with vectors, and nothing else that was observed of them."""

    def __init__(
        self,
        ids: Array,
        catalog: pd.DataFrame,
        identity: Mapping[str, Any],
        views: Mapping[str, Array],
        catalog_identity: Mapping[str, Any] = MappingProxyType({}),
    ) -> None:
        """A table of vectors.

        Args:
            ids: (n,), in the order of the file.
            catalog: one row an object, in that order.
            identity: plain values that tell the file from every other.
            views: view -> (n, d), as it lies in the file.
            catalog_identity: as `identity`, of the catalogue, which changes no vector.
        """
        self.ids, self.catalog = ids, catalog
        self.identity = {**identity, **catalog_identity}
        self.inputs: Mapping[str, InputInfo] = {}
        self.warnings: Sequence[str] = []
        rows = np.arange(len(ids))
        names = {view: VectorName("own", "given", view) for view in views}
        self.vectors: Mapping[VectorName, VectorView] = {
            names[view]: VectorView(
                names[view], {**identity, "view": view}, len(ids), rows, [matrix], rows
            )
            for view, matrix in views.items()
        }

    def __len__(self) -> int:
        return len(self.ids)

    def read(self, rows: Array, inputs: Collection[str] | None = None) -> Batch:
        """The ids at `rows`: nothing else was observed.

        Raises:
            DataError: an input is asked for by name.
        """
        for name in inputs or ():
            raise DataError(f"no input is called {name!r}: these are vectors only")
        return Batch(ids=self.ids[np.asarray(rows)], inputs={}, rows={})


def open_vector_file(asked: OwnVectors, digests: Digests) -> VectorFile:
    """The file named by `--embeddings`.

    Views are the file's two-dimensional arrays (npz, HDF5) or list columns (Parquet); an npy file
    is one view, `vectors`, and takes its ids from the file named by `--ids`.

    Args:
        asked: the file, its ids and its catalogue.
        digests: of files, remembered in the workspace.

    Raises:
        DataError: the file, its ids or its vectors cannot be used.
    """
    path = Path(asked.file).expanduser()
    if not path.is_file():
        raise DataError(f"{path}: no such file")
    ids, views = read_vectors(path, asked.ids)
    if len(views) == 0:
        raise DataError(f"{path}: no array of vectors, expected shape (n, d) with n = {len(ids)}")
    _check(path, ids, views)
    catalog = pd.DataFrame({"object_id": ids})
    if asked.catalog:
        catalog = _join(catalog, Path(asked.catalog), asked.catalog_id or "object_id")
    identity = {"file": path.name, "sha256": digests.of(path)}
    if path.suffix == ".npy":  # its ids come from a file of their own
        identity["ids_sha256"] = digests.of(Path(asked.ids))
    joined = {"catalog_sha256": digests.of(Path(asked.catalog))} if asked.catalog else {}
    return VectorFile(ids, catalog, identity, views, joined)


def _check(path: Path, ids: Array, views: Mapping[str, Array]) -> None:
    if len(ids) == 0:
        raise DataError(f"{path}: no objects")
    refuse_duplicates(ids, str(path))
    for name, matrix in views.items():
        if not re.fullmatch(_VIEW, name):
            raise DataError(
                f"{path}: {name!r} cannot be the name of a view: rename the array to letters,"
                " digits, dots, hyphens and underscores"
            )
        if matrix.ndim != 2 or len(matrix) != len(ids):
            raise DataError(f"{path}: {name!r} has shape {matrix.shape} for {len(ids)} ids")
        starts = range(0, len(matrix), _ROWS_AT_ONCE)
        good = [np.isfinite(matrix[at : at + _ROWS_AT_ONCE]).all(axis=1) for at in starts]
        bad = ~np.concatenate(good)
        if bad.any():
            first = ", ".join(str(v) for v in ids[bad][:3])
            raise DataError(
                f"{path}: {name!r} has {int(bad.sum())} rows that are not finite: {first}"
            )


def _join(objects: pd.DataFrame, path: Path, key: str) -> pd.DataFrame:
    """The objects with the catalogue's columns, joined by id."""
    if not path.is_file():
        raise DataError(f"{path}: no such catalogue")
    parquet = path.suffix == ".parquet"
    try:
        catalog = pd.read_parquet(path) if parquet else pd.read_csv(path, dtype={key: str})
    except (OSError, ValueError) as error:  # what pyarrow raises is a ValueError
        raise DataError(f"{path}: cannot be read: {error}") from None
    if key not in catalog:
        raise DataError(f"{path}: no column {key!r}{did_you_mean(key, catalog.columns)}")
    raw = catalog[key].to_numpy()
    ids = as_ids(raw, str(path)) if parquet else parse_ids(raw.tolist(), str(path))
    refuse_duplicates(ids, str(path))
    at = locate(objects["object_id"].to_numpy(), ids)
    if (at < 0).any():
        raise DataError(
            f"{path}: {int((at < 0).sum())} of {len(objects)} objects are not in the catalogue,"
            f" for instance {objects['object_id'][at < 0].iloc[0]}"
        )
    columns = catalog.drop(columns=[key, "object_id"], errors="ignore").iloc[at]
    return pd.concat([objects, columns.reset_index(drop=True)], axis=1)
