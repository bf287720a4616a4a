"""Where an input of a survey is stored, and which stored row belongs to which object."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from fmb import Array, ConfigError, DataError, ShapeError
from fmb.files import as_ids, locate, refuse_duplicates
from fmb_surveys.files.row_index import read_index
from fmb_surveys.files.stores.band_arrays import BandArrays
from fmb_surveys.files.stores.object_files import object_files
from fmb_surveys.files.stores.store import Store, open_store, present_at
from fmb_surveys.files.survey_toml import ColumnsSource, ImagesSource, InputSource, Survey

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Chosen", "locate_input"]


@dataclass(frozen=True)
class Chosen:
    """Some rows of a catalogue."""

    ids: Array
    """(m,)."""
    catalog: "pd.DataFrame"
    """m rows, as `read_catalog` has them."""
    rows: Array
    """(m,) int64: which rows of the catalogue's file they are."""
    total: int
    """Rows that the file has."""


def locate_input(
    path: Path,
    name: str,
    source: InputSource | ColumnsSource,
    bands: Mapping[str, Sequence[str]],
    survey: Survey,
    chosen: Chosen,
) -> tuple[Store, Array, int]:
    """Where an input is stored, the stored row of each object (-1 = none), and rows left over.

    Args:
        path: the survey.toml, which files are relative to.
        name: of the input.
        source: what the survey.toml says of it, one name each.
        bands: name -> the arrays of single bands it stands for.
        survey: all of it.
        chosen: the objects.

    Raises:
        ConfigError: it is not said which row belongs to which object.
        DataError: ids repeat, or a file is missing.
        ShapeError: datasets do not fit each other.
    """
    if source.files:
        return _rows_of_files(path.parent, name, source, bands, chosen.ids)
    file = source.file or survey.file
    pixels = getattr(source, "pixels", None)
    store = _banded(source, bands, open_store(path.parent / file, source.format, pixels))
    n = store.shape(source.flux)[:1]
    if source.id:
        stored = as_ids(store.column(source.id), store.place(source.id))
        refuse_duplicates(stored, store.place(source.id))
        if stored.shape != n:
            raise ShapeError(f"{store.place(source.flux)} has {n[0]} rows for {len(stored)} ids")
        rows = locate(chosen.ids, stored)
        whole = len(chosen.ids) == chosen.total
        orphans = len(stored) - int((rows >= 0).sum()) if whole else 0
    elif source.same_order or file == survey.catalog_file:
        if n != (chosen.total,):
            raise ShapeError(
                f"{store.place(source.flux)} has {n[0] if n else 'no'} rows,"
                f" the catalogue has {chosen.total}"
            )
        rows, orphans = chosen.rows, 0
    else:
        raise ConfigError(
            f"{path}: inputs.{name} is in another file than the catalogue: name its ids with"
            " id = ..., or set same_order = true"
        )
    if isinstance(store, BandArrays):
        store.objects = rows, chosen.ids
    return store, _observed(source, store, rows, n), orphans


def _observed(
    source: InputSource | ColumnsSource, store: Store, rows: Array, n: tuple[int, ...]
) -> Array:
    """The rows, -1 where no column of those that say so tells that it was observed."""
    if not source.present:
        return rows
    columns = (source.present,) if isinstance(source.present, str) else source.present
    known, rows = np.flatnonzero(rows >= 0), rows.copy()
    have = [present_at(store, column, rows[known], n) for column in columns]
    rows[known[~np.logical_or.reduce(have)]] = -1
    return rows


def _banded(
    source: InputSource | ColumnsSource, bands: Mapping[str, Sequence[str]], store: Store
) -> Store:
    """The store, for images with the bands that their source declares."""
    if isinstance(source, ImagesSource) and (bands or source.band_names):
        return BandArrays(store, bands, source.bands, source.band_names)
    return store


def _rows_of_files(
    folder: Path,
    name: str,
    source: InputSource | ColumnsSource,
    bands: Mapping[str, Sequence[str]],
    ids: Array,
) -> tuple[Store, Array, int]:
    index = folder / source.files
    table, files = read_index(index, name, getattr(source, "bands", ()))
    paths = [tuple(folder / file if file else None for file in row) for row in files]
    named = np.array([any(row) for row in paths], dtype=bool)
    stored = table.ids("object_id")[named]
    refuse_duplicates(stored, f"{index}: 'object_id'")
    if not named.any():
        raise DataError(f"{index}: names no file for input {name!r}")
    rows = locate(ids, stored)
    present = [row for row in paths if any(row)]
    store = object_files(present, getattr(source, "pixels", None), source.format)
    return _banded(source, bands, store), rows, len(stored) - int((rows >= 0).sum())
