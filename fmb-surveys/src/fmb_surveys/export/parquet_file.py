"""A table as a Parquet file, a block of rows at a time, with the header of a VOTable in it."""

import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from fmb_surveys.export.astropy_header import astropy_header
from fmb_surveys.export.column_facts import Facts, facts_of
from fmb_surveys.export.exported import Exported, is_text, masked
from fmb_surveys.export.votable_header import end, start, votable_field

__all__ = ["Taken", "parquet_parts", "plain_table"]


def parquet_parts(exported: Exported, told: Mapping[str, Any]) -> Iterator[bytes]:
    """The file.

    Source: Parquet in the VO, IVOA note of 2025-01-14, section 2: a VOTable without data under
    the key IVOA.VOTable-Parquet.content says what the columns are.
    """
    import pyarrow.parquet as pq

    stream, writer, schema = Taken(), None, None
    facts = facts_of(exported)
    for block in exported.blocks():
        arrow = plain_table(block)
        if writer is None:
            schema = _described(arrow.schema, facts, exported, told)
            writer = pq.ParquetWriter(stream, schema)
        writer.write_table(arrow.cast(schema))
        yield stream.take()
    if writer is not None:
        writer.close()
    yield stream.take()


def plain_table(block: Any) -> Any:
    """Some rows as Arrow has them; a missing text is empty, since astropy reads no other."""
    import pyarrow as pa

    texts = {str(c): masked(v).filled("") for c, v in block.items() if is_text(v)}
    bare = block.assign(**texts)
    bare.attrs = {}
    return pa.Table.from_pandas(bare, preserve_index=False)


def _described(
    schema: Any, facts: Mapping[str, Facts], exported: Exported, told: Mapping[str, Any]
) -> Any:
    import pyarrow as pa

    for at, column in enumerate(schema.names):
        kept = {key: value for key, value in vars(exported.fields[column]).items() if value}
        own = schema.field(at).with_metadata(kept)
        # Astropy stacks the column on the declared one: with a sign, no digit passes a float.
        signed = _unsigned(facts[column]) and not _beyond(facts[column])
        schema = schema.set(at, own.with_type(pa.int64()) if signed else own)
    meta = {
        **(schema.metadata or {}),
        **astropy_header(facts, exported.fields, told),
        b"fmb": json.dumps(dict(told), sort_keys=True).encode(),
        b"IVOA.VOTable-Parquet.version": b"1.0",
        b"IVOA.VOTable-Parquet.content": _votable(facts, exported, told).encode(),
    }
    return schema.with_metadata(meta)


def _votable(facts: Mapping[str, Facts], exported: Exported, told: Mapping[str, Any]) -> str:
    """A header whose columns have the types that astropy gives those of the file itself."""
    fields = []
    for name, one in facts.items():
        field = votable_field(one, exported.fields[name])
        if _unsigned(one):
            field = replace(field, told=exported.fields[name])
            if not _beyond(one):
                field = replace(field, datatype="long", arraysize="")
        elif one.kind.kind == "b" and one.missing:
            field = replace(field, arraysize="1*")  # a truth value or none
        fields.append(field)
    return start(fields, told, len(exported)) + end()


def _unsigned(facts: Facts) -> bool:
    return facts.kind.str[1:] == "u8"


def _beyond(facts: Facts) -> bool:
    """Whether a number is in it that 63 bits cannot hold."""
    return facts.high >= 1 << 63


class Taken(io.RawIOBase):
    """A file of which what is written is taken away."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def writable(self) -> bool:
        """Always."""
        return True

    def write(self, part: Any) -> int:
        """Keep a part until it is taken."""
        self._parts.append(bytes(part))
        return len(part)

    def take(self) -> bytes:
        """What was written since the last time."""
        taken, self._parts = b"".join(self._parts), []
        return taken
