"""Vectors in Parquet and CSV: columns of lists, or a column a component."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from fmb.contract.arrays import Array
from fmb.files.arrow_tables import of_arrow, of_texts, refuse_other_marks
from fmb.files.columns import GAPS
from fmb.files.ids import as_ids, parse_ids
from fmb.messages.errors import DataError
from fmb.vectors.columns import Asked, Column, Layout, lay_out
from fmb.vectors.table import Blocks, VectorTable, block_rows

__all__ = ["read_csv", "read_parquet"]

_TURNED_ROWS = 512
"""Rows that are turned at a time: so many of 256 columns stay in a processor's cache."""

Batches = Callable[[list[str], int], Iterator[pa.RecordBatch]]
"""Columns, rows at a time -> what the file has of them."""


def read_parquet(path: Path, asked: Asked) -> VectorTable:
    """Columns of lists, and numbered columns, are vectors; the others are the catalogue.

    Raises:
        DataError: there are no such ids, or no vectors, or lists of several lengths.
    """
    with pq.ParquetFile(path, memory_map=True) as file:
        schema = file.schema_arrow
        spaced = _spaced_index(schema, file.metadata.num_rows)
        columns = _columns(path, schema) | dict.fromkeys(spaced, Column("plain", "an index"))
        layout = lay_out(columns, asked, str(path), [*_index(schema), *spaced])
        kept = [*filter(None, [layout.ids]), *layout.catalog]
        rest = file.read([m for m in kept if m not in spaced]).replace_schema_metadata()
        for name in (name for name in kept if name in spaced):
            rest = rest.append_column(name, pa.array(spaced[name]))

    def batches(names: list[str], rows: int) -> Iterator[pa.RecordBatch]:
        # Mapped and not buffered ahead: a row group may hold the whole survey.
        with pq.ParquetFile(path, memory_map=True, pre_buffer=False) as again:
            yield from again.iter_batches(rows, columns=names)

    return _table(path, schema, layout, rest, batches, parse=False)


def read_csv(path: Path, asked: Asked) -> VectorTable:
    """Numbered columns are vectors; the others are the catalogue. Also compressed, as .csv.gz.

    Raises:
        DataError: there are no such ids, or no vectors, or text among their numbers.
    """
    refuse_other_marks(path)
    gaps = [*dict.fromkeys([*pa_csv.ConvertOptions().null_values, *GAPS])]
    with pa_csv.open_csv(path, convert_options=pa_csv.ConvertOptions(null_values=gaps)) as reader:
        schema = reader.schema
    columns = {
        name: replace(column, kind="plain") if column.kind == "truth" else column  # words
        for name, column in _columns(path, schema).items()
    }
    layout = lay_out(columns, asked, str(path))
    kept = [*filter(None, [layout.ids]), *layout.catalog]
    counted = kept or [next(iter(layout.views.values()))[0]]
    texts = dict.fromkeys(kept, pa.string())
    convert = pa_csv.ConvertOptions(include_columns=counted, column_types=texts)
    rest = pa_csv.read_csv(path, convert_options=convert)

    def batches(names: list[str], rows: int) -> Iterator[pa.RecordBatch]:
        types = dict.fromkeys(names, pa.float64())
        options = pa_csv.ConvertOptions(include_columns=names, column_types=types, null_values=gaps)
        try:
            with pa_csv.open_csv(path, convert_options=options) as again:
                yield from again
        except pa.ArrowInvalid as error:
            raise _text_among_numbers(path, schema.names, error) from None

    return _table(path, schema, layout, rest, batches, parse=True)


def _text_among_numbers(path: Path, names: Sequence[str], error: Exception) -> Exception:
    """What to tell of a text where numbers were before; the error itself where it is another."""
    found = re.search(r"CSV column #(\d+).*invalid value '(.*)'", str(error), re.DOTALL)
    if not found:
        return error
    name, text = names[int(found[1])], found[2][:40]
    return DataError(f"{path}: {name!r} holds {text!r} among the numbers of a vector")


def _columns(path: Path, schema: pa.Schema) -> dict[str, Column]:
    columns: dict[str, Column] = {}
    for field in schema:
        if field.name in columns:
            raise DataError(f"{path}: two columns are called {field.name!r}; rename one")
        columns[field.name] = Column(_kind(field.type), str(field.type))
    return columns


def _kind(kind: pa.DataType) -> Any:
    is_ = pa.types
    if is_list(kind):
        value = kind.value_type
        return "vector" if is_.is_floating(value) or is_.is_integer(value) else "unfit"
    if is_.is_boolean(kind):
        return "truth"
    if any(one(kind) for one in (is_.is_floating, is_.is_integer, is_.is_null, is_.is_decimal)):
        return "number"
    return "unfit" if is_.is_nested(kind) else "plain"


def is_list(kind: pa.DataType) -> bool:
    """True for lists of any kind."""
    lists = pa.types.is_list, pa.types.is_large_list, pa.types.is_fixed_size_list
    return any(one(kind) for one in lists)


def _index(schema: pa.Schema) -> list[str]:
    """What pandas wrote as the index of the rows."""
    written = (schema.pandas_metadata or {}).get("index_columns", [])
    return [name for name in written if isinstance(name, str) and name in schema.names]


