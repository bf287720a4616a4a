"""Tensors shared out to several safetensors files: the index that says which is where."""

import re
from pathlib import Path

from fmb.foreign.strict_json import read_table
from fmb.messages.errors import WeightsError

__all__ = ["INDEX", "is_index", "read_index"]

INDEX = "model.safetensors.index.json"
"""What the index beside the shards is called."""

_SHARD = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,199}\.safetensors")


def is_index(path: Path) -> bool:
    """True where the name is that of an index."""
    return path.name.endswith(".safetensors.index.json")


def read_index(index: Path) -> dict[str, list[str]]:
    """Name of a shard -> names of its tensors; every shard is beside the index.

    Raises:
        WeightsError: not an index, a shard elsewhere or missing.
    """
    places = read_table(index).get("weight_map")
    if not isinstance(places, dict) or not places:
        raise WeightsError(f"{index}: not an index of shards: it has no weight_map")
    shards: dict[str, list[str]] = {}
    for tensor, shard in places.items():
        if not isinstance(shard, str) or not _SHARD.fullmatch(shard):
            raise WeightsError(
                f"{index}: {str(shard)[:80]!r} is no safetensors file in the folder of the index"
            )
        shards.setdefault(shard, []).append(tensor)
    missing = [shard for shard in shards if not (index.parent / shard).is_file()]
    if missing:
        raise WeightsError(f"{index}: {len(missing)} of {len(shards)} shards missing: {missing[0]}")
    return shards
