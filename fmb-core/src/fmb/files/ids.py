"""Object ids: int64, uint64 or str, as the survey has them and never through a float."""

import csv
import re
from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import numpy as np

from fmb.contract.arrays import Array
from fmb.files.texts import read_text
from fmb.messages.errors import DataError, UnknownNameError
from fmb.order.positions import stable_order

__all__ = [
    "as_ids",
    "canonical_order",
    "find_ids",
    "id_line",
    "locate",
    "parse_ids",
    "read_id_file",
    "read_ids",
    "refuse_duplicates",
]

_INTEGER = re.compile(r"-?(0|[1-9][0-9]*)")
_FLOAT = re.compile(r"[+-]?[0-9]+(\.0*|(\.[0-9]*)?[eE][+-]?[0-9]+)")
"""How a whole number that went through a float is written."""
HEADINGS = (
    "object_id", "objectid", "objid", "id", "source_id", "sourceid", "targetid", "specobjid",
    "bestobjid", "designation",
)  # fmt: skip
"""What may stand above a column of ids, in lower case."""
_SHOWN = 5


def as_ids(values: Any, where: str) -> Array:
    """Ids in one of the three kinds FMB keeps.

    Args:
        values: (n,) integers, str or bytes.
        where: names the place in messages.

    Returns:
        (n,), int64, uint64 or str; the order of `values`.

    Raises:
        DataError: they are floats, missing, bytes that are no text, or of another kind.
    """
    found = np.asarray(values)
    if found.ndim != 1:
        raise DataError(f"{where}: ids have shape {found.shape}, expected one id an object")
    if found.dtype.kind in "iu":
        return found.astype(np.uint64 if found.dtype.kind == "u" else np.int64)
    if found.dtype.kind == "f":
        raise DataError(f"{where}: ids are floats, which lose digits; store integers or text")
    if found.dtype.kind not in "SUOT":
        raise DataError(f"{where}: ids have type {found.dtype}, expected integers or text")
    if found.dtype.kind == "S" and (np.frombuffer(found.tobytes(), np.uint8) < 128).all():
        found = np.strings.rstrip(found, b" ").astype(np.str_)  # as C and IDL fill up a length
    if found.dtype.kind == "U" and (found != "").all():
        _refuse_floats(found, where)
        return found
    texts = found.tolist()
    if texts and all(type(text) is int for text in texts):  # of any size
        return parse_ids([str(text) for text in texts], where)
    for row, text in enumerate(texts):
        if isinstance(text, bytes):
            try:
                texts[row] = text.decode().rstrip(" ")
            except UnicodeDecodeError:
                raise DataError(f"{where}: the id in row {row} is not text (UTF-8)") from None
        if not isinstance(texts[row], str) or not texts[row]:
            raise DataError(f"{where}: the id in row {row} is missing")
    _refuse_floats(texts, where)
    return np.array(texts, dtype=np.str_)


def _refuse_floats(texts: Sequence[str] | Array, where: str) -> None:
    """Refuse text of which all was a float once."""
    if len(texts) and all(_FLOAT.fullmatch(text) for text in texts):
        raise DataError(
            f"{where}: ids went through a float, which loses digits ({texts[0]}); write them anew"
            " as whole numbers or text"
        )


def parse_ids(texts: Sequence[str], where: str) -> Array:
    """Ids from text: int64 or uint64 when all are plain integers that fit, else str.

    Raises:
        DataError: one of them is empty.
    """
    ids = as_ids(np.array(texts, dtype=object), where)
    if len(ids) and all(_INTEGER.fullmatch(text) for text in texts):
        numbers = [int(text) for text in texts]
        for kind in (np.int64, np.uint64):
            if min(numbers) >= np.iinfo(kind).min and max(numbers) <= np.iinfo(kind).max:
                return np.array(numbers, dtype=kind)
    return ids


