"""Safetensors files of the core's own: written from arrays, mapped into memory; ids among them."""

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save

from fmb.contract.arrays import Array
from fmb.messages.errors import StoreError

__all__ = ["map_tensors", "pack_ids", "tensor_bytes", "unpack_ids"]

_KINDS = {
    "BOOL": "?",
    "U8": "u1",
    "I8": "i1",
    "I16": "<i2",
    "I32": "<i4",
    "I64": "<i8",
    "U16": "<u2",
    "U32": "<u4",
    "U64": "<u8",
    "F16": "<f2",
    "F32": "<f4",
    "F64": "<f8",
}

_NO_HEADER = (ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RecursionError)
"""What JSON that describes no arrays ends in."""


def tensor_bytes(arrays: Mapping[str, Array]) -> bytes:
    """The arrays as the bytes of a safetensors file."""
    return save({name: np.ascontiguousarray(value) for name, value in arrays.items()})


def map_tensors(path: Path) -> dict[str, Array]:
    """The arrays of a safetensors file, read-only, each mapped where it lies.

    The library's own reader for NumPy copies what it gives; a mapped array costs memory only while
    it is looked at, and the system takes it back.

    Raises:
        StoreError: the file is missing, cut off or not one of ours.
    """
    try:
        with path.open("rb") as stream:
            size = int.from_bytes(stream.read(8), "little")
            if not 0 < size <= path.stat().st_size:
                raise ValueError("its header does not fit the file")
            header: dict[str, Any] = json.loads(stream.read(size))
        header.pop("__metadata__", None)
        return {name: _mapped(path, 8 + size, entry) for name, entry in header.items()}
    except FileNotFoundError:
        raise StoreError(f"{path}: no such file") from None
    except (OSError, *_NO_HEADER) as error:
        raise StoreError(f"{path} is damaged ({error}); delete it and repeat") from None


def _mapped(path: Path, start: int, entry: Mapping[str, Any]) -> Array:
    kind, shape = np.dtype(_KINDS[entry["dtype"]]), tuple(entry["shape"])
    first, end = entry["data_offsets"]
    size = math.prod(shape) * kind.itemsize
    if end - first != size:
        raise ValueError("an array does not fill its place")
    if not size:
        return np.empty(shape, dtype=kind)  # nothing to map
    return np.memmap(path, kind, "r", start + first, shape)


def pack_ids(ids: Array) -> dict[str, Array]:
    """Ids as tensors: whole numbers as they are, text as UTF-8 in rows of bytes."""
    if ids.dtype.kind in "iu":
        return {"id": np.ascontiguousarray(ids)}
    encoded = np.char.encode(ids.astype(str), "utf-8")
    width = max(encoded.dtype.itemsize, 1)
    flat = np.frombuffer(encoded.astype(f"S{width}").tobytes(), dtype=np.uint8)
    return {"id_utf8": flat.reshape(len(ids), width)}


def unpack_ids(arrays: Mapping[str, Array]) -> Array:
    """The ids that `pack_ids` packed."""
    if "id" in arrays:
        return np.asarray(arrays["id"])
    packed = np.asarray(arrays["id_utf8"])
    fixed = np.ascontiguousarray(packed).view(f"S{packed.shape[1]}").reshape(-1)
    return np.char.decode(fixed, "utf-8")
