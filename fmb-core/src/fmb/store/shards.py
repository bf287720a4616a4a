"""Crash-safe shards of vectors: published whole or not at all, resumed shard by shard."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load as load_tensors
from safetensors.numpy import save as save_tensors

from fmb.contract.arrays import Array
from fmb.contract.errors import StoreError
from fmb.store.atomic import ensure_folder, publish, publish_json, read_json, sweep
from fmb.store.keys import content_key, file_sha256

__all__ = ["ShardStore", "publish", "publish_json", "read_json"]


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
        body = save_tensors(
            {
                "embedding": np.ascontiguousarray(values, dtype=np.float32),
                "row": np.ascontiguousarray(rows, dtype=np.int64),
                **_pack_ids(ids),
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

    def merge(self) -> dict[str, Any]:
        """Write `manifest.json`, derived from the sidecars, and return it."""
        records = list(self.records())
        manifest = {
            "key": self.digest,
            "shards": len(records),
            "rows": sum(r["rows"] for r in records),
            "vectors": sum(r["vectors"] for r in records),
            "sha256": [r["sha256"] for r in records],
        }
        publish_json(self.folder / "manifest.json", manifest)
        return manifest

    def read(self, shards: int) -> tuple[Array, Array, Array]:
        """Ids, rows and vectors of the first `shards` shards, joined in order.

        Raises:
            StoreError: a shard is missing or damaged.
        """
        parts = [self._read_shard(shard) for shard in range(shards)]
        ids = np.concatenate([p[0] for p in parts])
        rows = np.concatenate([p[1] for p in parts])
        values = np.concatenate([p[2] for p in parts if len(p[0])] or [parts[0][2]])
        return ids, rows, values

    def _read_shard(self, shard: int) -> tuple[Array, Array, Array]:
        path = self.body(shard)
        if not self.finished(shard):
            raise StoreError(f"{path} is not finished; repeat the command, it resumes")
        try:
            arrays = load_tensors(path.read_bytes())
        except (SafetensorError, OSError) as error:
            raise StoreError(f"{path} is damaged ({error}); delete it and repeat") from None
        return _unpack_ids(arrays), arrays["row"], arrays["embedding"]

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


def _pack_ids(ids: Array) -> dict[str, Array]:
    if ids.dtype.kind in "iu":
        return {"id": np.ascontiguousarray(ids)}
    encoded = np.char.encode(ids.astype(str), "utf-8")
    width = max(encoded.dtype.itemsize, 1)
    flat = np.frombuffer(encoded.astype(f"S{width}").tobytes(), dtype=np.uint8)
    return {"id_utf8": flat.reshape(len(ids), width)}


def _unpack_ids(arrays: Mapping[str, Array]) -> Array:
    if "id" in arrays:
        return arrays["id"]
    packed = arrays["id_utf8"]
    fixed = np.ascontiguousarray(packed).view(f"S{packed.shape[1]}").reshape(-1)
    return np.char.decode(fixed, "utf-8")
