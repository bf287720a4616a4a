"""JSON that others wrote: a bounded table of plain values, or one line that says what is wrong."""

import json
import math
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from fmb.messages.errors import WeightsError

__all__ = ["parse_table", "read_bytes", "read_table"]

MOST_BYTES = 1 << 20
"""Of a card, a configuration or an index; real ones have some thousand."""
_DEEPEST = 32
_LONGEST_NAME = 500
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
"""What moves the cursor of a terminal or cannot be written, but for tab and line break."""


class _Refused(ValueError):
    """Why a table is not taken."""


def read_table(path: Path) -> dict[str, Any]:
    """The table in a JSON file of at most 1 MiB.

    Raises:
        WeightsError: no such file, no regular one, or no such table; see `parse_table`.
    """
    return parse_table(read_bytes(path, MOST_BYTES), str(path))


def read_bytes(path: Path, most: int) -> bytes:
    """The content of a regular file of at most `most` bytes.

    Raises:
        WeightsError: it is missing, longer, or something that could be read for ever.
    """
    try:
        if path.exists() and not path.is_file():
            raise WeightsError(f"{path}: not a regular file")
        with path.open("rb") as stream:
            body = stream.read(most + 1)
    except OSError as error:
        raise WeightsError(f"{path}: cannot be read: {error.strerror or error}") from None
    if len(body) > most:
        raise WeightsError(f"{path}: larger than {most:,} bytes, which none of its kind is")
    return body


def parse_table(body: bytes, where: str) -> dict[str, Any]:
    """The table that a JSON text is, each name once, of plain values that any program can hold.

    Args:
        body: UTF-8.
        where: names the text in messages; nothing of the text is repeated in them but names.

    Raises:
        WeightsError: not JSON or not a table, a name twice, NaN or Infinity, a whole number of
            more than 64 bits, more than 32 levels, control characters.
    """
    try:
        table = json.loads(
            body.decode(),
            object_pairs_hook=_each_once,
            parse_constant=_no_number,
            parse_int=_whole,
            parse_float=_finite,
        )
        if not isinstance(table, dict):
            raise _Refused("not a table of names and values")
        _check(table, 1)
    except _Refused as error:
        raise WeightsError(f"{where}: {error}") from None
    except RecursionError:
        raise WeightsError(f"{where}: {_TOO_DEEP}") from None
    except ValueError:  # of bytes that are no text, or text that is no JSON
        raise WeightsError(f"{where}: not JSON") from None
    return table


_TOO_DEEP = f"nested deeper than {_DEEPEST} levels"


def _each_once(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    table: dict[str, Any] = {}
    for name, value in pairs:
        if len(name) > _LONGEST_NAME:
            raise _Refused(f"a name of {len(name):,} characters, at most {_LONGEST_NAME}")
        if name in table:
            raise _Refused(f"{name!r} stands there twice")
        table[name] = value
    return table


def _no_number(text: str) -> Any:
    raise _Refused(f"{text} is no number that JSON has")


def _whole(text: str) -> int:
    if len(text) > 20 or not -(2**63) <= int(text) < 2**64:
        raise _Refused("a whole number of more than 64 bits")
    return int(text)


def _finite(text: str) -> float:
    if not math.isfinite(float(text)):
        raise _Refused("a number beyond the range of float64")
    return float(text)


def _check(value: Any, depth: int) -> None:
    if isinstance(value, str) and _CONTROL.search(value):
        raise _Refused("a text holds control characters")
    if not isinstance(value, dict | list):
        return
    if depth > _DEEPEST:
        raise _Refused(_TOO_DEEP)
    for inner in [*value, *value.values()] if isinstance(value, dict) else value:
        _check(inner, depth + 1)
