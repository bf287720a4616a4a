"""Crash-safe shards of vectors: published whole or not at all, resumed shard by shard."""

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from fmb.contract.arrays import Array
from fmb.contract.errors import StoreError
from fmb.store.atomic import ensure_folder, publish, publish_json, read_json, sweep
from fmb.store.keys import content_key, file_sha256
from fmb.store.tensors import map_tensors, pack_ids, tensor_bytes, unpack_ids

__all__ = ["ShardStore"]


@dataclass(frozen=True)
class ShardStore:
    """Vectors of one model, embedder and view, in shards of so many objects.

    A shard is a safetensors body and, written after it, a JSON sidecar: the sidecar's presence
    means finished. Bodies depend on `key` and the data alone, so a resumed run gives the same
    bytes as an undisturbed one.
    """

    folder: Path
    key: Mapping[str, Any]
    """Everything the vectors depend on, as plain values."""

    @property
    def digest(self) -> str:
        """Digest of `key`."""
        return content_key(self.key)

    def open(self) -> None:
        """Make the folder, or check that it belongs to `key`, and sweep old temporary files."""
        ensure_folder(self.folder)
        path = self.folder / "key.json"
        if not path.exists():
            publish_json(path, self.key)
        elif content_key(read_json(path)) != self.digest:
            raise StoreError(f"{self.folder} holds vectors of another configuration; delete it")
        sweep(self.folder, ".*.tmp")

    def body(self, shard: int) -> Path:
        """Path of a shard's vectors."""
        return self.folder / f"shard-{shard:05d}.safetensors"

    def sidecar(self, shard: int) -> Path:
        """Path of a shard's record."""
        return self.folder / f"shard-{shard:05d}.json"

    def finished(self, shard: int) -> bool:
        """True when the shard was published whole under this key."""
        sidecar, body = self.sidecar(shard), self.body(shard)
        if not sidecar.exists() or not body.exists():
            return False
        record = read_json(sidecar)
        if record["key"] != self.digest:
            raise StoreError(f"{sidecar} belongs to another configuration; delete {self.folder}")
        return bool(record["bytes"] == body.stat().st_size)

    def write(
        self, shard: int, ids: Array, rows: Array, values: Array, record: Mapping[str, Any]
    ) -> None:
        """Publish one shard: the body first, then its sidecar.

        Args:
            shard: number of the shard.
            ids: (m,) ids of the objects that have a vector.
            rows: (m,) positions of those objects in the survey's canonical order.
            values: (m, d), float32.
            record: what else the sidecar says, as plain values; no times, no host names.
        """
        body = tensor_bytes(
            {
                "embedding": values.astype(np.float32, copy=False),
                "row": rows.astype(np.int64, copy=False),
                **pack_ids(ids),
            }
        )
        publish(self.body(shard), body)
        sidecar = {
            **record,
            "bytes": len(body),
            "sha256": hashlib.sha256(body).hexdigest(),
            "key": self.digest,
            "vectors": len(ids),
        }
        publish_json(self.sidecar(shard), sidecar)

    def records(self) -> Iterator[dict[str, Any]]:
        """The sidecars of all finished shards, in order."""
        for path in sorted(self.folder.glob("shard-*.json")):
            yield read_json(path)

    def totals(self) -> tuple[int, dict[str, int], list[Mapping[str, Any]]]:
        """How many vectors there are, why -> how many objects have none, and all findings."""
        unusable: Counter[str] = Counter()
        findings: list[Mapping[str, Any]] = []
        rows = vectors = 0
        for record in self.records():
            unusable.update(record["unusable"].values())
            findings.extend(record["findings"])
            rows += record["rows"]
            vectors += record["vectors"]
        absent = rows - vectors - sum(unusable.values())
        if absent:
            unusable["not observed"] = absent
        return vectors, dict(unusable), findings

    def mapped(self, shards: int) -> tuple[Array, Array, list[Array]]:
        """Ids, rows and vectors of the first `shards` shards, in order.

        Returns:
            ids (m,), rows (m,) int64, and the vectors as one mapped matrix (k, d) a shard.

        Raises:
            StoreError: a shard is missing or damaged.
        """
        parts = [self._map_shard(shard) for shard in range(shards)]
        ids = np.concatenate([unpack_ids(part) for part in parts])
        rows = np.concatenate([part["row"] for part in parts])
        return ids, rows, [part["embedding"] for part in parts if len(part["row"])]

    def _map_shard(self, shard: int) -> dict[str, Array]:
        path = self.body(shard)
        if not self.finished(shard):
            raise StoreError(f"{path} is not finished; repeat the command, it resumes")
        return map_tensors(path)

    def damaged(self) -> list[Path]:
        """Bodies whose bytes are not those their sidecar records."""
        return [
            path
            for path, record in self._bodies()
            if not path.exists() or file_sha256(path) != record["sha256"]
        ]

    def _bodies(self) -> Iterator[tuple[Path, dict[str, Any]]]:
        for sidecar in sorted(self.folder.glob("shard-*.json")):
            yield sidecar.with_suffix(".safetensors"), read_json(sidecar)
