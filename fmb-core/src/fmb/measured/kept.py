"""Measures that are kept by the digest of the input they were read off."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from fmb.contract.arrays import Array
from fmb.store.parts import Part, PartStore
from fmb.store.row_index import RowIndex, as_words

__all__ = ["KeptMeasures"]


class KeptMeasures(PartStore):
    """Measures of one instrument's inputs; see `PartStore`.

    An input is told by what was read of it, so that an object of another name, file or selection
    is not measured again.
    """

    def __init__(self, folder: Path, key: Mapping[str, Any], roles: Sequence[str]) -> None:
        super().__init__(folder, key)
        self.roles = tuple(roles)
        self._indexed: tuple[int, Array, RowIndex] | None = None

    def write(self, digests: Array, values: Array) -> None:
        """Publish the measures that are not there yet.

        Args:
            digests: (m, 16), uint8, of the inputs.
            values: (m, roles), float64, NaN where an input could not be measured.
        """
        _, known = self.find(digests)
        _, first = np.unique(as_words(digests), axis=0, return_index=True)
        new = np.sort(first)[~known[np.sort(first)]]
        if len(new):
            arrays = {"input": digests[new], "measured": values[new].astype(np.float64)}
            self.add(arrays, {"measures": list(self.roles)})

    def find(self, digests: Array) -> tuple[Array, Array]:
        """Measures (n, roles), float64, and which inputs were measured (n,), bool.

        Args:
            digests: (n, 16), uint8.
        """
        parts = self.parts()
        if self._indexed is None or self._indexed[0] != len(parts):
            self._indexed = (len(parts), *self._read(parts))
        _, every, index = self._indexed
        row = index.find(as_words(digests))
        values = np.full((len(digests), len(self.roles)), np.nan)
        values[row >= 0] = every[row[row >= 0]]
        return values, row >= 0

    def _read(self, parts: Sequence[Part]) -> tuple[Array, RowIndex]:
        nobody: Array = np.empty((0, len(self.roles)))
        every = np.concatenate([nobody, *(part.arrays["measured"] for part in parts)])
        return every, RowIndex([as_words(part.arrays["input"]) for part in parts])
