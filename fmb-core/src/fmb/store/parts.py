"""Parts: groups of rows that are published once, whole or not at all, and never changed."""

import hashlib
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from fmb.contract.arrays import Array
from fmb.messages.errors import StoreError
from fmb.store.atomic import ensure_folder, publish, publish_json, read_json, read_record, sweep
from fmb.store.keys import content_key, file_sha256
from fmb.store.tensors import map_tensors, tensor_bytes

__all__ = ["Part", "PartStore"]


@dataclass(frozen=True, eq=False)
class Part:
    """Rows that were published together: a safetensors body and its JSON sidecar."""

    body: Path
    record: Mapping[str, Any]
    """What the sidecar says."""

    @property
    def name(self) -> str:
        """Sorts like the order in which parts were published."""
        return self.body.stem

    @cached_property
    def arrays(self) -> dict[str, Array]:
        """Its arrays, mapped."""
        return map_tensors(self.body)


class PartStore:
    """A folder of parts that belong to one key, which any number of processes may add to.

    A part is finished when its sidecar is there, which is written after the body. Parts carry
    numbers: one more than the largest that its writer saw, so that of two parts that hold the same
    row every reader takes the same.
    """

    def __init__(self, folder: Path, key: Mapping[str, Any]) -> None:
        """The parts in a folder that may not be there yet.

        Args:
            folder: where they are.
            key: everything that their content depends on besides their rows, as plain values.
        """
        self.folder, self.key = folder, key
        self._known: dict[str, Part] = {}

    @cached_property
    def digest(self) -> str:
        """Digest of `key`."""
        return content_key(self.key)

    def open(self) -> None:
        """Make the folder, or check that it belongs to `key`, and sweep old temporary files.

        Raises:
            StoreError: it belongs to another key.
            FailedError: it cannot be written to.
        """
        ensure_folder(self.folder)
        path = self.folder / "key.json"
        if not path.exists():
            publish_json(path, self.key)
        elif content_key(read_json(path)) != self.digest:
            raise StoreError(f"{self.folder} holds parts of another configuration; delete it")
        sweep(self.folder, ".*.tmp")

    def parts(self) -> Sequence[Part]:
        """All finished parts now, in the order in which they were published.

        Raises:
            StoreError: a sidecar is damaged, or of another key.
        """
        names = sorted(path.stem for path in self.folder.glob("part-*.json"))
        for name in names:
            if name not in self._known and (part := self._finished(name)) is not None:
                self._known[name] = part
        return [self._known[name] for name in names if name in self._known]

    def _finished(self, name: str) -> Part | None:
        sidecar = self.folder / f"{name}.json"
        body = sidecar.with_suffix(".safetensors")
        record = read_record(sidecar)
        if record.get("key") != self.digest:
            raise StoreError(f"{sidecar} belongs to another configuration; delete {self.folder}")
        whole = body.exists() and body.stat().st_size == record.get("bytes")
        return Part(body, record) if whole else None

    def add(self, arrays: Mapping[str, Array], record: Mapping[str, Any]) -> Part:
        """Publish rows: the body first, then its sidecar.

        Args:
            arrays: by name, their first axis the rows.
            record: what else the sidecar says, as plain values.

        Raises:
            FailedError: the disk is full or the folder cannot be written to.
        """
        seen = [int(path.stem.split("-")[1]) for path in self.folder.glob("part-*.json")]
        body = self.folder / f"part-{max(seen, default=0) + 1:08d}-{secrets.token_hex(4)}"
        body = body.with_suffix(".safetensors")
        content = tensor_bytes(arrays)
        publish(body, content)
        record = {
            **record,
            "rows": len(next(iter(arrays.values()))),
            "bytes": len(content),
            "sha256": hashlib.sha256(content).hexdigest(),
            "key": self.digest,
        }
        publish_json(body.with_suffix(".json"), record)
        return Part(body, record)

    def damaged(self) -> list[Path]:
        """Bodies that are gone, or whose bytes are not those their sidecar records."""
        sidecars = sorted(self.folder.glob("part-*.json"))
        bodies = [
            (path.with_suffix(".safetensors"), read_json(path)["sha256"]) for path in sidecars
        ]
        return [path for path, sha in bodies if not path.exists() or file_sha256(path) != sha]


def _sha256(sidecar: Path) -> str:
    """The digest that a sidecar records; "" where it is damaged, which no body has."""
    try:
        return str(read_record(sidecar).get("sha256", ""))
    except StoreError:
        return ""
