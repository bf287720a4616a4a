"""Scores that must be alike, of vectors that no detector can spoil for the next check."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import numpy as np

from fmb.contract.arrays import Array
from fmb.contract.detector import Detector
from fmb.contract.vectors import Vectors

__all__ = ["Alone", "assert_same", "copied", "float32_vectors", "scores_of", "spread_of"]


def float32_vectors(values: Array, columns: Mapping[str, Array] = MappingProxyType({})) -> Vectors:
    """Vectors of objects 0 .. n - 1."""
    return Vectors(np.arange(len(values)), np.ascontiguousarray(values, np.float32), columns)


def copied(x: Vectors) -> Vectors:
    """The same in arrays of their own."""
    columns = {role: values.copy() for role, values in x.columns.items()}
    return Vectors(x.ids.copy(), x.values.copy(), columns)


class Alone:
    """A detector that works on copies: writing into its input is the fault of one check only."""

    def __init__(self, detector: Any) -> None:
        self._detector = detector

    def fit(self, x: Vectors) -> None:
        """As `fit` of the detector."""
        self._detector.fit(copied(x))

    def score(self, x: Vectors) -> Any:
        """As `score` of the detector."""
        return self._detector.score(copied(x))

    def details(self, x: Vectors) -> Any:
        """As `details` of the detector."""
        return self._detector.details(copied(x))


def scores_of(detector: Detector[Vectors], x: Vectors) -> Array:
    """Scores of a copy of `x`, in the agreed form: one fault fails one check."""
    return np.asarray(detector.score(copied(x)), np.float64).reshape(-1)


def spread_of(scores: Array) -> float:
    """Standard deviation of those that are finite."""
    return float(np.std(scores[np.isfinite(scores)]))


def assert_same(
    a: Array, b: Array, tolerance: float, message: str, spread: float | None = None
) -> None:
    """Fail where two sets of scores differ by more than `tolerance` of their spread."""
    allowed = tolerance * (spread_of(a) if spread is None else spread)
    worst = np.flatnonzero(~np.isclose(a, b, rtol=0, atol=allowed, equal_nan=True))
    assert worst.size == 0, (
        f"{message}: {worst.size} of {len(a)} scores, for instance {a[worst[0]]:.9g} and"
        f" {b[worst[0]]:.9g}; {allowed:.2g} is allowed"
    )
