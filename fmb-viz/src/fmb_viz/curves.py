"""Curves with more points than a page can show, and curves that leave their panel."""

from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["clipped", "envelope", "thinned"]

Array = npt.NDArray[Any]


def thinned(x: Array, y: Array, step: float) -> tuple[Array, Array]:
    """A curve that looks the same where nothing narrower than `step` can be seen.

    Of the points in each column of that width stay the first, the lowest, the highest and the
    last: no peak is lost. Gaps stay gaps.

    Args:
        x: (n,), ascending but for NaN.
        y: (n,); NaN breaks the curve.
        step: width of a column, unit of `x`.

    Returns:
        x and y of at most four points a column, or all where they are not many more.

    Source: the M4 aggregation, Jugel et al. 2014 (PVLDB 7, 797).
    """
    starts, middle = _columns(x, y, step)
    if 4 * len(starts) >= len(x):
        return x, y
    ends = np.append(starts[1:], len(x)) - 1
    low, high = np.minimum.reduceat(y, starts), np.maximum.reduceat(y, starts)
    xs = np.stack([x[starts], middle, middle, x[ends]], axis=1)
    ys = np.stack([y[starts], low, high, y[ends]], axis=1)
    return xs.ravel(), ys.ravel()


def envelope(x: Array, low: Array, high: Array, step: float) -> list[tuple[Array, Array, Array]]:
    """A band between two curves: x, low and high of each part without a gap, thinned.

    Args:
        x: (n,), ascending but for NaN.
        low: (n,); NaN breaks the band.
        high: (n,), NaN where `low` is.
        step: width of a column in which both are averaged, unit of `x`: the area stays.
    """
    starts, middle = _columns(x, low, step)
    if 2 * len(starts) < len(x):
        counts = np.diff(np.append(starts, len(x)))
        low, high = (np.add.reduceat(end, starts) / counts for end in (low, high))
        x = middle
    there = np.isfinite(x) & np.isfinite(low)
    parts = np.split(np.arange(len(x)), np.flatnonzero(np.diff(there)) + 1)
    return [(x[part], low[part], high[part]) for part in parts if there[part[0]] and len(part) > 1]


def _columns(x: Array, y: Array, step: float) -> tuple[Array, Array]:
    """Where runs of points in one column begin, and their middle; points without a value apart."""
    there = np.isfinite(x) & np.isfinite(y)
    column = np.floor(np.where(there, x, 0.0) / step)
    changes = (np.diff(column) != 0.0) | np.diff(there)
    starts = np.concatenate([[0], np.flatnonzero(changes) + 1])
    ends = np.append(starts[1:], len(x)) - 1
    return starts, 0.5 * (x[starts] + x[ends])


def clipped(points: Array, low: float, high: float) -> Array:
    """The parts of a curve between two heights, broken where it leaves them.

    Args:
        points: (n, 2), x and y; NaN breaks the curve.
        low: least height.
        high: greatest height.

    Returns:
        Shape (m, 2), with NaN where the curve is broken.
    """
    first, last = points[:-1], points[1:]
    step = last - first
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        at_low, at_high = ((limit - first[:, 1]) / step[:, 1] for limit in (low, high))
    level = step[:, 1] == 0.0
    inside = level & (first[:, 1] >= low) & (first[:, 1] <= high)
    enter = np.where(level, np.where(inside, 0.0, 1.0), np.minimum(at_low, at_high))
    leave = np.where(level, np.where(inside, 1.0, 0.0), np.maximum(at_low, at_high))
    enter, leave = np.maximum(enter, 0.0), np.minimum(leave, 1.0)
    seen = enter < leave  # NaN is not
    enter, leave = enter[seen, None], leave[seen, None]
    starts, ends = first[seen] + enter * step[seen], first[seen] + leave * step[seen]
    rows = np.stack([starts, ends, np.full_like(starts, np.nan)], axis=1).reshape(-1, 2)
    neighbours = np.diff(np.flatnonzero(seen)) == 1
    goes_on = np.zeros(len(starts), dtype=bool)  # into the next: neither end nor gap is needed
    goes_on[:-1] = neighbours & (leave[:-1, 0] == 1.0) & (enter[1:, 0] == 0.0)
    keep = np.stack([np.ones(len(starts), dtype=bool), ~goes_on, ~goes_on], axis=1).ravel()
    return np.asarray(rows[keep])
