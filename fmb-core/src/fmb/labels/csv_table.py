"""Labels as a CSV file: what `fmb label` prints and takes."""

import csv
import io
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from fmb.files.ids import parse_ids
from fmb.files.texts import read_text
from fmb.labels.book import Event, check_class, myself, utc
from fmb.labels.held import Labelled
from fmb.messages.errors import DataError, did_you_mean

__all__ = ["COLUMNS", "read_labels", "table_of"]

COLUMNS = ("object_id", "class", "ra", "dec", "time", "who", "run", "list", "rank")
"""Of the file; a file to be read needs the first two."""


def table_of(labelled: Labelled) -> str:
    """The labels that hold, in the order of the objects, with a heading."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for event in labelled.held.values():
        record = event.record()
        writer.writerow("" if record[name] is None else record[name] for name in COLUMNS)
    return text.getvalue()


def read_labels(path: Path, *, text_ids: bool) -> list[Event]:
    """The labels of a CSV file with the columns of `COLUMNS`, at least the first two.

    A label without a time is given now, one without an author by whoever runs this.

    Args:
        path: the file.
        text_ids: the survey's ids are text, so that 007 is not 7.

    Raises:
        DataError: it cannot be read, lacks a column, has another, or a value is none.
    """
    reader = csv.DictReader(read_text(path, "labels").splitlines())
    heads = list(reader.fieldnames or ())
    for name in COLUMNS[:2]:
        if name not in heads:
            raise DataError(f"{path}: no column {name!r}{did_you_mean(name, heads)}")
    for name in heads:
        if name not in COLUMNS:
            raise DataError(f"{path}: column {name!r} is none of {', '.join(COLUMNS)}")
    now = utc(datetime.now(UTC))
    rows = [(f"{path}, line {reader.line_num}", row) for row in reader]
    events = [_event(where, row, now, text_ids=text_ids) for where, row in rows]
    if not events:
        raise DataError(f"{path}: holds no labels")
    return events


def _event(where: str, row: dict[str, str | None], now: str, *, text_ids: bool) -> Event:
    known = {name: (value or "").strip() for name, value in row.items() if isinstance(name, str)}
    ids = parse_ids([known["object_id"]], where)
    check_class(known["class"], f"{where}: ")
    try:
        time = utc(datetime.fromisoformat(known["time"])) if known.get("time") else now
    except ValueError:
        raise DataError(f"{where}: {known['time']!r} is no time, as 2026-05-01T12:00:00") from None
    ra, dec, rank = (_number(where, known.get(name, "")) for name in ("ra", "dec", "rank"))
    return Event(
        time=time,
        who=known.get("who") or myself(),
        object_id=known["object_id"],
        id_type="str" if text_ids or ids.dtype.kind == "U" else str(ids.dtype),
        name=known["class"],
        ra=ra,
        dec=dec,
        run=known.get("run", ""),
        list=known.get("list", ""),
        rank=rank,
    )


def _number(where: str, text: str) -> float | None:
    try:
        value = float(text or "nan")
    except ValueError:
        raise DataError(f"{where}: {text!r} is no number") from None
    return value if np.isfinite(value) else None
