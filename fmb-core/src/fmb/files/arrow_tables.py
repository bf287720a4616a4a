"""Tables in Parquet and CSV, which Arrow reads."""

import gzip
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fmb.files.columns import from_arrow, from_texts, masks_of
from fmb.files.table import Table, table_of
from fmb.messages.errors import DataError

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["of_arrow", "of_texts", "read_csv", "read_parquet", "refuse_other_marks"]

_LONGEST_HEAD = 1 << 16
"""Bytes of a first line that are looked at."""


def read_parquet(path: Path, text: Sequence[str]) -> Table:
    """A Parquet file, whose columns have types: `text` changes nothing."""
    from pyarrow import parquet

    return of_arrow(path, parquet.ParquetFile(path).read())


def of_arrow(path: Path, table: "pa.Table") -> Table:
    """The table that Arrow holds, which has types and perhaps units.

    Raises:
        DataError: two columns share a name.
    """
    units = {
        field.name: unit.decode(errors="replace")
        for field in table.schema
        if (unit := (field.metadata or {}).get(b"unit", b""))
    }
    units = {**_units_of_astropy(table.schema), **units}
    table = _unmasked(table)
    columns = [
        *_ranges(table),
        *(
            (name, lambda at=at: from_arrow(table.column(at)))
            for at, name in enumerate(table.column_names)
        ),
    ]
    return table_of(path, columns, units)


def _unmasked(table: "pa.Table") -> "pa.Table":
    """The same without astropy's columns of masks: what they mask is null."""
    import pyarrow as pa
    import pyarrow.compute as pc

    names = table.column_names
    for name, mask in masks_of(names).items():
        if pa.types.is_boolean(table.schema.field(mask).type) and names.count(name) == 1:
            kind = table.schema.field(name).type
            values = pc.if_else(table[mask], pa.scalar(None, kind), table[name])
            table = table.set_column(table.column_names.index(name), name, values).drop([mask])
    return table


def _units_of_astropy(schema: "pa.Schema") -> dict[str, str]:
    """Column -> unit, as astropy writes them beside a Parquet table."""
    text = (schema.metadata or {}).get(b"table_meta_yaml", b"").decode(errors="replace")
    if not text:
        return {}
    from astropy.table.meta import get_header_from_yaml

    columns = get_header_from_yaml(text.split("\n")).get("datatype", [])
    return {one["name"]: str(one["unit"]) for one in columns if "unit" in one}


def _ranges(table: "pa.Table") -> Iterator[tuple[str, Callable[[], Any]]]:
    """Columns that pandas writes as three numbers: a named index of evenly spaced integers."""
    for index in (table.schema.pandas_metadata or {}).get("index_columns", ()):
        if isinstance(index, Mapping) and index.get("kind") == "range" and index.get("name"):
            spaced = (int(index[key]) for key in ("start", "stop", "step"))
            yield index["name"], partial(np.arange, *spaced)


def read_csv(path: Path, text: Sequence[str]) -> Table:
    """A CSV file, also packed by gzip; the columns of `text` stay texts."""
    import pyarrow as pa
    from pyarrow import csv

    refuse_other_marks(path)
    parse = csv.ParseOptions(newlines_in_values=True)
    with csv.open_csv(path, parse_options=parse) as reader:
        names = reader.schema.names
    texts = csv.ConvertOptions(column_types=dict.fromkeys(names, pa.string()))
    return of_texts(path, csv.read_csv(path, parse_options=parse, convert_options=texts), text)


def of_texts(path: Path, table: "pa.Table", text: Sequence[str] = ()) -> Table:
    """The table that a file without types holds: columns of strings in, numbers where they are.

    Args:
        path: of the file, for messages.
        table: of strings, without nulls.
        text: columns to leave as the texts they are.

    Raises:
        DataError: two columns share a name.
    """
    columns = []
    for at, name in enumerate(table.column_names):
        column = table.column(at)
        if not name.strip():  # the index of pandas, or a comma at the end of each line
            continue
        plain = name in text or name.strip() in text
        make = from_arrow if plain else from_texts
        columns.append((name.strip(), lambda make=make, column=column: make(column)))
    return table_of(path, columns, {}, typed=False)


def refuse_other_marks(path: Path) -> None:
    """Refuse a CSV file that is not divided by commas, or begins with a comment.

    Raises:
        DataError: names the mark, or the line.
    """
    with (gzip.open if path.suffix.lower() == ".gz" else open)(path, "rb") as stream:
        head = stream.readline(_LONGEST_HEAD).decode("utf-8-sig", errors="replace").strip()
    if head.startswith("#"):
        raise DataError(f"{path}: begins with a comment, {head[:40]!r}; remove lines with #")
    other = [mark for mark in (";", "\t", "|") if mark in head and "," not in head]
    if other:
        raise DataError(
            f"{path}: its columns are divided by {other[0]!r}; write commas, or Parquet"
        )
