"""Vectors in a plane, and which of them are nearest to each: arrays in, arrays out."""

import numpy as np

from fmb import Array, Progress, quiet

__all__ = ["nearest", "two_components"]

_QUERIES = 512
_AMONG = 1 << 15
"""Rows of a block of distances: 512 x 32,768 of them take 134 MB."""


def two_components(values: Array) -> tuple[Array, Array]:
    """The two directions of largest variance, and the share of the variance in each.

    The sign of a direction is that of its largest entry.

    Args:
        values: (n, d), floats; n and d at least 2.

    Returns:
        (n, 2), float64, the places along them, of mean 0; (2,), shares.
    """
    n, d = values.shape
    mean, squares = np.zeros(d), np.zeros((d, d))
    blocks = [slice(start, start + _AMONG) for start in range(0, n, _AMONG)]
    for rows in blocks:
        mean += values[rows].sum(axis=0, dtype=np.float64) / n
    for rows in blocks:
        centred = values[rows].astype(np.float64) - mean
        squares += centred.T @ centred
    variances, directions = np.linalg.eigh(squares)
    axes = directions[:, :-3:-1]
    axes = axes * np.sign(axes[np.abs(axes).argmax(axis=0), [0, 1]])
    places = [(values[rows].astype(np.float64) - mean) @ axes for rows in blocks]
    return np.concatenate(places), variances[:-3:-1] / max(variances.sum(), np.finfo(float).tiny)


def nearest(values: Array, k: int, progress: Progress = quiet) -> tuple[Array, Array]:
    """The k nearest other rows of each row by Euclidean distance, the nearest first.

    Exact: every distance is looked at, a block of them at a time; of equal ones the smaller row
    comes first.

    Args:
        values: (n, d), floats.
        k: how many; at most n - 1 are there.
        progress: is told how many rows are done.

    Returns:
        (n, k), int64, rows; (n, k), float64, distances.
    """
    n = len(values)
    k = min(k, n - 1)
    rows, distances = np.empty((n, k), dtype=np.int64), np.empty((n, k))
    for start in range(0, n, _QUERIES):
        queries = values[start : start + _QUERIES].astype(np.float64)
        own = np.arange(start, start + len(queries))
        # Twice as many: rounding may swap neighbours, which the differences put right.
        found = _candidates(queries, values, 2 * k)
        exact = np.stack([_apart(q, values, at) for q, at in zip(queries, found, strict=True)])
        exact[found == own[:, None]] = np.inf
        order = np.lexsort((found, exact))[:, :k]
        rows[own] = np.take_along_axis(found, order, 1)
        distances[own] = np.take_along_axis(exact, order, 1)
        progress("neighbours", start + len(queries), n)
    return rows, distances


def _candidates(queries: Array, values: Array, k: int) -> Array:
    """(m, k), int64: rows near to the queries, themselves too, as far as rounding lets see."""
    found: Array = np.empty((len(queries), 0), dtype=np.int64)
    far: Array = np.empty((len(queries), 0))
    for first in range(0, len(values), _AMONG):
        among = values[first : first + _AMONG].astype(np.float64)
        squared = (among**2).sum(axis=1) - 2 * (queries @ among.T)  # + the query's, the same
        at = np.arange(first, first + len(among))
        far = np.concatenate([far, squared], axis=1)
        found = np.concatenate([found, np.broadcast_to(at, squared.shape)], axis=1)
        if far.shape[1] > k:
            kept = np.argpartition(far, k - 1, axis=1)[:, :k]
            far, found = (np.take_along_axis(one, kept, 1) for one in (far, found))
    return found


def _apart(query: Array, values: Array, at: Array) -> Array:
    apart: Array = np.linalg.norm(values[at].astype(np.float64) - query, axis=1)
    return apart
