"""Tables as text, a block of rows at a time: CSV and ECSV."""

import io
import json
from collections.abc import Iterator, Mapping
from typing import Any

from fmb import DataError
from fmb_surveys.export.column_facts import facts_of
from fmb_surveys.export.exported import Exported, is_text, masked
from fmb_surveys.export.unit_words import unit_of

__all__ = ["csv_parts", "ecsv_parts"]


def csv_parts(exported: Exported, told: Mapping[str, Any]) -> Iterator[bytes]:
    """The table as CSV, which has no place for what is told of it and of its columns."""
    for n, block in enumerate(exported.blocks()):
        yield block.to_csv(index=False, header=n == 0, lineterminator="\n").encode()


def ecsv_parts(exported: Exported, told: Mapping[str, Any]) -> Iterator[bytes]:
    """The table as ECSV of astropy, with provenance in its header.

    Raises:
        DataError: a text begins or ends with a blank, which ECSV would give back without it.
    """
    for name, facts in facts_of(exported).items():
        if facts.outer is not None:
            raise DataError(
                f"column {name!r}: {facts.outer!r} begins or ends with a blank, which ECSV drops;"
                " choose --format csv or parquet"
            )
    header = ""
    for block in exported.blocks():
        text = _ecsv(block, exported, told)
        if not header:
            header = _ecsv(block.iloc[:0], exported, told)
            yield header.encode()
        yield text[len(header) :].encode()


def _ecsv(block: Any, exported: Exported, told: Mapping[str, Any]) -> str:
    from astropy.table import Table

    out = Table(meta=json.loads(json.dumps(dict(told))))
    for column, values in block.items():
        field = exported.fields[str(column)]
        out[str(column)] = masked(values)
        if is_text(values) and not len(values):
            out[str(column)] = out[str(column)].astype(str)
        out[str(column)].description = field.about or None
        out[str(column)].unit = unit_of(field.unit)
        if field.ucd:
            out[str(column)].meta["ucd"] = field.ucd
    text = io.StringIO()
    out.write(text, format="ascii.ecsv")
    return text.getvalue()
