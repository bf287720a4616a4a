"""What a safetensors file says it holds: its header, checked, without any of its numbers."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fmb.foreign.file_kinds import NO_KIND, SAFETENSORS, kind_of
from fmb.foreign.strict_json import parse_table
from fmb.messages.errors import WeightsError

__all__ = ["Stored", "read_header"]

MOST_BYTES = 1 << 24
"""Of a header: 0.1 kB a tensor are usual."""
MOST_TENSORS = 20_000

_ITEM_BYTES = {
    "F64": 8, "I64": 8, "U64": 8, "F32": 4, "I32": 4, "U32": 4, "F16": 2, "BF16": 2, "I16": 2,
    "U16": 2, "F8_E4M3": 1, "F8_E5M2": 1, "I8": 1, "U8": 1, "BOOL": 1,
}  # fmt: skip


@dataclass(frozen=True)
class Stored:
    """A tensor that a file holds."""

    dtype: str
    """As safetensors calls it, for instance "F32"."""
    shape: tuple[int, ...]
    place: tuple[int, int]
    """First byte and the one after the last, counted from the end of the header."""


def read_header(path: Path) -> dict[str, Stored]:
    """Name -> what is stored, of tensors that fill the file without gaps.

    Source: the format, https://huggingface.co/docs/safetensors.

    Raises:
        WeightsError: something else, or not a whole file: one line says which.
    """
    kind = kind_of(path)
    if kind not in (SAFETENSORS, NO_KIND):
        raise WeightsError(f"{path}: not a whole safetensors file: this is {kind}")
    where = f"{path}: not a whole safetensors file"
    try:
        size = path.stat().st_size
        with path.open("rb") as stream:
            length = int.from_bytes(stream.read(8), "little")
            if not 2 <= length <= size - 8:
                raise WeightsError(f"{where}: a header of {length:,} bytes in a file of {size:,}")
            if length > MOST_BYTES:
                raise WeightsError(f"{where}: a header of {length:,} bytes; at most {MOST_BYTES:,}")
            table = parse_table(stream.read(length), f"{where}: header")
    except OSError as error:
        raise WeightsError(f"{path}: cannot be read: {error.strerror or error}") from None
    table.pop("__metadata__", None)
    if len(table) > MOST_TENSORS:
        raise WeightsError(f"{where}: {len(table):,} tensors; at most {MOST_TENSORS:,}")
    found = {name: _stored(entry, f"{where}: {name}") for name, entry in table.items()}
    _refuse_gaps(found, size - 8 - length, where)
    return found


def _stored(entry: Any, where: str) -> Stored:
    if not isinstance(entry, dict) or entry.keys() != {"dtype", "shape", "data_offsets"}:
        raise WeightsError(f"{where} has other entries than dtype, shape and data_offsets")
    dtype, shape, place = entry["dtype"], entry["shape"], entry["data_offsets"]
    if not isinstance(dtype, str) or dtype not in _ITEM_BYTES:
        raise WeightsError(f"{where}: dtype {str(dtype)[:20]!r}; known: {', '.join(_ITEM_BYTES)}")
    if not (_counts(shape) and _counts(place) and len(place) == 2):
        raise WeightsError(f"{where}: shape and offsets must be whole numbers from 0 up")
    wanted = math.prod(shape) * _ITEM_BYTES[dtype]
    if place[1] - place[0] != wanted:
        told = f"{dtype} {tuple(shape)} needs {wanted:,} bytes"
        raise WeightsError(f"{where}: {told}, its place has {place[1] - place[0]:,}")
    return Stored(dtype, tuple(shape), (place[0], place[1]))


def _counts(value: Any) -> bool:
    """True for a short list of whole numbers from 0 up; true and false are none."""
    short = isinstance(value, list) and len(value) <= 16
    return short and all(type(n) is int and n >= 0 for n in value)


def _refuse_gaps(found: dict[str, Stored], size: int, where: str) -> None:
    end = 0
    for name, stored in sorted(found.items(), key=lambda item: item[1].place):
        if stored.place[0] != end:
            what = "overlaps another tensor" if stored.place[0] < end else "comes after a gap"
            raise WeightsError(f"{where}: {name} {what}")
        end = stored.place[1]
    if end != size:
        raise WeightsError(f"{where}: tensors of {end:,} bytes, the file has room for {size:,}")
