"""Non-dominated sorting: the front of each of n points, exactly."""

from bisect import bisect_left
from collections.abc import Sequence
from typing import Any

import numpy as np

from fmb import Array

__all__ = ["front_numbers"]

FIRST_ROWS = 16


def front_numbers(values: Array) -> Array:
    """The front of each point: 1 for those that no other dominates, 2 for those of the rest, ...

    A point dominates another that it is nowhere below and somewhere above; equal points share a
    front. In the order of their values no point is dominated by a later one, and whoever is
    dominated by a member of a front is so by one of each front before: so the first front that
    does not dominate a point is found by halving, in n log(fronts) questions. One is answered by a
    comparison with the front's highest value (two coordinates), by halving its staircase (three),
    or by looking at all its members (more: minutes for a million points).

    Args:
        values: (coordinates, n), finite; higher is better.

    Returns:
        (n,), int64, from 1.

    Source: efficient non-dominated sort with binary search, Zhang et al. 2015, IEEE Trans. Evol.
    Comput. 19, 201, with a staircase a front where there are three coordinates.
    """
    points, where = np.unique(-values.T, axis=0, return_inverse=True)  # rising: the best first
    if points.shape[1] == 1:
        return np.asarray(where.ravel() + 1, dtype=np.int64)
    kind: type[Any] = {2: _Highest, 3: _Staircase}.get(points.shape[1], _Everyone)
    found = np.empty(len(points), dtype=np.int64)
    fronts: list[Any] = []
    for i, point in enumerate((-points[:, 1:]).tolist()):
        low, high = 0, len(fronts)
        while low < high:
            middle = (low + high) // 2
            if fronts[middle].dominates(point):
                low = middle + 1
            else:
                high = middle
        if low == len(fronts):
            fronts.append(kind())
        fronts[low].add(point)
        found[i] = low + 1
    return found[where.ravel()]


class _Highest:
    """A front in two coordinates, the first of which falls: its highest second one."""

    def __init__(self) -> None:
        self.highest = -np.inf

    def dominates(self, point: Sequence[float]) -> bool:
        return self.highest >= point[0]

    def add(self, point: Sequence[float]) -> None:
        self.highest = point[0]


class _Staircase:
    """A front in three coordinates: what leads in the last two, one rising and one falling."""

    def __init__(self) -> None:
        self.second: list[float] = []
        self.third: list[float] = []

    def dominates(self, point: Sequence[float]) -> bool:
        at = bisect_left(self.second, point[0])
        return at < len(self.third) and self.third[at] >= point[1]

    def add(self, point: Sequence[float]) -> None:
        second, third = point
        end = start = bisect_left(self.second, second)
        while start and self.third[start - 1] <= third:
            start -= 1
        self.second[start:end], self.third[start:end] = [second], [third]


class _Everyone:
    """A front in more coordinates: all its members."""

    def __init__(self) -> None:
        self.members, self.n = np.empty((0, 0)), 0

    def dominates(self, point: Sequence[float]) -> bool:
        return bool((self.members[: self.n] >= point).all(axis=1).any())

    def add(self, point: Sequence[float]) -> None:
        if self.n == len(self.members):
            more = np.empty((max(FIRST_ROWS, self.n), len(point)))
            self.members = np.concatenate([self.members.reshape(self.n, len(point)), more])
        self.members[self.n] = point
        self.n += 1
