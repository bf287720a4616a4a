"""What a result was made from: digests of plain values and the versions in use."""

import hashlib
import json
import platform
import sys
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, distributions, version
from pathlib import Path
from typing import Any

import numpy as np

__all__ = ["canonical_json", "content_key", "environment", "file_sha256", "input_digest"]

PACKAGES = ("torch", "numpy", "pandas", "astropy", "h5py", "safetensors", "pydantic", "nflows")
"""Third-party packages whose versions are written into a run's manifest."""


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


def file_sha256(path: Path) -> str:
    """Digest of a file's bytes."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def input_digest(arrays: Mapping[str, Any]) -> str:
    """Digest of named arrays: names, dtypes, shapes and values."""
    digest = hashlib.blake2b(digest_size=16)
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        digest.update(f"{name}:{array.dtype.str}:{array.shape}".encode())
        digest.update(array.view(np.uint8).data if array.size else b"")
    return digest.hexdigest()


def environment() -> dict[str, Any]:
    """Versions of Python, of FMB's packages and of what they compute with."""
    found = {name: _version(name) for name in PACKAGES}
    ours = {
        dist.name: dist.version
        for dist in distributions()
        if any(entry.group == "fmb" for entry in dist.entry_points)
    }
    return {
        "python": sys.version.split()[0],
        "platform": f"{platform.system()} {platform.machine()}",
        "plugins": dict(sorted(ours.items())),
        "packages": {name: v for name, v in found.items() if v},
    }


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""
