"""Reads the catalogue of a survey: HDF5 columns, Parquet, CSV, FITS or ECSV, ids kept exact."""

from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fmb import Array, DataError, did_you_mean
from fmb.datasets import derive
from fmb.files import (
    Table,
    Unreadable,
    as_ids,
    dataset_names,
    is_table,
    masks_of,
    meant,
    open_file,
    read_column,
    read_table,
    refuse_duplicates,
    stated,
    undamaged,
)
from fmb_surveys.files.catalog_joins import JoinSource, join_table
from fmb_surveys.files.positions import degrees, doubt_of
from fmb_surveys.files.survey_toml import CatalogSource
from fmb_surveys.files.units import refuse_contradiction

if TYPE_CHECKING:
    import h5py
    import pandas as pd

__all__ = ["named_columns", "read_catalog", "wanted_columns"]

_ROLES = ("ra", "dec", "redshift", "label", "group")


@dataclass
class _Columns:
    """What a file has of a catalogue, by the names the catalogue gives it."""

    ids: Array
    values: dict[str, Any] = field(default_factory=dict)
    """Column -> (n,)."""
    units: dict[str, str] = field(default_factory=dict)
    """As the file tells them."""
    notes: list[str] = field(default_factory=list)


def read_catalog(
    source: CatalogSource,
    path: Path,
    table: Table | None = None,
    folder: Path | None = None,
) -> tuple[Array, "pd.DataFrame"]:
    """Ids and columns of a survey's objects.

    Args:
        source: which column is what.
        path: the file, HDF5 or a table, or a tree of Parquet.
        table: some rows of it that have been read; None = read all.
        folder: that paths of further catalogues are relative to; None = that of `path`.

    Returns:
        ids (n,) and n rows in the same order: ra and dec in degrees, redshift, label and group
        where the source names them, then its other columns; units in `attrs["units"]`, roles in
        `attrs["roles"]`, what a user should know of the file in `attrs["notes"]`.

    Raises:
        DataError: the file or a column is missing or holds more than a value an object, lengths
            differ, ids repeat or are floats, or the file tells another unit than the source.
    """
    read, path = _read(source, path, table)
    if not len(read.ids):
        raise DataError(f"{path}: the catalogue is empty")
    refuse_duplicates(read.ids, f"{path}: {source.id!r}")
    for name, join in source.join.items():
        _join(read, name, join, source, path, table, folder or path.parent)
    for name, unit in source.units.items():
        if name not in read.values and name not in source.derived:
            hint = did_you_mean(name, [*read.values, *source.derived])
            raise DataError(f"{path}: a unit is given for {name!r}{hint}")
        if name in read.values:
            where = f"{path}: {name!r}"
            refuse_contradiction(where, read.units.get(name, ""), unit, f"units.{name}")
            read.units[name] = unit
    _in_degrees(read, path)
    # Imported here: `fmb data index` checks its options before it pays for pandas.
    import pandas as pd

    catalog = pd.DataFrame(read.values, index=range(len(read.ids)))
    catalog.attrs["units"] = read.units
    _derive(catalog, read.ids, source, path)
    catalog.attrs["roles"] = _roles(source, [str(name) for name in catalog], path)
    catalog.attrs["notes"] = read.notes
    return read.ids, catalog


def _read(source: CatalogSource, path: Path, table: Table | None) -> tuple[_Columns, Path]:
    """What the catalogue's own file has, and what messages call the file."""
    if source.table and not is_table(path):
        raise DataError(
            f"{path}: table = {source.table!r} names an extension, which FITS files have"
        )
    if table is None and (path.is_dir() or path.suffix == ".parquet"):
        table = _of_tree(source, path)
    if table is None and is_table(path):
        table = read_table(path, text=(source.id,), extension=source.table)
    if table is None:
        return _from_hdf5(source, path), path
    return _from_table(source, table), table.path


def _join(
    read: _Columns,
    name: str,
    join: JoinSource,
    source: CatalogSource,
    path: Path,
    table: Table | None,
    folder: Path,
) -> None:
    """Add the columns of a further catalogue to those that are there."""
    column = join.key.left
    if column in read.values:
        left = read.values[column]
    elif column in (source.id, "object_id"):
        left = read.ids
    else:  # a column of the file that the catalogue does not keep
        keys = CatalogSource(id=source.id, table=source.table, columns={"key": column})
        left = _read(keys, path, table)[0].values["key"]
    file = folder / join.file
    joined = join_table(name, join, file, left, f"{path.name}: {column!r}")
    for one, values in joined.values.items():
        if one in read.values:
            raise DataError(
                f"{file}: the catalogue has a column {one!r} already: name it anew with"
                f' columns = {{ NEW = "COLUMN" }} of [catalog.join.{name}]'
            )
        read.values[one] = values
    read.units |= joined.units
    read.notes.extend(joined.notes)


