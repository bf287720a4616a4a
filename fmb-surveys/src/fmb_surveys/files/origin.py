"""Where each object's data come from, as a number that changes when the file does."""

import hashlib
from pathlib import Path

import numpy as np

from fmb import Array, DataError
from fmb.order import scrambled
from fmb_surveys.files.stores import PerObject, Stacked

__all__ = ["origin_of"]


def origin_of(
    store: Stacked | PerObject, rows: Array, digest: str | None, mapping: str = ""
) -> Array:
    """(n,), uint64: the origin of each object in one input; 0 where it has none.

    For a file that holds all objects it tells the digest of its content, or, for a survey that FMB
    wrote, its size and time of change, and the row that the object has there. For a file an object
    it tells path, size and time of change. No pixel is read.

    Args:
        store: where the input's datasets are.
        rows: (n,), the stored row of each object, -1 = not observed.
        digest: of the content of the file that holds all objects, where it was taken.
        mapping: says how the file is read; another mapping is another origin.

    Raises:
        DataError: a file is gone.
    """
    if isinstance(store, PerObject):
        states = (f"{mapping} {_state(path)}" for path in store.paths)
        numbers = np.array([_number(state) for state in states], dtype=np.uint64)
        return np.where(rows >= 0, numbers[rows], np.uint64(0))
    number = np.uint64(_number(f"{mapping} {digest or _state(store.path)}"))
    # Which row of the file an object has is told by the catalogue, which may be another file.
    own = scrambled(number ^ scrambled(rows.astype(np.uint64)))
    return np.where(rows >= 0, own, np.uint64(0))


def _state(path: Path) -> str:
    try:
        status = path.stat()
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}") from None
    return f"{path} {status.st_size} {status.st_mtime_ns}"


def _number(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little")
