"""Reads the catalogue of a survey: HDF5 columns, Parquet, CSV, FITS or ECSV, ids kept exact."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fmb import Array, DataError, did_you_mean
from fmb.files import (
    TABLE_SUFFIXES,
    as_ids,
    dataset_names,
    find_dataset,
    open_file,
    parse_ids,
    read_table,
    refuse_duplicates,
    whole,
)
from fmb_surveys.files.survey_toml import CatalogSource

if TYPE_CHECKING:
    import h5py
    import pandas as pd

__all__ = ["HDF5_SUFFIXES", "read_catalog"]

HDF5_SUFFIXES = (".h5", ".hdf5")

_ROLES = ("ra", "dec", "redshift", "label", "group")


def read_catalog(source: CatalogSource, path: Path) -> tuple[Array, "pd.DataFrame"]:
    """Ids and columns of a survey's objects.

    Args:
        source: which column is what.
        path: the file, HDF5 or a table.

    Returns:
        ids (n,) and n rows in the same order: ra, dec, redshift, label and group where the source
        names them, then its other columns; units in `attrs["units"]`,
        roles in `attrs["roles"]`.

    Raises:
        DataError: the file or a column is missing, lengths differ, ids repeat or are floats.
    """
    if path.suffix.lower() in TABLE_SUFFIXES:
        ids, columns, units = _from_table(source, path)
    else:
        ids, columns, units = _from_hdf5(source, path)
    if not len(ids):
        raise DataError(f"{path}: the catalogue is empty")
    refuse_duplicates(ids, f"{path}: {source.id!r}")
    units.update(source.units)
    for name in source.units:
        if name not in columns:
            raise DataError(f"{path}: a unit is given for {name!r}{did_you_mean(name, columns)}")
    _check_degrees(columns, units, path)
    # Imported here: `fmb data index` checks its options before it pays for pandas.
    import pandas as pd

    catalog = pd.DataFrame(columns, index=range(len(ids)))
    catalog.attrs["units"] = units
    catalog.attrs["roles"] = _roles(source, columns, path)
    return ids, catalog


def _roles(source: CatalogSource, columns: Mapping[str, Any], path: Path) -> dict[str, str]:
    """Role -> the column that plays it."""
    for role, column in source.roles.items():
        if column not in columns:
            hint = did_you_mean(column, columns)
            raise DataError(f"{path}: catalog.roles.{role} names no column {column!r}{hint}")
    own = {"redshift": "redshift", "group": "group", "class": "label"}
    return {**{role: name for role, name in own.items() if name in columns}, **source.roles}


def _check_degrees(columns: Mapping[str, Any], units: dict[str, str], path: Path) -> None:
    for name in ("ra", "dec"):
        if name in columns and units.setdefault(name, "deg") not in ("deg", "degree", "degrees"):
            raise DataError(f"{path}: {name} is in {units[name]!r}, FMB takes degrees")


def _wanted(source: CatalogSource, available: list[str]) -> dict[str, str]:
    """Name in the catalogue -> name in the file."""
    named = {role: column for role in _ROLES if (column := getattr(source, role))}
    if isinstance(source.columns, dict):
        return {**named, **source.columns}
    if source.columns == "all":
        taken = {source.id, *named.values()}
        extra = [name for name in available if name not in taken]
    else:
        extra = list(source.columns)
    return {**named, **{name.rpartition("/")[2]: name for name in extra}}


def _from_hdf5(source: CatalogSource, path: Path) -> tuple[Array, dict[str, Any], dict[str, str]]:
    with open_file(path) as file:
        ids = as_ids(whole(find_dataset(file, source.id)), f"{path}: {source.id!r}")
        beside = _columns_beside(file, source.id, len(ids)) if source.columns == "all" else []
        columns, units = {}, {}
        for name, column in _wanted(source, beside).items():
            dataset = find_dataset(file, column)
            values = whole(dataset)
            if values.shape != ids.shape:
                raise DataError(
                    f"{path}: column {column!r} has shape {values.shape} for {len(ids)} ids"
                )
            columns[name] = _decode(values, f"{path}: {column!r}")
            unit = dataset.attrs.get("unit", dataset.attrs.get("units", ""))
            if isinstance(unit, str) and unit:
                units[name] = unit
    return ids, columns, units


def _columns_beside(file: "h5py.File", column: str, n: int) -> list[str]:
    """One-dimensional datasets of n rows in the group of the ids."""
    folder = column.rpartition("/")[0]
    return [
        path
        for path in dataset_names(file)
        if path.rpartition("/")[0] == folder and file[path].shape == (n,)
    ]


def _decode(values: Array, where: str) -> Any:
    if values.dtype.kind not in "SO":
        return values
    try:
        texts = [v.decode() if isinstance(v, bytes) else str(v) for v in values.tolist()]
    except UnicodeDecodeError:
        raise DataError(f"{where} holds bytes that are no text (UTF-8)") from None
    return np.array(texts, dtype=object)


def _from_table(source: CatalogSource, path: Path) -> tuple[Array, dict[str, Any], dict[str, str]]:
    table, units = read_table(path, text=(source.id,))
    wanted = _wanted(source, list(table.columns))
    for column in (source.id, *wanted.values()):
        if column not in table.columns:
            hint = did_you_mean(column, map(str, table.columns))
            raise DataError(f"{path}: no column is called {column!r}{hint}")
    where = f"{path}: {source.id!r}"
    gaps = np.flatnonzero(table[source.id].isna())
    if len(gaps):
        raise DataError(f"{where}: {len(gaps)} ids are missing, first in row {gaps[0]}")
    ids = table[source.id].to_numpy()
    if path.suffix.lower() == ".csv":
        ids = parse_ids(ids.tolist(), where)
    columns = {name: table[column].array for name, column in wanted.items()}
    kept = {name: units[column] for name, column in wanted.items() if column in units}
    return as_ids(ids, where), columns, kept
