"""Nearest neighbours among fitted vectors: exact, by blocks, never a matrix of all pairs."""

from collections.abc import Iterator

import numpy as np

from fmb import Array

__all__ = ["Neighbours"]

BLOCK_ROWS, BLOCK_COLUMNS = 256, 16_384
"""Of distances at a time: 16 MiB of float32."""
SPARE = 16
"""Candidates beside the k: those that rounding may have put in the wrong order."""
LARGEST = float(np.finfo(np.float32).max) / 64
"""Of squares that float32 can add and subtract; of longer vectors products are taken in float64."""
GATHERED = 1 << 22
"""Numbers of candidates' vectors at a time."""


class Neighbours:
    """Points among which the nearest to others are found, by Euclidean distance.

    Candidates come from one product of matrices in float32, |a|^2 + |b|^2 - 2 a b. Of them the
    distances are taken in float64 from a - b, which loses nothing where they are small. Where a
    point that is no candidate could be nearer, by the bound on the rounding of the product, the
    product is taken again in float64.
    """

    def __init__(self, points: Array) -> None:
        """Points, (n, d), float32."""
        self.points = points
        self._squares = np.einsum("ij,ij->i", points, points, dtype=np.float64)
        short = self._squares.max(initial=0.0) < LARGEST
        self._dtype: type[np.float32] | type[np.float64] = np.float32 if short else np.float64

    def nearest(self, points: Array, k: int, own: Array) -> tuple[Array, Array]:
        """The k nearest to each of some points.

        Args:
            points: (m, d), float32.
            k: at most n, and less than n where a point is not its own neighbour.
            own: (m,), int: which of the n a point itself is, so that it is not its own neighbour;
                -1 = none of them.

        Returns:
            Distances (m, k), float64, ascending, and positions among the n, (m, k), int64.
        """
        longest = np.einsum("ij,ij->i", points, points, dtype=np.float64).max(initial=0.0)
        points = points.astype(self._dtype if longest < LARGEST else np.float64, copy=False)
        distances, at = np.empty((len(points), k)), np.empty((len(points), k), np.int64)
        count = min(len(self.points), k + SPARE)
        most = max(1, min(BLOCK_ROWS, GATHERED // (count * points.shape[1])))
        for start in range(0, len(points), most):
            rows = slice(start, min(start + most, len(points)))
            unsure = self._nearest(points[rows], own[rows], count, distances[rows], at[rows])
            if unsure.any():
                again = np.flatnonzero(unsure)
                wide = np.empty((len(again), k)), np.empty((len(again), k), np.int64)
                self._nearest(
                    points[rows][again].astype(np.float64), own[rows][again], count, *wide
                )
                distances[rows][again], at[rows][again] = wide
        return distances, at

    def within(self, length: float) -> Iterator[tuple[Array, Array, Array]]:
        """All pairs of points that are nearer than a length, each once, some rows at a time.

        Yields:
            Positions of the first and of the second of each pair, (pairs,), int64, and how far
            apart they are, float64.
        """
        n, d = self.points.shape
        for start in range(0, n, BLOCK_ROWS):
            block = self.points[start : start + BLOCK_ROWS].astype(self._dtype, copy=False)
            squares = self._squares[start : start + BLOCK_ROWS, None]
            # As in `_nearest`, of pairs whose norms differ by no more than the length.
            rounding = (
                4 * (d + 4) * float(np.finfo(self._dtype).eps) * (np.sqrt(squares) + length) ** 2
            )
            most = (length**2 + rounding - squares).astype(self._dtype)
            pairs = []
            for columns, product in self._products(block, start):
                row, column = np.nonzero(product < most)
                row, column = row + start, column + columns.start
                pairs.append(np.stack([row, column])[:, row < column])
            first, second = np.hstack(pairs)
            apart = self._apart(first, second)
            near = apart < length
            yield first[near], second[near], apart[near]

    def _apart(self, first: Array, second: Array) -> Array:
        """Distance of the points of each pair, (pairs,), float64."""
        apart, most = np.empty(len(first)), max(1, GATHERED // self.points.shape[1])
        for start in range(0, len(first), most):
            some = slice(start, start + most)
            away = self.points[first[some]].astype(np.float64) - self.points[second[some]]
            apart[some] = np.linalg.norm(away, axis=1)
        return apart

    def _nearest(self, points: Array, own: Array, count: int, distances: Array, at: Array) -> Array:
        """Fills `distances` and `at`; returns where a point that was no candidate may be nearer."""
        k = distances.shape[1]
        squares = np.einsum("ij,ij->i", points, points, dtype=np.float64)
        products, candidates = self._candidates(points, own, count)
        away = self.points[candidates].astype(np.float64) - points[:, None, :]
        exact = np.einsum("ijk,ijk->ij", away, away)
        exact[candidates == own[:, None]] = np.inf
        order = np.argsort(exact, axis=1, kind="stable")[:, :k]
        np.sqrt(np.take_along_axis(exact, order, axis=1), out=distances)
        at[...] = np.take_along_axis(candidates, order, axis=1)
        if count == len(self.points):
            return np.zeros(len(points), bool)
        # A nearer point is no longer than this; a product rounds by at most d eps |a| |b|.
        longest = np.sqrt(squares) + distances[:, -1]
        rounding = 4 * (points.shape[1] + 4) * np.finfo(points.dtype).eps * longest**2
        bound = products.max(axis=1) + squares - rounding
        return np.asarray((distances[:, -1] ** 2 > bound) & (distances[:, -1] > 0))

    def _candidates(self, points: Array, own: Array, count: int) -> tuple[Array, Array]:
        """Of each point |b|^2 - 2 a b of its likeliest neighbours, and which these are."""
        best: Array = np.empty((len(points), 0), points.dtype)
        which: Array = np.empty((len(points), 0), np.int64)
        for columns, product in self._products(points):
            inside = (own >= columns.start) & (own < columns.stop)
            product[inside, own[inside] - columns.start] = np.inf
            some = _smallest(product, count)
            best = np.hstack([best, np.take_along_axis(product, some, axis=1)])
            which = np.hstack([which, some + columns.start])
            some = _smallest(best, count)
            best, which = (np.take_along_axis(one, some, axis=1) for one in (best, which))
        return best, which

    def _products(self, points: Array, first: int = 0) -> Iterator[tuple[slice, Array]]:
        """|b|^2 - 2 a b of all points b from `first` on, some at a time."""
        for start in range(first, len(self.points), BLOCK_COLUMNS):
            columns = slice(start, min(start + BLOCK_COLUMNS, len(self.points)))
            product = points @ self.points[columns].T.astype(points.dtype, copy=False)
            product *= -2
            product += self._squares[columns].astype(points.dtype)
            yield columns, product


def _smallest(values: Array, count: int) -> Array:
    """Positions of the `count` smallest of each row, in no order."""
    if values.shape[1] <= count:
        return np.broadcast_to(np.arange(values.shape[1]), values.shape)
    return np.argpartition(values, count - 1, axis=1)[:, :count]
