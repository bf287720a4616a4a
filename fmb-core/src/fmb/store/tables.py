"""Tables on disk: Parquet with units and provenance in its metadata, published whole."""

import io
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from fmb.messages.errors import StoreError
from fmb.store.atomic import publish
from fmb.store.keys import canonical_json

__all__ = ["read_meta", "read_table", "write_table"]

_META = b"fmb"
_ROWS_AT_ONCE = 1 << 17
_ATTRS = ("units", "roles")
"""What a table tells of its columns: column -> unit, role -> column."""


def write_table(path: Path, table: pd.DataFrame, meta: Mapping[str, Any]) -> None:
    """Publish a table; `attrs["units"]` (column -> unit) and `attrs["roles"]` are kept with it.

    Args:
        path: the Parquet file.
        table: any columns; ids keep their integer width.
        meta: plain values to keep with the table, for instance its content key.
    """
    kept = {**{name: table.attrs.get(name, {}) for name in _ATTRS}, **meta}
    bare = table.copy(deep=False)
    bare.attrs = {}
    arrow = pa.Table.from_pandas(bare, preserve_index=False)
    arrow = arrow.replace_schema_metadata(
        {**(arrow.schema.metadata or {}), _META: canonical_json(kept).encode()}
    )
    publish(path, _as_parquet(arrow))


class _Parts(io.RawIOBase):
    """A file that keeps what is written until it is taken."""

    def __init__(self) -> None:
        self._written: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, part: Any) -> int:
        self._written.append(bytes(part))
        return len(part)

    def take(self) -> list[bytes]:
        taken, self._written = self._written, []
        return taken


def _as_parquet(table: pa.Table) -> Iterator[bytes]:
    """A table as the parts of a file, made as they are taken: none of it stands there twice."""
    # A dictionary of numbers that all differ would be twice the work and the memory.
    text = [field.name for field in table.schema if not pa.types.is_primitive(field.type)]
    parts = _Parts()
    with pq.ParquetWriter(parts, table.schema, use_dictionary=text) as writer:
        for start in range(0, max(len(table), 1), _ROWS_AT_ONCE):
            writer.write_table(table.slice(start, _ROWS_AT_ONCE))
            yield from parts.take()
    yield from parts.take()


def read_table(path: Path, columns: Sequence[str] | None = None) -> pd.DataFrame:
    """A table written by `write_table`, with its `attrs["units"]` and `attrs["roles"]`.

    Nothing but `columns` is read, where they are named.

    Raises:
        StoreError: it is missing or damaged.
    """
    try:
        arrow = pq.read_table(path, columns=None if columns is None else list(columns))
        table: pd.DataFrame = arrow.to_pandas()
        meta = _meta_of(arrow.schema)
    except FileNotFoundError:
        raise StoreError(f"{path}: no such file") from None
    except (OSError, ValueError, TypeError, LookupError, pa.ArrowException) as error:
        raise StoreError(f"{path} is damaged: {' '.join(str(error).split())}") from None
    table.attrs.update({name: meta.get(name, {}) for name in _ATTRS})
    return table


def read_meta(path: Path) -> dict[str, Any]:
    """What was kept with the table, {} when there is no such table.

    Raises:
        StoreError: it is damaged.
    """
    if not path.exists():
        return {}
    try:
        return _meta_of(pq.read_schema(path))
    except (OSError, ValueError, pa.ArrowException) as error:
        raise StoreError(f"{path} is damaged: {' '.join(str(error).split())}") from None


def _meta_of(schema: pa.Schema) -> dict[str, Any]:
    meta: dict[str, Any] = json.loads((schema.metadata or {}).get(_META, b"{}"))
    return meta
