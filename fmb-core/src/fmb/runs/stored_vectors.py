"""Vectors of a finished run: where the manifest says they are, mapped again."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from fmb.contract.arrays import Array
from fmb.contract.errors import StoreError
from fmb.contract.names import VectorName
from fmb.contract.vector_view import VectorView
from fmb.datasets.ids import locate
from fmb.datasets.vector_file import OwnVectors, open_vector_file
from fmb.store.atomic import read_json
from fmb.store.digests import Digests
from fmb.store.shards import ShardStore

__all__ = ["shard_view", "stored_view"]


def shard_view(name: VectorName, store: ShardStore, entry: Mapping[str, Any], n: int) -> VectorView:
    """Vectors in the store, of the objects that have one.

    Args:
        name: of the vectors.
        store: where they are; its rows are positions among the objects it was made for.
        entry: what the manifest says of them: how many shards, and what they can be compared with.
        n: number of objects.

    Raises:
        StoreError: a shard is missing or damaged.
    """
    _, rows, parts = store.mapped(entry["shards"])
    at = np.argsort(rows, kind="stable")
    return VectorView(name, store.key, n, rows[at], parts, at, entry["comparable"])


def stored_view(name: VectorName, entry: Mapping[str, Any], ids: Array, home: Path) -> VectorView:
    """The vectors that an entry of a manifest describes.

    Args:
        name: of the vectors.
        entry: what the manifest says of them.
        ids: (n,) ids of the run's objects.
        home: the workspace.

    Raises:
        StoreError: they have been removed, or are not what they were.
    """
    if "folder" in entry:
        folder = home / "embeddings" / entry["folder"]
        store = ShardStore(folder, read_json(folder / "key.json"))
        return shard_view(name, store, entry, len(ids))
    if "file" not in entry:
        raise StoreError(f"the vectors {name} came with the survey; the run does not keep them")
    for part, digest in (("file", "sha256"), ("ids", "ids_sha256")):
        file = Path(entry[part])
        if digest in entry and not (file.is_file() and Digests(home).of(file) == entry[digest]):
            raise StoreError(f"{file}, from which this run was made, is gone or has changed since")
    dataset = open_vector_file(OwnVectors(file=entry["file"], ids=entry["ids"]), Digests(home))
    return dataset.vectors[name].select(locate(ids, dataset.ids))
