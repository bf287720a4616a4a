"""The ledger of an instrument: which digest the input of each object has, and what is wrong."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np

from fmb.contract.arrays import Array
from fmb.order.bits import scrambled
from fmb.store.parts import Part, PartStore
from fmb.store.row_index import RowIndex, as_words
from fmb.store.tensors import pack_ids

__all__ = ["Ledger"]


class Ledger(PartStore):
    """Digests by (id, origin), so that nobody reads pixels again to learn them; see `PartStore`.

    An origin is a number that changes when the file an object's input is in does, or how it is
    read; see `InputInfo.origin`.
    """

    def __init__(self, folder: Path, key: Mapping[str, Any]) -> None:
        super().__init__(folder, key)
        self._indexed: tuple[Sequence[Part], _Rows] | None = None

    def write(
        self, ids: Array, origins: Array, digests: Array, findings: Sequence[Mapping[str, Any]]
    ) -> None:
        """Publish what was learnt by reading.

        Args:
            ids: (m,).
            origins: (m,), uint64; 0 = not known.
            digests: (m, 16), uint8.
            findings: plain values of what is wrong, each with its row among these as "row".
        """
        arrays = {"origin": origins.astype(np.uint64), "input": digests, **pack_ids(ids)}
        self.add(arrays, {"findings": [dict(one) for one in findings]})

    def find(self, ids: Array, origins: Array) -> tuple[Array, Array]:
        """Digests (n, 16), uint8, and which of them are known (n,), bool.

        Args:
            ids: (n,), as the survey has them.
            origins: (n,), uint64; 0 is never known.
        """
        known_to_all = self._rows()
        row = known_to_all.objects.find(_words(ids, origins))
        known = (row >= 0) & (origins != 0)
        digests = np.zeros((len(ids), 16), dtype=np.uint8)
        digests[known] = known_to_all.digests[row[known]]
        return digests, known

    def holds(self, digests: Array) -> Array:
        """(n,), bool: which digests (n, 16) stand in it, whoever has them."""
        return self._rows().inputs.find(as_words(digests)) >= 0

    def _rows(self) -> "_Rows":
        """All rows, read again when a part has appeared."""
        parts = list(reversed(self.parts()))  # what was read last holds
        if self._indexed is None or len(self._indexed[0]) != len(parts):
            self._indexed = parts, _Rows(parts)
        return self._indexed[1]

    def findings(self, digests: Array) -> list[tuple[int, Mapping[str, Any]]]:
        """(position among `digests`, what is wrong), each once."""
        told = [
            (part.arrays["input"][one["row"]].tobytes(), one)
            for part in self.parts()
            for one in part.record["findings"]
        ]
        if not told:
            return []
        concerned = np.frombuffer(b"".join(digest for digest, _ in told), dtype=np.uint8)
        rows = np.flatnonzero(RowIndex([as_words(concerned)]).find(as_words(digests)) >= 0)
        by_digest: dict[bytes, dict[str, Mapping[str, Any]]] = {}
        for digest, one in told:
            plain = {name: value for name, value in one.items() if name != "row"}
            by_digest.setdefault(digest, {})[plain["problem"]] = plain
        return [
            (row, plain)
            for row in rows.tolist()
            for plain in by_digest[digests[row].tobytes()].values()
        ]


class _Rows:
    """The rows of several parts laid end to end."""

    def __init__(self, parts: Sequence[Part]) -> None:
        self.digests = np.concatenate(
            [np.empty((0, 16), dtype=np.uint8), *(part.arrays["input"] for part in parts)]
        )
        self.objects = RowIndex([_words(_ids(part), part.arrays["origin"]) for part in parts])

    @cached_property
    def inputs(self) -> RowIndex:
        """Finds rows by digest, whoever's they are."""
        return RowIndex([as_words(self.digests)])


def _ids(part: Part) -> Array:
    """Ids as they are packed: numbers, or rows of bytes."""
    arrays = part.arrays
    return arrays["id"] if "id" in arrays else arrays["id_utf8"]


def _words(ids: Array, origins: Array) -> Array:
    """(n, 2), uint64, that tell ids and origins from others; text counts by its digest."""
    if ids.dtype.kind in "iu" and ids.ndim == 1:
        first = ids.view(np.uint64) if ids.dtype.itemsize == 8 else ids.astype(np.uint64)
    else:
        packed = pack_ids(ids)["id_utf8"] if ids.ndim == 1 else np.asarray(ids)
        texts = (row.tobytes().rstrip(b"\0") for row in packed)
        hashes = b"".join(blake2b(text, digest_size=8).digest() for text in texts)
        first = np.frombuffer(hashes, dtype="<u8")
    # An id may stand there with several origins: all of both words must tell them apart.
    origin = scrambled(origins.astype(np.uint64) + np.uint64(1))
    return np.column_stack([scrambled(first ^ origin), scrambled(origin ^ scrambled(first))])
