"""Keys and seeds: what tells plain values, files and parts of a run from any other."""

import hashlib
import json
from collections.abc import Mapping
from hashlib import blake2b
from operator import index
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["array_key", "canonical_json", "content_key", "derive_seed", "file_sha256"]


def canonical_json(value: Any) -> str:
    """JSON with sorted keys and no spaces: equal values give equal text."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), default=_plain)


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, set | frozenset):
        return sorted(value)
    if isinstance(value, Path):
        return str(value)
    raise TypeError(f"{type(value).__name__} is not a plain value: {value!r}")


def content_key(value: Any) -> str:
    """64 hexadecimal characters that tell `value` from any other."""
    return hashlib.sha256(canonical_json(value).encode()).hexdigest()


def array_key(array: npt.NDArray[Any]) -> str:
    """64 hexadecimal characters that tell the values of an array from any other's.

    Text counts by its characters, whatever width the array has, and whether it is of Python's own.

    Raises:
        TypeError: it holds objects that are no text.
    """
    values = np.ascontiguousarray(array)
    if values.dtype.kind == "O":  # as pandas has text: its bytes would be places in memory
        if not all(issubclass(kind, str) for kind in set(map(type, values.ravel().tolist()))):
            raise TypeError("an array of objects that are no text has no key")
        values = values.astype(np.str_)
    if values.dtype.kind == "U":
        body = "\0".join(values.ravel().tolist()).encode()
        return hashlib.sha256(f"text:{values.shape}:".encode() + body).hexdigest()
    head = f"{values.dtype.str}:{values.shape}:".encode()
    return hashlib.sha256(head + values.tobytes()).hexdigest()


def file_sha256(path: Path) -> str:
    """Digest of a file's bytes."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def derive_seed(seed: int, *parts: str | int) -> int:
    """A seed that belongs to one part of a run and to no other.

    Args:
        seed: the user's number.
        parts: what the part is called, coarse to fine: kind, "plugin:name", view, fold.
            1 and "1" are different parts.

    Returns:
        In [0, 2**63), the same on every machine; numpy and torch generators take it.

    Raises:
        TypeError: a part is neither text nor an integer.
    """
    # JSON keeps ("ab", "c") apart from ("a", "bc"), and 1 from "1".
    key = json.dumps([index(seed), *(p if isinstance(p, str) else index(p) for p in parts)])
    digest = blake2b(key.encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 1
