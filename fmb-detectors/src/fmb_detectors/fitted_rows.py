"""Which objects a fit has seen: told by id and vector, so that no row is its own neighbour."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from fmb import Array, Vectors
from fmb.files import locate

__all__ = ["FittedRows"]


@dataclass(frozen=True, eq=False)
class FittedRows:
    """The objects of a fit, in its order. An object of another survey with the same id is new."""

    ids: Array
    """(n,), int64, uint64 or str."""
    digests: Array
    """(n,), uint64, of the bytes of each vector."""

    @classmethod
    def of(cls, x: Vectors) -> "FittedRows":
        """The rows of what is fitted."""
        return cls(x.ids.copy(), _digests(x.values))

    def positions(self, x: Vectors) -> Array:
        """(m,), int64: which of the fitted rows each object is, -1 = none of them."""
        at = locate(x.ids, self.ids)
        same = _digests(x.values) == self.digests[at]
        return np.where(same & (at >= 0), at, -1)

    def arrays(self) -> dict[str, Array]:
        """The two, to be saved; text as the code of each letter."""
        text = self.ids.dtype.kind == "U"
        ids = self.ids.view(np.uint32).reshape(len(self.ids), -1) if text else self.ids
        return {"ids": ids, "digests": self.digests}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, Array]) -> "FittedRows":
        """The rows that `arrays` took apart."""
        ids = arrays["ids"]
        if ids.ndim == 2:
            ids = np.ascontiguousarray(ids).view(f"<U{ids.shape[1]}")[:, 0]
        return cls(ids, arrays["digests"])


def _digests(values: Array) -> Array:
    """(n,), uint64: equal for equal rows, different for others but in one of 2^64."""
    words = np.ascontiguousarray(values, np.float32).view(np.uint32)
    rng = np.random.default_rng(0)
    odd = rng.integers(2**63, size=words.shape[1], dtype=np.uint64) * np.uint64(2) + np.uint64(1)
    digests = np.empty(len(words), np.uint64)
    for start in range(0, len(words), 1024):
        block = words[start : start + 1024].astype(np.uint64)
        digests[start : start + 1024] = (block * odd).sum(axis=1, dtype=np.uint64)
    return digests
