"""A fit of pairs that follows from sums: taken in parts, and made when it is first asked for."""

from abc import ABC, abstractmethod
from typing import Generic, Self, TypeVar

from fmb import Pairs
from fmb_detectors.pair_sums import SummedPairs

__all__ = ["FitOfSums"]

T = TypeVar("T")


class FitOfSums(ABC, Generic[T]):
    """What detectors of pairs share: `fit`, `add` and `merge` over sums of pairs."""

    def __init__(self) -> None:
        self._sums = SummedPairs()
        self._made: T | None = None

    def fit(self, x: Pairs) -> None:
        """Learn from n pairs.

        Raises:
            DataError: there are too few, or the vectors of one view are all alike.
        """
        self._sums = SummedPairs()
        self.add(x)
        self._made = self._fit

    def add(self, x: Pairs) -> None:
        """Take pairs into the sums that the fit follows from, when it is first asked for."""
        self._sums.add(x)
        self._made = None

    def merge(self, other: Self) -> None:
        """Take the parts of another in, which stay apart."""
        self._sums.merge(other._sums)
        self._made = None

    @property
    def _fit(self) -> T:
        if self._made is None:
            self._made = self._make(self._sums)
        return self._made

    @abstractmethod
    def _make(self, sums: SummedPairs) -> T:
        """The fit that sums come to."""
