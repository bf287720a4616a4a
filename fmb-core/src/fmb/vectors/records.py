"""Vectors in tables of records, as FITS, HDF5 and numpy keep them: rows of fields."""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from fmb.contract.arrays import Array
from fmb.files.columns import Unreadable, from_array
from fmb.files.ids import as_ids
from fmb.messages.errors import DataError
from fmb.vectors.columns import Asked, Column, Layout, kind_of, lay_out
from fmb.vectors.table import Blocks, VectorTable, block_rows

__all__ = ["catalogue", "field_columns", "field_matrix", "read_structured"]


Read = Callable[[slice, list[str]], Array]
"""A stretch of rows, names of fields -> records of these."""


def field_columns(dtype: np.dtype[Any]) -> dict[str, Column]:
    """Field -> what it holds."""
    columns = {}
    for name in dtype.names or ():
        field = dtype[name]
        kind = kind_of(field.base.kind, len(field.shape))
        columns[name] = Column(kind, str(field), field.shape[0] if kind == "vector" else 1)
    return columns


def field_matrix(records: Array, names: tuple[str, ...]) -> Array | None:
    """(n, d) of a field of vectors, or of neighbouring fields of one type, where it lies.

    None where the fields are of several types or do not lie side by side.
    """
    if len(names) == 1 and records[names[0]].ndim == 2:
        return records[names[0]]
    fields: Any = records.dtype.fields
    kind, first = fields[names[0]][:2]
    for place, name in enumerate(names):
        if fields[name][:2] != (kind, first + place * kind.itemsize):
            return None
    shape, strides = (len(records), len(names)), (records.strides[0], kind.itemsize)
    column = records[names[0]]
    return np.lib.stride_tricks.as_strided(column, shape, strides, writeable=False)


def catalogue(columns: Mapping[str, Callable[[], Any]], n: int) -> tuple[pd.DataFrame, list[str]]:
    """The columns that can be read, n rows, and what those hold that are left out."""
    known: dict[str, Any] = {}
    left_out = []
    for name, read in columns.items():
        try:
            known[name] = read()
        except (Unreadable, DataError) as error:
            left_out.append(f"{name} ({str(error).removeprefix('holds ')})")
    return pd.DataFrame(known, index=range(n)), left_out


def read_structured(
    records: Array,
    asked: Asked,
    where: str,
    *,
    read: Read | None = None,
) -> VectorTable:
    """The vectors in n records.

    Args:
        records: (n,), mapped; or no rows of the right type where `read` gives them.
        asked: what the user says.
        where: names the file in messages.
        read: gives some fields of a stretch, where they cannot be mapped.

    Raises:
        DataError: there are no such ids, or no vectors.
    """
    columns = field_columns(records.dtype)
    layout = lay_out(columns, asked, where)
    whole = records if read is None else read(slice(None), _few(layout))
    ids = None if layout.ids is None else as_ids(np.asarray(whole[layout.ids]), where)
    columns_beside = {name: partial(from_array, whole[name]) for name in layout.catalog}
    catalog, unread = catalogue(columns_beside, len(whole))
    matrices = {
        view: field_matrix(records, names) if read is None else None
        for view, names in layout.views.items()
    }
    packed = {
        view: (len(whole), sum(columns[name].width for name in layout.views[view]))
        for view, matrix in matrices.items()
        if matrix is None
    }
    stored = {view: matrix for view, matrix in matrices.items() if matrix is not None}
    views = {view: layout.views[view] for view in packed}
    rows = read or (lambda part, names: records[names][part])
    decode = partial(_stacked, rows, len(whole), records.dtype.itemsize, views)
    return VectorTable(ids, catalog, stored, packed, decode, (*layout.left_out, *unread))


def _few(layout: Layout) -> list[str]:
    """The fields that are read whole."""
    first = next(iter(layout.views.values()))[0]
    return [*dict.fromkeys([*filter(None, [layout.ids]), *layout.catalog])] or [first]


def _stacked(read: Read, n: int, row_bytes: int, views: Mapping[str, tuple[str, ...]]) -> Blocks:
    fields = [name for names in views.values() for name in names]
    for part in _stretches(n, block_rows(row_bytes)):
        records = read(part, fields)
        for view, names in views.items():
            one = records[names[0]]
            yield view, one if one.ndim == 2 else np.column_stack([records[m] for m in names])


def _stretches(n: int, rows: int) -> Iterator[slice]:
    return (slice(at, min(at + rows, n)) for at in range(0, n, rows))
