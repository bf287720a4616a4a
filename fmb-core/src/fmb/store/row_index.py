"""Finds rows by 16 bytes: numbers in, positions out."""

from collections.abc import Sequence

import numpy as np

from fmb.contract.arrays import Array

__all__ = ["RowIndex", "as_words"]


def as_words(digests: Array) -> Array:
    """(n, 2), uint64: digests (n, 16) of bytes as numbers, without a copy where they lie so."""
    return np.ascontiguousarray(digests).view("<u8").reshape(-1, 2)


class RowIndex:
    """Where each of many rows stands, by 16 bytes; of equal ones the first holds for ever."""

    def __init__(self, words: Sequence[Array]) -> None:
        """An index of rows in parts.

        Args:
            words: (m, 2) uint64 of each part, in the order of precedence.
        """
        self._words = np.concatenate([np.empty((0, 2), dtype=np.uint64), *words])
        self._order = np.argsort(self._words[:, 0], kind="stable")
        self._first = self._words[self._order, 0]

    def __len__(self) -> int:
        return len(self._words)

    def find(self, words: Array) -> Array:
        """(n,), int64: which row of the parts laid end to end has each of `words`; -1 = none.

        Args:
            words: (n, 2) uint64.
        """
        if not len(self._words) or not len(words):
            return np.full(len(words), -1)
        at = np.searchsorted(self._first, words[:, 0])
        row = self._order[np.minimum(at, len(self._order) - 1)]
        # Where only half of the bytes agree the row counts as absent: it is computed once more.
        return np.where((self._words[row] == words).all(axis=1), row, -1)
