"""The row index of a survey: a table of ids and the files that each object has."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fmb import Array
from fmb.files import locate, read_table

if TYPE_CHECKING:
    from fmb.files import Table

__all__ = ["read_index", "unknown_to", "write_index"]


def read_index(
    path: Path, name: str, bands: Sequence[str] = ()
) -> tuple["Table", list[tuple[str | None, ...]]]:
    """The table, and of each row the file of an input, or those of its bands in order.

    Args:
        path: the table.
        name: of the input: its column, or that of each band, INPUT.BAND.
        bands: of the input.

    Raises:
        DataError: the table is damaged, or has no such column.
    """
    apart = [_column(name, band) for band in bands]
    table = read_table(path, text=("object_id", name, *apart))
    if name in table.columns or not set(apart) & set(table.columns):
        apart = [name]
    columns = [np.asarray(table.column(column), dtype=object).tolist() for column in apart]
    rows = zip(*columns, strict=True)
    return table, [tuple(f if isinstance(f, str) and f else None for f in row) for row in rows]


def unknown_to(path: Path, ids: Array) -> int:
    """How many objects have no row in an index, not even one without a file.

    Args:
        path: the index.
        ids: (n,), of the catalogue.

    Raises:
        DataError: the index is damaged.
    """
    known = np.unique(read_table(path, text=("object_id",)).ids("object_id"))
    return int((locate(ids, known) < 0).sum())


def write_index(
    path: Path, ids: Array, files: Mapping[str, Mapping[str, Sequence[str | None]]]
) -> None:
    """Write the row index: `object_id` and, for each input, the file relative to the index.

    Where a file has one band, its column is called INPUT.BAND. A file that is there is replaced;
    write to a temporary one and rename it.

    Args:
        path: the table to write.
        ids: (n,).
        files: input -> band, "" where a file has all -> the file of each object, or None.

    Raises:
        OSError: the folder cannot be written to.
    """
    import pyarrow as pa
    from pyarrow import parquet

    columns: dict[str, Any] = {"object_id": pa.array(np.asarray(ids))}
    for name, per_band in files.items():
        for band, paths in per_band.items():
            beside = [None if f is None else os.path.relpath(f, path.parent) for f in paths]
            columns[_column(name, band)] = pa.array(beside, type=pa.string())
    parquet.write_table(pa.table(columns), path)


def _column(name: str, band: str) -> str:
    return f"{name}.{band}" if band else name