def _spaced_index(schema: pa.Schema, n: int) -> dict[str, Array]:
    """Name -> (n,) of an index of evenly spaced integers, of which pandas writes three numbers."""
    found = {}
    for index in (schema.pandas_metadata or {}).get("index_columns", ()):
        if isinstance(index, Mapping) and index.get("kind") == "range" and index.get("name"):
            spaced = range(*(int(index[key]) for key in ("start", "stop", "step")))
            if len(spaced) == n and index["name"] not in schema.names:  # else of other rows
                found[str(index["name"])] = np.asarray(spaced)
    return found


def _table(
    path: Path, schema: pa.Schema, layout: Layout, rest: pa.Table, batches: Batches, *, parse: bool
) -> VectorTable:
    n = rest.num_rows
    ids = None if layout.ids is None else _ids(rest[layout.ids], f"{path}: {layout.ids!r}", parse)
    catalog, left_out = pd.DataFrame(index=range(n)), layout.left_out
    if layout.catalog:
        beside = rest.select(list(layout.catalog))
        table = of_texts(path, beside) if parse else of_arrow(path, beside)
        catalog = table.frame()
        left_out = (*left_out, *(f"{name} ({what})" for name, what in table.unread.items()))
        catalog.attrs["units"] = dict(table.units)
    views = {}
    for view, names in layout.views.items():
        lists = is_list(schema.field(names[0]).type)
        width = _length(names[0], schema, batches) if lists else len(names)
        views[view] = (list(names), width)
    packed = {view: (n, width) for view, (_, width) in views.items()}
    return VectorTable(ids, catalog, {}, packed, lambda: _decode(path, views, batches), left_out)


def _ids(column: pa.ChunkedArray, where: str, parse: bool) -> Array:
    """The ids of a column; `parse`: they are integers written as text."""
    if column.null_count:
        first = next(row for row, one in enumerate(column) if not one.is_valid)
        raise DataError(f"{where}: {column.null_count} ids are missing, the first in row {first}")
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if parse or pa.types.is_decimal(column.type):
        return parse_ids(column.cast(pa.string()).to_pylist(), where)
    return as_ids(column.to_numpy(), where)


def _length(name: str, schema: pa.Schema, batches: Batches) -> int:
    """Numbers in the vectors of a column of lists; 0 where no row has one."""
    kind = schema.field(name).type
    if pa.types.is_fixed_size_list(kind):
        return int(kind.list_size)
    for batch in batches([name], 1024):
        for one in batch.column(0):
            if one.is_valid:
                return len(one)
    return 0


def _decode(path: Path, views: Mapping[str, tuple[list[str], int]], batches: Batches) -> Blocks:
    names = [name for own, _ in views.values() for name in own]
    row_bytes = 4 * sum(width for _, width in views.values())
    first = 0
    for batch in batches(names, block_rows(row_bytes)):
        for view, (own, width) in views.items():
            columns = [batch.column(name) for name in own]
            if is_list(columns[0].type):
                yield view, _flat(columns[0], width, f"{path}: {own[0]!r}", first)
            else:
                yield view, _side_by_side(columns)
        first += len(batch)


def _side_by_side(columns: Sequence[pa.Array]) -> Array:
    """(k, d) of d columns; NaN where a value is missing."""
    arrays = [_numbers(column) for column in columns]
    n = len(arrays[0])
    block = np.empty((n, len(arrays)), np.result_type(*arrays))
    for at in range(0, n, _TURNED_ROWS):
        end = at + _TURNED_ROWS
        block[at:end] = np.array([values[at:end] for values in arrays]).T
    return block


def _numbers(column: pa.Array) -> Array:
    """(k,) of numbers, or of yes and no as 1 and 0; NaN where a value is missing."""
    is_ = pa.types
    if not (is_.is_floating(column.type) or is_.is_integer(column.type)):
        column = column.cast(pa.float32() if is_.is_boolean(column.type) else pa.float64())
    found: Array = column.to_numpy(zero_copy_only=False)
    return found


def _flat(lists: pa.Array, width: int, where: str, first: int) -> Array:
    """(k, d) of a column of lists where their values lie; a copy where rows have none, as NaN.

    Raises:
        DataError: a list has another length, or values in it are missing.
    """
    values = lists.flatten()
    if values.null_count:
        rows = f"rows {first} .. {first + len(lists) - 1}"
        raise DataError(f"{where}: {values.null_count} numbers are missing in {rows}")
    there = np.flatnonzero(lists.is_valid().to_numpy(zero_copy_only=False))
    if not pa.types.is_fixed_size_list(lists.type):
        lengths = lists.value_lengths().to_numpy(zero_copy_only=False)[there]
        other = np.flatnonzero(lengths != width)
        if len(other):
            row = first + int(there[other[0]])
            raise DataError(
                f"{where}: the vector in row {row} has {int(lengths[other[0]])} numbers, those"
                f" before have {width}"
            )
    block: Array = values.to_numpy(zero_copy_only=False).reshape(len(there), width)
    if len(there) == len(lists):
        return block
    spread = np.full((len(lists), width), np.nan, dtype=np.result_type(block, np.float32))
    spread[there] = block
    return spread