def refuse_duplicates(ids: Array, where: str) -> None:
    """Check that every object has its own id.

    Raises:
        DataError: two rows share an id.
    """
    ranked = np.sort(ids)
    if not (ranked[1:] == ranked[:-1]).any():
        return
    unique, first, count = np.unique(ids, return_index=True, return_counts=True)
    repeated = np.flatnonzero(count > 1)
    worst = repeated[np.argmin(first[repeated])]
    rows = ", ".join(str(r) for r in np.flatnonzero(ids == unique[worst])[:_SHOWN])
    raise DataError(
        f"{where}: {len(repeated)} ids stand in more than one row, first {unique[worst]}"
        f" (rows {rows}); give every object its own id"
    )


def canonical_order(ids: Array) -> Array:
    """(n,) int64: positions that sort ids, numbers by value and text by code point."""
    return stable_order(ids)


def locate(wanted: Array, among: Array) -> Array:
    """(n,) int64: where each wanted id stands in `among`, -1 where it does not.

    Args:
        wanted: (n,) ids.
        among: (m,) ids without repeats.
    """
    if wanted.dtype.kind != among.dtype.kind:
        # numpy compares int64 with uint64 through float64: text keeps every digit.
        wanted, among = wanted.astype(np.str_), among.astype(np.str_)
    if not len(among):
        return np.full(len(wanted), -1)
    order = np.argsort(among, kind="stable")
    at = order[np.minimum(np.searchsorted(among, wanted, sorter=order), len(among) - 1)]
    return np.where(among[at] == wanted, at, -1)


def find_ids(wanted: Array, among: Array, where: str) -> Array:
    """(n,) int64: where each wanted id stands in `among`.

    Args:
        wanted: (n,) ids, as a user typed them.
        among: (m,) ids without repeats.
        where: names what has them, for the message.

    Raises:
        UnknownNameError: one stands nowhere; names the nearest.
    """
    at = locate(wanted, among)
    lost = wanted[at < 0]
    if len(lost):
        more = f", nor {len(lost) - 1:,} more of the {len(wanted):,} named" if len(lost) > 1 else ""
        raise UnknownNameError(
            f"{where} has no object {str(lost[0])!r}{more}{_nearest_id(str(lost[0]), among)}"
        )
    return at


def _nearest_id(text: str, among: Array) -> str:
    """A hint at the id that was meant, "" where none is near."""
    names, n = among.astype(np.str_), len(text)
    # Comparing with a million ids takes a minute; one wrong letter leaves one half whole.
    for part in (n - 1, n - 2, n // 2):
        part = max(1, part)
        near = np.char.startswith(names, text[:part]) | np.char.endswith(names, text[-part:])
        if near.any():
            break
    close = get_close_matches(text, names[near][:10_000].tolist(), n=1, cutoff=0.6)
    return f"; did you mean {close[0]!r}?" if close else ""


def read_id_file(path: Path) -> Array:
    """Ids of a text file; see `read_ids`.

    Raises:
        DataError: the file is missing, no regular one, unreadable or holds no id.
    """
    return read_ids(read_text(path, "list of ids"), str(path))


def read_ids(text: str, where: str) -> Array:
    """Ids of a text: one a line, or the first column of a CSV.

    `#` starts a comment at the beginning of a line and after a blank; an id may hold one. An id in
    quotes is taken as it stands there, with its commas, blanks and `#`. A first line is a heading
    where it is `object_id` or another of `HEADINGS`.

    Raises:
        DataError: it holds no id.
    """
    texts: list[str] = []
    in_quotes: list[bool] = []
    for line in text.splitlines():
        quoted = line.lstrip().startswith('"')
        bare = line.strip() if quoted else re.split(r"(?:^|\s)#", line)[0].strip()
        row = next(csv.reader([bare]), [])
        first = row[0] if row and quoted else "".join(row[:1]).strip()
        if first:
            texts.append(first)
            in_quotes.append(quoted)
    if texts and not in_quotes[0] and texts[0].lower() in HEADINGS:
        del texts[0]
    if not texts:
        raise DataError(f"{where}: holds no ids; write one a line")
    return parse_ids(texts, where)


def id_line(text: str) -> str:
    """An id as a line of a file that `read_ids` takes back, in quotes where it could be misread."""
    plain = text == text.strip() and not re.search(r'[",]|(?:^|\s)#', text)
    bare = plain and text.lower() not in HEADINGS
    return text if bare else '"{}"'.format(text.replace('"', '""'))