def _derive(catalog: "pd.DataFrame", ids: Array, source: CatalogSource, path: Path) -> None:
    """Add the columns of `[catalog.derived]`."""
    derive(catalog, ids, source.derived, f"{path}: catalog.derived")
    units = catalog.attrs["units"]
    for name in source.derived.keys() & source.units.keys():
        unit = source.units[name]
        where = f"{path}: catalog.derived.{name}"
        refuse_contradiction(where, units.get(name, ""), unit, f"units.{name}")
        units[name] = unit


def _roles(source: CatalogSource, columns: Collection[str], path: Path) -> dict[str, str]:
    """Role -> the column that plays it."""
    for role, column in source.roles.items():
        if column not in columns:
            hint = did_you_mean(column, columns)
            raise DataError(f"{path}: catalog.roles.{role} names no column {column!r}{hint}")
    own = {"redshift": "redshift", "group": "group", "class": "label"}
    return {**{role: name for role, name in own.items() if name in columns}, **source.roles}


def _in_degrees(read: _Columns, path: Path) -> None:
    """Turn ra and dec into degrees, whatever the file has."""
    silent = True
    for name in ("ra", "dec"):
        if name in read.values:
            unit = read.units.get(name, "")
            silent &= not unit
            read.values[name] = degrees(read.values[name], name, unit, str(path))
            read.units[name] = "deg"
    if silent and {"ra", "dec"} <= set(read.values):
        doubt = doubt_of(read.values["ra"], read.values["dec"])
        read.notes.extend([doubt] if doubt else [])


def wanted_columns(source: CatalogSource, available: list[str]) -> dict[str, str]:
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


def _from_hdf5(source: CatalogSource, path: Path) -> _Columns:
    with open_file(path) as file:
        read = _Columns(as_ids(read_column(file, source.id)[0], f"{path}: {source.id!r}"))
        n = len(read.ids)
        beside = _columns_beside(file, source.id, n) if source.columns == "all" else []
        for name, column in wanted_columns(source, beside).items():
            where = f"{path}: {column!r}"
            stored, attributes = read_column(file, column)
            if stored.shape != (n,):
                raise DataError(f"{path}: column {column!r} has shape {stored.shape} for {n} ids")
            told = stated(attributes, where)
            try:
                read.values[name] = meant(stored, told)
            except (Unreadable, DataError) as error:
                raise DataError(f"{where} holds {str(error).removeprefix('holds ')}") from None
            if told.unit:
                read.units[name] = told.unit
    return read


def _columns_beside(file: "h5py.File", column: str, n: int) -> list[str]:
    """One-dimensional columns of n rows in the group, or the table, of the ids."""
    folder = column.rpartition("/")[0]
    table = file[folder] if folder else file
    if hasattr(table, "dtype"):
        masks = masks_of(table.dtype.names).values()
        single = [name for name in table.dtype.names if not table.dtype[name].shape]
        return [f"{folder}/{name}" for name in single if name not in masks]
    names = [name for name in dataset_names(file) if name.rpartition("/")[0] == folder]
    with undamaged(file.filename):
        return [name for name in names if file[name].shape == (n,) and not file[name].dtype.names]


def _of_tree(source: CatalogSource, path: Path) -> Table | None:
    """The catalogue of a folder of Parquet files, or of an index of them; None of a single one."""
    # Imported here: most catalogues are files that need no pyarrow, or another part of it.
    from fmb_surveys.files.parquet_catalog import table_of_row_groups
    from fmb_surveys.files.stores.parquet_index import is_index, row_groups

    if not (path.is_dir() or is_index(path)):
        return None
    return table_of_row_groups(row_groups(path), named_columns(source))


def named_columns(source: CatalogSource) -> list[str] | None:
    """Columns of the file that a source names; None = all."""
    if source.columns == "all":
        return None
    wanted = wanted_columns(source, [])
    # A catalogue is joined by a column of its own, or by one that it does not keep.
    keys = {join.key.left for join in source.join.values()} - {"object_id", *wanted}
    return [*dict.fromkeys([source.id, *wanted.values(), *sorted(keys)])]


def _from_table(source: CatalogSource, table: Table) -> _Columns:
    path = table.path
    read = _Columns(table.ids(source.id), notes=list(table.notes))
    for name, column in wanted_columns(source, list(table.columns)).items():
        read.values[name] = table.column(column)
        if column in table.units:
            read.units[name] = table.units[column]
    if source.columns == "all" and table.unread:
        left_out = ", ".join(f"{name} ({what})" for name, what in table.unread.items())
        read.notes.append(f"{path.name}: columns left out of the catalogue: {left_out}")
    return read
