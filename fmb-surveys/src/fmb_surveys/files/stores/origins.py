"""Where stored rows come from, as numbers that change when the file does. No pixel is read."""

import hashlib
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from fmb import Array, DataError
from fmb.order import scrambled

__all__ = ["number_of", "origins_in_file", "origins_of_files", "state_of"]


def origins_in_file(path: Path, rows: Array, digest: str | None, mapping: str) -> Array:
    """(m,), uint64: of rows of one file that holds all objects.

    By the digest of its content, or, for a survey that FMB wrote, its size and time of change, and
    the row.

    Raises:
        DataError: the file is gone.
    """
    number = np.uint64(number_of(f"{mapping} {digest or state_of(path)}"))
    # Which row of the file an object has is told by the catalogue, which may be another file.
    return np.asarray(scrambled(number ^ scrambled(rows.astype(np.uint64))))


def origins_of_files(files: Iterable[tuple[Path, ...]], mapping: str) -> Array:
    """(m,), uint64: of objects with files of their own, by path, size and time of change.

    Raises:
        DataError: a file is gone.
    """
    states = (" ".join([mapping, *map(state_of, paths)]) for paths in files)
    return np.array([number_of(state) for state in states], dtype=np.uint64)


def state_of(path: Path) -> str:
    """Path, size and time of change of a file.

    Raises:
        DataError: it is gone.
    """
    try:
        status = path.stat()
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}") from None
    return f"{path} {status.st_size} {status.st_mtime_ns}"


def number_of(text: str) -> int:
    """A number of 64 bits that a text alone decides."""
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little")
