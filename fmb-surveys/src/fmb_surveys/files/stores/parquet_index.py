"""Which row groups a file or tree of Parquet has, and what their footers tell of the numbers."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from pyarrow import parquet

from fmb import Array, DataError
from fmb_surveys.files.stores.arrow_schema import leaves
from fmb_surveys.files.stores.origins import state_of
from fmb_surveys.files.stores.places import is_url, opened, reading

__all__ = [
    "RowGroups",
    "index_table",
    "is_index",
    "local_files",
    "parquet_file",
    "read_columns",
    "row_groups",
    "row_groups_of",
]

_SCHEMA = b"fmb_schema"
_ENDINGS = (".parquet", ".parq", ".pq")


@dataclass(frozen=True)
class RowGroups:
    """Row groups in the order of their rows, and the schema that all of them have."""

    table: pa.Table
    """One row a row group: file, state, group, rows; LEAF:values, :nulls, :min and :max."""
    schema: pa.Schema
    where: str
    """Names the tree in messages."""

    def __len__(self) -> int:
        return int(self.table.num_rows)

    @cached_property
    def files(self) -> list[str]:
        """Path or URL of the file of each row group."""
        return [str(one) for one in self.table["file"].to_pylist()]

    @cached_property
    def starts(self) -> Array:
        """(row groups + 1,): first row of each, and the number of rows."""
        return np.concatenate([[0], np.cumsum(self.table["rows"].to_numpy())]).astype(np.int64)

    @cached_property
    def columns(self) -> dict[str, int]:
        """Leaf such as "spectrum/flux" -> number of its Parquet column."""
        return {name: at for at, (name, _) in enumerate(leaves(self.schema))}

    def told(self, leaf: str, what: str) -> Array | None:
        """(row groups,): values, nulls, min or max of a leaf; None where some footer is silent."""
        name = f"{leaf}:{what}"
        if name not in self.table.column_names or self.table[name].null_count:
            return None
        return np.asarray(self.table[name].to_numpy())

    def length(self, leaf: str) -> int | None:
        """Numbers of each row in a leaf of lists, where footers say that all have as many."""
        values, nulls = self.told(leaf, "values"), self.told(leaf, "nulls")
        rows = self.table["rows"].to_numpy()
        if values is None or nulls is None or nulls.any() or not len(rows):
            return None
        per_row = values[rows > 0] / rows[rows > 0]
        one = float(per_row[0]) if len(per_row) else 0.5
        return int(one) if one.is_integer() and (per_row == one).all() else None


def local_files(root: Path) -> list[Path]:
    """The Parquet files that a path stands for, in the order of their names, numbers as numbers.

    Names that begin with `_` or `.` describe the others.

    Raises:
        DataError: there is none.
    """
    if root.is_file():
        return [root]
    found = [
        path
        for path in root.rglob("*")
        if path.name.lower().endswith(_ENDINGS)
        and not any(part.startswith(("_", ".")) for part in path.relative_to(root).parts)
        and path.is_file()
    ]
    if not found:
        what = "is a folder without Parquet files" if root.is_dir() else "no such file"
        raise DataError(f"{root}: {what}")
    return sorted(found, key=lambda path: _as_counted(path.relative_to(root).as_posix()))


def _as_counted(name: str) -> list[tuple[int, str]]:
    """A key by which Npix=9 is before Npix=10."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", name)]


def is_index(path: Path) -> bool:
    """Whether a path is a table that `index_table` made, whatever it is called now.

    Raises:
        DataError: it is a file, and no Parquet.
    """
    if not path.is_file():
        return False
    with reading(str(path)):
        return _SCHEMA in (parquet.read_schema(path).metadata or {})


def row_groups(path: Path) -> RowGroups:
    """Those of a Parquet file, a folder of them, or a table of row groups that was written before.

    Raises:
        DataError: a file is damaged, or has other columns than the first.
    """
    if is_index(path):
        with reading(str(path)):
            table = parquet.read_table(path)
        said = table.schema.metadata
        schema = pa.ipc.read_schema(pa.py_buffer(said[_SCHEMA]))
        return RowGroups(table, schema, said.get(b"fmb_root", b"").decode() or str(path))
    files = local_files(path)
    return row_groups_of([(str(file), state_of(file)) for file in files], str(path))


def row_groups_of(
    files: Sequence[tuple[str, str]], where: str, metadata: "parquet.FileMetaData | None" = None
) -> RowGroups:
    """Row groups of files.

    Args:
        files: path or URL of each, and what changes when it does.
        where: names all of them in messages.
        metadata: of all of them, in this order, where it is known.
    """
    read = _footers(files) if metadata is None else [(*files[0], metadata)]
    schema: pa.Schema | None = None
    records: list[dict[str, Any]] = []
    names: list[str] = []
    states = dict(files)
    for file, _, footer in read:
        with reading(file):
            own = footer.schema.to_arrow_schema()
            if schema is None:
                schema, names = own, [name for name, _ in leaves(own)]
            elif not own.equals(schema):
                raise DataError(
                    f"{file}: has other columns than {files[0][0]}: {_unlike(own, schema)}"
                )
            for at in range(footer.num_row_groups):
                group = footer.row_group(at)
                records.append({"file": file, "group": at, **_record(group, names)})
    assert schema is not None
    if metadata is not None:
        _name_files(records, metadata, [file for file, _ in files])
    for record in records:
        record["state"] = states[record["file"]]
    return RowGroups(_table(records, schema), schema, where)


