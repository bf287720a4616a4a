"""Groups of points that hang together and stand apart: what is all but the same."""

from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from fmb import Array
from fmb_detectors.neighbours import Neighbours

__all__ = ["Clumps", "linked", "linking_length"]

SAMPLE = 2000
"""Points whose nearest neighbours tell how far these are."""
EDGE = 0.1
"""Share of a clump by which it may grow where steps are twice as long."""
LEVELS = 5
"""Lengths of steps that are tried, each half of the one before."""
TAIL = 3.0902
"""Standard deviations below the mean of a normal distribution beyond which 0.1 % of it lies."""
UPPER_QUARTILE = 0.6745
"""Standard deviations above the mean of a normal distribution of its upper quartile."""


@dataclass(frozen=True, eq=False)
class Clumps:
    """Which group each of n points is of."""

    number: Array
    """(n,), int64: 1 = the largest group, of equals that with the first point; 0 = alone."""
    size: Array
    """(n,), int64: points in the group, 1 = alone."""
    reach: Array
    """(n,), float64: a point nearer than this is of the same group."""


def linking_length(points: Neighbours) -> tuple[float, float]:
    """How far a nearest neighbour is on the whole, and below what it is suspiciously near.

    The second is the 0.1 % quantile of the distances to the nearest neighbour as it would be
    without clumps: that of a log-normal distribution with their median and upper quartile, which
    clumps of less than half of the points leave alone, and half the median at most. (The 0.1 %
    quantile itself lies inside a clump as soon as the clump is 0.1 % of the points.)

    Returns:
        The median and the length, in units of the points; the median is above 0 unless every
        point has an exact repeat, and then of the distances that are.
    """
    n = len(points.points)
    some = np.unique(np.linspace(0, n - 1, min(n, SAMPLE)).astype(np.int64))
    near = points.nearest(points.points[some], min(8, n - 1), some)[0]
    nearest = near[:, 0]
    if not np.median(nearest):
        nearest = near[near > 0] if near.any() else np.ones(1)
    middle, upper = np.quantile(nearest, [0.5, 0.75])
    fall = TAIL / UPPER_QUARTILE * np.log(upper / middle)
    return float(middle), float(middle * np.exp(-max(fall, np.log(2))))


def linked(points: Neighbours, length: float) -> Clumps:
    """The groups that chains of short steps join, and to which longer ones add next to nothing.

    Steps twice as long may add a tenth of the group, or one point. A group to which they add more
    is the densest part of a crowd, which thins out without an edge. Steps are `length` / 2, or half
    of that and so on: a clump inside a dense crowd shows in shorter ones only.
    """
    n = len(points.points)
    steps = length / 2.0 ** np.arange(LEVELS + 1)
    by_step = [np.arange(n)] * len(steps)
    for first, second, apart in points.within(length):
        for i, step in enumerate(steps):
            near = apart < step
            if near.any():
                by_step[i] = _joined(by_step[i], first[near], second[near])
    found, size, reach = np.zeros(n, np.int64), np.ones(n, np.int64), np.full(n, steps[1])
    for step, group, wider in zip(steps[1:], by_step[1:], by_step[:-1], strict=True):
        members, more = _sizes(group), _sizes(wider)
        apart = (members > 1) & (more <= members + np.maximum(1, EDGE * members))
        new = apart & (size == 1)
        found[new], size[new], reach[new] = 1 + _first(group)[new], members[new], step
    return Clumps(_numbered(found, size), size, reach)


def _joined(group: Array, first: Array, second: Array) -> Array:
    """Groups, (n,), after those of each pair of points are made one.

    Groups stand for their members, so that the pairs of one block at a time are enough.
    """
    n = len(group)
    pairs = coo_array((np.ones(len(first), bool), (group[first], group[second])), (n, n))
    return np.asarray(connected_components(pairs, directed=False)[1][group])


def _sizes(group: Array) -> Array:
    """How many points are in the group of each, (n,), int64."""
    return np.bincount(group)[group]


def _first(group: Array) -> Array:
    """The first point in the group of each, (n,), int64."""
    _, first, index = np.unique(group, return_index=True, return_inverse=True)
    return np.asarray(first[index])


def _numbered(found: Array, size: Array) -> Array:
    """Groups numbered by size, then by their first point; 0 = none."""
    named, first, index = np.unique(found, return_index=True, return_inverse=True)
    order = np.lexsort([first, -size[first], named == 0])
    number = np.empty(len(named), np.int64)
    number[order] = np.arange(1, len(named) + 1)
    return np.where(found > 0, number[index], 0)
