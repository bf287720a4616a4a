"""Vectors in the binary tables of FITS: mapped where they lie, unless they are scaled."""

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from fmb.contract.arrays import Array
from fmb.files.damage import quiet_fits
from fmb.files.ids import as_ids
from fmb.files.tables import of_column
from fmb.messages.errors import DataError
from fmb.vectors.columns import Asked, Column, Layout, lay_out
from fmb.vectors.records import catalogue, field_columns, field_matrix
from fmb.vectors.table import Blocks, VectorTable

__all__ = ["read_fits"]


def read_fits(path: Path, asked: Asked) -> VectorTable:
    """The first binary table that has the ids, else the first; of several, a note says which.

    Yes and no are 1 and 0. What the file calls no value (TNULL, a zero byte of yes or no) is NaN.

    Raises:
        DataError: there is no binary table, there are no such ids, or no vectors.
    """
    from astropy.io import fits  # imported here: half a second that only FITS has to wait for
    from astropy.table import Table

    # Given a path, astropy leaves the file open where it fails.
    with path.open("rb") as stream, quiet_fits(path), fits.open(stream, memmap=True) as hdus:
        tables = [place for place, hdu in enumerate(hdus) if isinstance(hdu, fits.BinTableHDU)]
        if not tables:
            raise DataError(f"{path}: no binary table")
        ids = asked.ids or "object_id"
        place = next((p for p in tables if ids in hdus[p].columns.names), tables[0])
        hdu = hdus[place]
        notes = _which(path, len(tables), tables.index(place) + 1, hdu.name)
        columns, n = _columns(hdu), len(hdu.data)
        layout = lay_out(columns, asked, str(path))
        records = None if hdus.fileinfo(place)["file"].compression else _records(path, hdu, n)
    # Gaps in floats stay NaN: a mask of each column would be a pass over all vectors.
    with path.open("rb") as stream, quiet_fits(path):
        table = Table.read(stream, format="fits", hdu=place, memmap=True, mask_invalid=False)
        table = table[[*filter(None, [layout.ids]), *layout.catalog]]
    listed = None if layout.ids is None else _listed(table[layout.ids], f"{path}: {layout.ids!r}")
    beside = {name: partial(of_column, table[name]) for name in layout.catalog}
    catalog, unread = catalogue(beside, n)
    catalog.attrs["units"] = {m: str(table[m].unit) for m in catalog if table[m].unit}
    layout = replace(layout, left_out=(*layout.left_out, *unread))
    found = _table(path, place, layout, listed, catalog, records, columns, n)
    return replace(found, notes=notes)


def _which(path: Path, several: int, number: int, name: str) -> tuple[str, ...]:
    if several == 1:
        return ()
    called = f", {name}," if name else ""
    return (f"{path.name} holds {several} tables; table {number}{called} is read",)


def _columns(hdu: Any) -> dict[str, Column]:
    columns = field_columns(hdu.columns.dtype)
    for column in hdu.columns:
        letter = column.format.lstrip("0123456789")[:1]
        if letter in "PQ":
            columns[column.name] = Column("unfit", "lists of several lengths")
        elif letter == "X":
            columns[column.name] = Column("unfit", "single bits")
        elif letter == "L" and columns[column.name].kind == "number":
            columns[column.name] = Column("truth", "yes or no")
    return columns


def _records(path: Path, hdu: Any, n: int) -> Array | None:
    """The rows as they lie in the file, numbers high byte first."""
    dtype = hdu.columns.dtype.newbyteorder(">")
    if not n or dtype.itemsize != hdu.header["NAXIS1"]:
        return None
    scaled = {
        c.name
        for c in hdu.columns
        if c.bscale not in (None, "", 1) or c.bzero or "L" in c.format or _null(c) is not None
    }
    mapped: Array = np.memmap(path, dtype, "r", hdu.fileinfo()["datLoc"], (n,))
    plain = [name for name in dtype.names if name not in scaled]
    return mapped[plain] if plain else None


def _listed(column: Any, where: str) -> Array:
    missing = int(np.sum(getattr(column, "mask", False)))
    if missing:
        raise DataError(f"{where}: {missing} ids are missing")
    return as_ids(np.asarray(column), where)


def _table(
    path: Path,
    place: int,
    layout: Layout,
    ids: Array | None,
    catalog: pd.DataFrame,
    records: Array | None,
    columns: dict[str, Column],
    n: int,
) -> VectorTable:
    stored: dict[str, Array] = {}
    for view, names in layout.views.items():
        if records is not None and set(names) <= set(records.dtype.names or ()):
            matrix = field_matrix(records, names)
            if matrix is not None:
                stored[view] = matrix
    others = {view: names for view, names in layout.views.items() if view not in stored}
    packed = {view: (n, sum(columns[m].width for m in names)) for view, names in others.items()}
    return VectorTable(
        ids, catalog, stored, packed, lambda: _read(path, place, others), layout.left_out
    )


def _null(column: Any) -> Any:
    """The number that means no value, of integers; None where there is none."""
    return column.null if isinstance(column.null, int | np.integer) else None


def _read(path: Path, place: int, views: dict[str, tuple[str, ...]]) -> Blocks:
    """What is scaled or has gaps, all of a compressed file, and numbers of several types."""
    from astropy.io import fits

    with path.open("rb") as stream, quiet_fits(path), fits.open(stream, memmap=True) as hdus:
        hdu = hdus[place]
        for view, names in views.items():
            columns = [_with_gaps(hdu, name) for name in names]
            yield view, columns[0] if columns[0].ndim == 2 else np.column_stack(columns)


def _with_gaps(hdu: Any, name: str) -> Array:
    """A column as its file means it, NaN where it has no value."""
    column = hdu.columns[name]
    stored = hdu.data.view(np.ndarray)[name]  # before astropy makes of a gap what it makes of all
    if column.format.lstrip("0123456789")[:1] == "L":
        return np.where(stored == 0, np.nan, stored == ord("T")).astype(np.float32)
    values, null = np.asarray(hdu.data[name]), _null(column)
    gaps = None if null is None else stored == null
    return values if gaps is None or not gaps.any() else np.where(gaps, np.nan, values)
