"""Files of one JSON record a line that only grow: appended whole, read past what a crash tore."""

import contextlib
import fcntl
import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from fmb.messages.errors import StoreError
from fmb.store.atomic import ensure_folder, sync, write_failure
from fmb.store.keys import canonical_json

__all__ = ["append_records", "read_records"]


def append_records(path: Path, records: Iterable[Mapping[str, Any]]) -> None:
    """Add records at the end of a journal; they are on the disk when this returns.

    Several processes may append to one file at a time. A line that a crash left without its end
    keeps to itself.

    Args:
        path: the journal; made with its folder where it is not there.
        records: plain values, one a line, in this order.

    Raises:
        FailedError: the disk is full or the file cannot be written to.
    """
    body = "".join(f"{canonical_json(record)}\n" for record in records).encode()
    ensure_folder(path.parent)
    try:
        handle = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o644)
        try:
            # Some network file systems lock nothing; there one write after the other must do.
            with contextlib.suppress(OSError):
                fcntl.flock(handle, fcntl.LOCK_EX)
            size = os.fstat(handle).st_size
            torn = bool(size) and os.pread(handle, 1, size - 1) != b"\n"
            left = memoryview(b"\n" * torn + body)
            while left:
                left = left[os.write(handle, left) :]
            os.fsync(handle)
        finally:
            os.close(handle)
        sync(path.parent)
    except OSError as error:
        raise write_failure(path, error) from error


def read_records(path: Path) -> tuple[list[dict[str, Any]], int]:
    """The records of a journal in order, and how many lines are none, as a crash leaves them.

    Raises:
        StoreError: the file cannot be read.
    """
    try:
        lines = path.read_bytes().split(b"\n")
    except OSError as error:
        raise StoreError(f"{path}: cannot be read: {error.strerror or error}") from None
    records, torn = [], 0
    for line in filter(bytes.strip, lines):
        try:
            record = json.loads(line)
        except (ValueError, RecursionError):
            record = None
        if isinstance(record, dict):
            records.append(record)
        else:
            torn += 1
    return records, torn
