"""A table as a VOTable, its rows as BINARY2, a block of them at a time."""

import base64
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from fmb import Array
from fmb_surveys.export.column_facts import facts_of
from fmb_surveys.export.exported import Exported, masked
from fmb_surveys.export.votable_header import VotableField, end, start, votable_field

__all__ = ["votable_parts"]

_STORED = {
    "boolean": "u1", "unsignedByte": "u1", "short": ">i2", "int": ">i4", "long": ">i8",
    "float": ">f4", "double": ">f8",
}  # fmt: skip
_LINE = 48
"""Bytes that become a line of 64 characters."""


def votable_parts(exported: Exported, told: Mapping[str, Any]) -> Iterator[bytes]:
    """The file, its header first.

    Every row begins with a bit a column, set where the value is missing.

    Source: VOTable 1.4, IVOA recommendation of 2019, section 5.4.
    """
    facts = facts_of(exported)
    fields = [votable_field(one, exported.fields[name]) for name, one in facts.items()]
    head = start(fields, told, len(exported))
    yield (head + '<DATA><BINARY2><STREAM encoding="base64">\n').encode()
    kind = np.dtype(
        [("gaps", "u1", (-(-len(fields) // 8),))]
        + [(f"c{n}", _stored(field)) for n, field in enumerate(fields)]
    )
    left = b""
    for block in exported.blocks():
        left += _rows(block, fields, kind)
        whole = len(left) - len(left) % _LINE
        yield _lines(left[:whole])
        left = left[whole:]
    yield _lines(left)
    yield ("</STREAM></BINARY2></DATA>\n" + end()).encode()


def _rows(block: Any, fields: list[VotableField], kind: np.dtype[Any]) -> bytes:
    rows = np.zeros(len(block), dtype=kind)
    gaps = np.zeros((len(block), len(fields)), dtype=bool)
    for n, field in enumerate(fields):
        values = masked(block[field.name])
        rows[f"c{n}"] = _encoded(values, field)
        missing = np.ma.getmaskarray(values)
        gaps[:, n] = missing | np.isnan(values.data) if values.dtype.kind == "f" else missing
    rows["gaps"] = np.packbits(gaps, axis=1)
    return rows.tobytes()


def _stored(field: VotableField) -> str:
    if field.datatype == "char":
        return f"S{field.arraysize}"
    if field.datatype == "unicodeChar":
        return f"S{2 * int(field.arraysize)}"
    return _STORED[field.datatype]


def _encoded(values: np.ma.MaskedArray[Any, Any], field: VotableField) -> Array:
    if field.datatype == "boolean":
        known = np.where(values.data, ord("T"), ord("F"))
        return np.where(np.ma.getmaskarray(values), ord("?"), known)
    if field.datatype == "char":
        return values.data.astype(str).astype("S")
    if field.datatype == "unicodeChar":
        encoded: Array = np.char.encode(values.data, "utf-16-be")
        return encoded
    return values.data


def _lines(body: bytes) -> bytes:
    text = base64.b64encode(body)
    width = _LINE * 4 // 3
    return b"".join(text[at : at + width] + b"\n" for at in range(0, len(text), width))
