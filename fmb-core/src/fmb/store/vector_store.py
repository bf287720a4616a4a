"""Stored vectors of one model, embedder and view, each belonging to what was read of an object."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from fmb.contract.arrays import Array
from fmb.messages.errors import StoreError
from fmb.store.atomic import publish_json, read_json
from fmb.store.parts import Part, PartStore
from fmb.store.row_index import RowIndex, as_words
from fmb.store.tensors import pack_ids

__all__ = ["Comparison", "Stored", "VectorStore", "Versions"]

Versions = Mapping[str, str]
"""Distribution -> version of it that made vectors."""


_NO_WORDS = np.empty((0, 2), dtype=np.uint64)


@dataclass(frozen=True)
class Comparison:
    """Vectors of one version, made again by another."""

    made: Versions
    again: Versions
    same: bool
    objects: int
    worst: float
    """Largest difference, in units of the largest component."""


@dataclass(frozen=True, eq=False)
class Stored:
    """What is stored of the objects that were asked for."""

    at: Array
    """(n,), int64: where its vector is in `matrices` laid end to end; -1 = it has none."""
    there: Array
    """(n,), bool: a vector is stored, or why there is none."""
    reasons: Sequence[str]
    """n texts: why there is none, "" elsewhere."""
    matrices: Sequence[Array]
    """Mapped matrices (m, d), float32."""
    made: str
    """Which version made the first of them; versions that give the same vectors count as one."""


class VectorStore(PartStore):
    """Vectors by the digest of what the model read; see `PartStore`."""

    def __init__(self, folder: Path, key: Mapping[str, Any], versions: Versions) -> None:
        """The vectors in a folder.

        Args:
            folder: where they are.
            key: everything they depend on besides the objects.
            versions: of the distributions that compute them now.
        """
        super().__init__(folder, key)
        self.versions = dict(versions)
        self._indexed: tuple[list[str], _Parts] | None = None

    def write(
        self,
        digests: Array,
        ids: Array,
        reasons: Sequence[str],
        values: Array,
        batches: Sequence[int],
    ) -> None:
        """Publish a part.

        Args:
            digests: (m, 16), uint8, of what was read of each object.
            ids: (m,), for people.
            reasons: m texts: why an object has no vector, "" where it has one.
            values: (m0, d), float32: the vectors of those that have one, in their order.
            batches: how many of the rows were encoded together, in order.
        """
        texts = sorted(set(reasons) - {""})
        codes = {text: code for code, text in enumerate(["", *texts])}
        if len(codes) > np.iinfo(np.uint8).max:
            raise StoreError(f"{self.folder}: more than 254 reasons for objects without vectors")
        arrays = {
            "input": digests,
            "state": np.array([codes[text] for text in reasons], dtype=np.uint8),
            "embedding": values.astype(np.float32, copy=False),
            **pack_ids(ids),
        }
        record = {"reasons": texts, "versions": self.versions, "batches": list(batches)}
        self.add(arrays, {**record, "vectors": len(values)})

    def find(self, digests: Array) -> Stored:
        """What is stored of objects, made by the present versions or by such that give the same.

        Args:
            digests: (n, 16), uint8.
        """
        chosen = self._accepted()
        row = chosen.index.find(as_words(digests))
        there = row >= 0
        state = np.where(there, chosen.states[row] if len(chosen.states) else 0, 0)
        place = np.where(there, chosen.places[row] if len(chosen.places) else -1, -1)
        return Stored(
            at=np.where(state == 0, place, -1),
            there=there,
            reasons=[chosen.reasons[code] for code in state.tolist()],
            matrices=chosen.matrices,
            made=chosen.made,
        )

    def unchecked(self) -> list[Versions]:
        """Other versions that made vectors and were never compared with the present ones."""
        compared = [one.made for one in self._comparisons() if one.again == self.versions]
        others: list[Versions] = []
        for part in self.parts():
            made = part.record["versions"]
            if made != self.versions and made not in compared and made not in others:
                others.append(made)
        return others

    def made_by(self, versions: Versions) -> "VectorStore":
        """The same vectors as somebody with other versions sees them."""
        return VectorStore(self.folder, self.key, versions)

    def compared(self, outcome: Comparison) -> None:
        """Remember how vectors of another version compare with the present one's."""
        known = [*self._comparisons(), outcome]
        publish_json(self.folder / "checked.json", [vars(one) for one in known])
        self._indexed = None

    def _comparisons(self) -> list[Comparison]:
        path = self.folder / "checked.json"
        return [Comparison(**one) for one in read_json(path)] if path.exists() else []

    def _accepted(self) -> "_Parts":
        """The parts of the present versions and of those that give the same vectors."""
        comparisons = [one for one in self._comparisons() if one.same]
        same = [one.made for one in comparisons if one.again == self.versions]
        same += [one.again for one in comparisons if one.made == self.versions]
        chosen = [p for p in self.parts() if p.record["versions"] in (self.versions, *same)]
        names = [part.name for part in chosen]
        if self._indexed is None or self._indexed[0] != names:
            self._indexed = names, _Parts(chosen)
        return self._indexed[1]


class _Parts:
    """Rows of several parts laid end to end."""

    def __init__(self, parts: Sequence[Part]) -> None:
        # A part without any vector was written before anybody knew how wide they are.
        self.matrices = [one for part in parts if len(one := part.arrays["embedding"])]
        self.reasons: list[str] = [""]
        states, places, start = [], [], 0
        for part in parts:
            own = self._codes(part)[part.arrays["state"]]
            states.append(own)
            places.append(np.where(own == 0, start + np.cumsum(own == 0) - 1, -1))
            start += len(part.arrays["embedding"])
        nothing = np.empty(0, dtype=np.int64)
        self.states = np.concatenate([nothing, *states])
        # A vector comes before a reason why there is none: somebody tried again and made it.
        order = np.argsort(self.states != 0, kind="stable")
        words = [as_words(part.arrays["input"]) for part in parts]
        self.index = RowIndex([np.concatenate([_NO_WORDS, *words])[order]])
        self.states = self.states[order]
        self.places = np.concatenate([nothing, *places])[order]
        self._parts = parts

    @cached_property
    def made(self) -> str:
        """Versions of the first part, as text."""
        versions = self._parts[0].record["versions"] if self._parts else {}
        return ", ".join(f"{name} {version}" for name, version in sorted(versions.items()))

    def _codes(self, part: Part) -> Array:
        """State in the part -> position of its reason among all reasons."""
        for text in part.record["reasons"]:
            if text not in self.reasons:
                self.reasons.append(text)
        return np.array([0, *map(self.reasons.index, part.record["reasons"])], dtype=np.int64)
