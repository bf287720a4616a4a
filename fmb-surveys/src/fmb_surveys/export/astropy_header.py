"""What astropy looks for in a Parquet file: units, meanings and the lengths of texts."""

import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from fmb_surveys.export.column_facts import Facts
from fmb_surveys.export.exported import Field
from fmb_surveys.export.unit_words import about_with_unit, unit_of, unit_word

__all__ = ["astropy_header"]


def astropy_header(
    facts: Mapping[str, Facts], fields: Mapping[str, Field], told: Mapping[str, Any]
) -> dict[bytes, bytes]:
    """The keys of a Parquet file that `Table.read` of astropy reads besides the values.

    Units and meanings are those of the VOTable header, so that a reader of both finds no conflict.

    Source: `write_table_parquet` of astropy 8.0, which writes the same keys.
    """
    from astropy.table import Table, meta

    table = Table(meta=json.loads(json.dumps(dict(told))))
    header = {}
    for name, one in facts.items():
        unit = unit_word(fields[name].unit, "vounit")
        text = one.kind.kind == "U"
        table[name] = np.empty(0, dtype="U1" if text else one.kind)
        table[name].description = about_with_unit(fields[name].about, fields[name].unit, unit)
        table[name].unit = unit_of(unit)
        if fields[name].ucd:
            table[name].meta["ucd"] = fields[name].ucd
        if text:
            header[f"table::len::{name}".encode()] = str(max(1, one.width)).encode()
    lines = meta.get_yaml_from_table(table)
    return {b"table_meta_yaml": "\n".join(lines).encode(), **header}
