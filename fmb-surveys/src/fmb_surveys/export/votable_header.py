"""What a VOTable says before its rows: columns, their types, units and UCDs, and provenance."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from fmb_surveys.export.column_facts import Facts
from fmb_surveys.export.exported import Field
from fmb_surveys.export.provenance import provenance_lines
from fmb_surveys.export.unit_words import about_with_unit, unit_word

__all__ = ["VotableField", "end", "start", "votable_field"]

_TYPES = {
    "b1": "boolean", "u1": "unsignedByte", "i1": "short", "i2": "short", "u2": "int", "i4": "int",
    "u4": "long", "i8": "long", "f2": "float", "f4": "float", "f8": "double",
}  # fmt: skip
"""Type of numpy -> of VOTable, the next wider one where it knows none of that width and sign."""


@dataclass(frozen=True)
class VotableField:
    """A column as a VOTable declares it."""

    name: str
    datatype: str
    arraysize: str
    told: Field


def votable_field(facts: Facts, told: Field) -> VotableField:
    """How a VOTable has a column; text in the width of its longest.

    Unsigned numbers of 64 bits are text: VOTable knows none of them, and no id may lose a digit.
    """
    if facts.kind.str[1:] == "u8":
        told = Field(f"{told.about} (unsigned 64-bit number, as text)", told.unit, told.ucd)
        return VotableField(facts.name, "char", "20", told)
    if facts.kind.kind == "U":
        # An array of one character is no text to readers of VOTable.
        datatype = "char" if facts.not_ascii is None else "unicodeChar"
        return VotableField(facts.name, datatype, str(max(2, facts.width)), told)
    return VotableField(facts.name, _TYPES[facts.kind.str[1:]], "", told)


def start(fields: Sequence[VotableField], told: Mapping[str, Any], rows: int) -> str:
    """A VOTable from its beginning to the last of its columns."""
    placed = {"ra", "dec"} <= {field.name for field in fields}
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        '<VOTABLE version="1.4" xmlns="http://www.ivoa.net/xml/VOTable/v1.3">',
        '<RESOURCE type="results" name="FMB">',
        *(_info("provenance", line) for line in provenance_lines(told)),
        _info("fmb", json.dumps(dict(told), sort_keys=True)),
        *(['<COOSYS ID="position" system="ICRS"/>'] if placed else []),
        f'<TABLE name={quoteattr(str(told["run"]))} nrows="{rows}">',
        *(_field(field, placed) for field in fields),
    ]
    return "\n".join(lines) + "\n"


def end() -> str:
    """What closes what `start` opened."""
    return "</TABLE>\n</RESOURCE>\n</VOTABLE>\n"


def _info(name: str, value: str) -> str:
    return f"<INFO name={quoteattr(name)} value={quoteattr(_held(value))}/>"


def _field(field: VotableField, placed: bool) -> str:
    unit = unit_word(field.told.unit, "vounit")
    given = {
        "name": _held(field.name),
        "datatype": field.datatype,
        "arraysize": field.arraysize,
        "unit": unit,
        "ucd": field.told.ucd,
        "ref": "position" if placed and field.name in ("ra", "dec") else "",
    }
    words = " ".join(f"{key}={quoteattr(value)}" for key, value in given.items() if value)
    about = escape(_held(about_with_unit(field.told.about, field.told.unit, unit)))
    inner = f"<DESCRIPTION>{about}</DESCRIPTION>" if about else ""
    return f"<FIELD {words}>{inner}</FIELD>"


def _held(text: str) -> str:
    """The text without characters that XML cannot hold, each as a question mark."""
    return "".join(c if c >= " " or c in "\t\n\r" else "?" for c in text)
