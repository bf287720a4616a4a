"""Intervals of measures of an order, at a cost that grows with the labelled objects only."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from fmb import Array
from fmb_analyses.bootstrap import WEIGHTS_AT_ONCE, Interval

__all__ = ["interval_of_order"]

DRAWS = 10_000_000
"""Weights drawn for an interval at most: 1,000 resamples of up to 10,000 cells."""


def interval_of_order(measure: Callable[..., Any], labels: Array, scores: Array) -> Interval:
    """A measure of `fmb_analyses.metrics` with its 95 % bootstrap interval.

    Measures see of the unlabelled objects only how many stand between two labelled ones, and how
    many at the score of one. A resample of them is a draw of these numbers: the multinomial
    distribution, exactly. Labelled and unlabelled objects are drawn apart.

    Args:
        measure: takes labels, scores and weights (..., n).
        labels: (n,), bool, with both kinds present.
        scores: (n,), finite.

    Returns:
        The value; bounds of 1,000 resamples, of fewer where there are more than 10,000 cells.

    Source: Efron 1979, Ann. Stat. 7, 1; percentile interval, stratified by label.
    """
    steps, positive = np.unique(scores[labels], return_counts=True)
    left, right = (np.searchsorted(steps, scores[~labels], side) for side in ("left", "right"))
    # Cell 2 i lies below the labelled score i and above the one before it, 2 i + 1 is its own.
    cells, other = np.unique(2 * left + (right > left), return_counts=True)
    place = np.concatenate([2 * np.arange(len(steps)) + 1, cells]).astype(np.float64)
    truth = np.arange(len(place)) < len(steps)
    value = float(measure(truth, place, np.concatenate([positive, other])[None])[0])
    draws = [measure(truth, place, weights) for weights in _resamples(positive, other)]
    low, high = np.quantile(np.concatenate(draws), [0.025, 0.975])
    return Interval(value, float(low), float(high))


def _resamples(positive: Array, other: Array, seed: int = 0) -> Iterator[Array]:
    """Weights of the cells in resamples, in pieces (some, cells), float64."""
    rng = np.random.default_rng(seed)
    size = len(positive) + len(other)
    n, step = max(200, min(1000, DRAWS // size)), max(1, WEIGHTS_AT_ONCE // size)
    for start in range(0, n, step):
        rows = min(step, n - start)
        drawn = [rng.multinomial(c.sum(), c / c.sum(), size=rows) for c in (positive, other)]
        yield np.concatenate(drawn, axis=1).astype(np.float64)