def _footers(
    files: Iterable[tuple[str, str]],
) -> Iterator[tuple[str, str, "parquet.FileMetaData"]]:
    for file, state in files:
        with parquet_file(file) as opened_file:
            yield file, state, opened_file.metadata


@contextmanager
def parquet_file(
    place: str, metadata: "parquet.FileMetaData | None" = None
) -> Iterator["parquet.ParquetFile"]:
    """An open Parquet file, by path or URL.

    Raises:
        DataError: it is not there or damaged, by what is done in the block too.
        FailedError: the network fails.
    """
    with ExitStack() as stack:
        if is_url(place):
            source: Any = stack.enter_context(opened(place))
        else:
            stack.enter_context(reading(place))
            source = stack.enter_context(pa.OSFile(place))
        yield parquet.ParquetFile(source, metadata=metadata, pre_buffer=is_url(place))


def read_columns(
    groups: RowGroups, names: Sequence[str], wanted: Sequence[int] | None = None
) -> pa.Table:
    """Columns of values, of all rows or of those in some row groups, in their order.

    Args:
        groups: of the tree.
        names: of columns at the top.
        wanted: positions of row groups, ascending; None = all.

    Raises:
        DataError: a file is damaged.
    """
    numbers = groups.table["group"].to_pylist()
    chosen: dict[str, list[int]] = {}
    for at in range(len(groups)) if wanted is None else wanted:
        chosen.setdefault(groups.files[at], []).append(numbers[at])
    fields = [groups.schema.field(name) for name in names]
    parts = [pa.schema(fields).empty_table()]
    for file, own in chosen.items():
        with parquet_file(file) as one:
            parts.append(one.read_row_groups(own, columns=list(names), use_threads=False))
    return pa.concat_tables([part.select(list(names)) for part in parts])


def _unlike(own: pa.Schema, first: pa.Schema) -> str:
    theirs, ours = ({f.name: f.type for f in schema} for schema in (own, first))
    names = [n for n in {**theirs, **ours} if theirs.get(n) != ours.get(n)]
    listed = (f"{n!r} is {theirs.get(n, 'missing')}, not {ours.get(n, 'there')}" for n in names[:2])
    return "; ".join(listed)[:200] or "their descriptions differ"


def _name_files(
    records: Sequence[dict[str, Any]], metadata: "parquet.FileMetaData", files: Sequence[str]
) -> None:
    """Say which row group is in which file, by what one footer of all tells."""
    by_end: Mapping[str, str] = {}
    counted: dict[str, int] = {}
    for at, record in enumerate(records):
        path = metadata.row_group(at).column(0).file_path
        by_end = by_end or {file.partition("/dataset/")[2]: file for file in files}
        if path not in by_end:
            raise DataError(f"_metadata names {path!r}, which is none of the partitions")
        record["file"] = by_end[path]
        record["group"] = counted[path] = counted.get(path, -1) + 1


def _record(group: "parquet.RowGroupMetaData", names: Sequence[str]) -> dict[str, Any]:
    told: dict[str, Any] = {"rows": group.num_rows}
    for at, name in enumerate(names):
        column = group.column(at)
        known = column.statistics if column.is_stats_set else None
        told[f"{name}:values"] = column.num_values
        told[f"{name}:nulls"] = known.null_count if known and known.has_null_count else None
        if known is not None and known.has_min_max:
            told[f"{name}:min"], told[f"{name}:max"] = known.min, known.max
    return told


def _table(records: Sequence[dict[str, Any]], schema: pa.Schema) -> pa.Table:
    kinds: dict[str, pa.DataType] = {
        "file": pa.string(), "state": pa.string(), "group": pa.int32(), "rows": pa.int64(),
    }  # fmt: skip
    for name, kind in leaves(schema):
        kinds |= {f"{name}:values": pa.int64(), f"{name}:nulls": pa.int64()}
        if pa.types.is_floating(kind) and not pa.types.is_float16(kind):  # these are told as bytes
            kinds |= {f"{name}:{end}": pa.float64() for end in ("min", "max")}
        elif pa.types.is_integer(kind):
            kinds |= {f"{name}:{end}": kind for end in ("min", "max")}
        elif pa.types.is_string(kind) or pa.types.is_large_string(kind):
            kinds |= {f"{name}:{end}": pa.string() for end in ("min", "max")}
    columns = {
        name: pa.array([record.get(name) for record in records], kind)
        for name, kind in kinds.items()
    }
    return pa.table(columns)


def index_table(groups: RowGroups) -> pa.Table:
    """A table that `row_groups` takes for the tree, once it is written as Parquet."""
    packed = {_SCHEMA: groups.schema.serialize().to_pybytes(), b"fmb_root": groups.where.encode()}
    return groups.table.replace_schema_metadata(packed)
