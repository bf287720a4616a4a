"""Intervals: by resampling groups of objects, and for the purity of a list."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np
import numpy.typing as npt

from fmb import Array, ConfigError, DataError, ShapeError
from fmb.scoring import group_codes
from fmb_analyses.metrics import precision_at_k, two_valued

__all__ = ["Interval", "bootstrap", "interval", "paired_difference", "purity", "wilson"]

Statistic = Callable[..., Any]
"""Takes arrays and the keyword `weights`, (..., n) or None; returns (...)."""

WEIGHTS_AT_ONCE = 2**18
"""Weights held in memory at a time: 2 MB of float64, which stay in the cache."""


@dataclass(frozen=True)
class Interval:
    """A value with the range in which it is believed to lie: "0.83 [0.79, 0.87]".

    Bounds are NaN where nothing tells them: "0.83 [-]".
    """

    value: float
    low: float
    high: float

    def __format__(self, spec: str) -> str:
        spec = spec or ".2f"
        if self.low != self.low or self.high != self.high:
            return f"{self.value:{spec}} [-]"
        return f"{self.value:{spec}} [{self.low:{spec}}, {self.high:{spec}}]"

    def __str__(self) -> str:
        return format(self)


def bootstrap(
    statistic: Statistic,
    arrays: Sequence[npt.ArrayLike],
    groups: npt.ArrayLike | None = None,
    *,
    strata: npt.ArrayLike | None = None,
    n: int = 1000,
    seed: int = 0,
    level: float = 0.95,
) -> Interval:
    """A statistic and its percentile-bootstrap interval, whole groups being drawn.

    Args:
        statistic: called as statistic(*arrays, weights=w); w (resamples, objects) counts how
            often each object was drawn.
        arrays: each with the objects on its first axis.
        groups: (objects,), integers or text; repeats of a source share one; None = no repeats.
        strata: (objects,), bool. Groups that hold only true, only false, or both are drawn
            apart, each kind as often as it is there: no resample is without positives, and the
            interval holds for this many positive groups.
        n: resamples.
        seed: equal seeds draw equal resamples.
        level: share of the resamples inside the interval.

    Raises:
        ConfigError: n is below 2 or the level is not in (0, 1).
        DataError: a group key is missing, or there are no objects.
        ShapeError: the arrays differ in length.

    Source: Efron 1979, Ann. Stat. 7, 1; percentile interval.
    """
    if n < 2 or not 0 < level < 1:
        raise ConfigError(f"an interval needs n >= 2 and a level in (0, 1), got {n} and {level}")
    data = [np.asarray(a) for a in arrays]
    size = len(data[0])
    codes = np.arange(size) if groups is None else group_codes(groups)[0]
    kinds = np.zeros(size, dtype=bool) if strata is None else np.asarray(strata, dtype=bool)
    if {len(a) for a in (*data, codes, kinds)} != {size}:
        raise ShapeError(f"arrays of {[len(a) for a in (*data, codes, kinds)]} objects do not fit")
    if not size:
        raise DataError("there are no objects to resample")
    value = float(statistic(*data, weights=None))
    draws = np.concatenate([statistic(*data, weights=w) for w in resamples(codes, kinds, n, seed)])
    low, high = np.quantile(draws, [(1 - level) / 2, (1 + level) / 2])
    return Interval(value, float(low), float(high))


def interval(
    statistic: Statistic,
    labels: npt.ArrayLike,
    scores: npt.ArrayLike,
    groups: npt.ArrayLike | None = None,
    **options: Any,
) -> Interval:
    """A measure of `fmb_analyses.metrics` with its interval, positives and others drawn apart.

    Args:
        statistic: a measure; `functools.partial(recall_at_k, k=100)` where it takes k.
        labels: (n,), bool.
        scores: (n,), higher is stranger.
        groups: (n,), as in `bootstrap`.
        options: n, seed, level of `bootstrap`.
    """
    truth = two_valued(labels)
    return bootstrap(statistic, (truth, scores), groups, strata=truth, **options)


def paired_difference(
    statistic: Statistic,
    labels: npt.ArrayLike,
    scores: npt.ArrayLike,
    baseline: npt.ArrayLike,
    groups: npt.ArrayLike | None = None,
    **options: Any,
) -> Interval:
    """How much more of a measure `scores` has than `baseline`, on the same resamples.

    Args: as in `interval`; `baseline` are the other scores of the same objects.
    """

    def difference(truth: Array, ours: Array, theirs: Array, weights: Array | None = None) -> Any:
        return statistic(truth, ours, weights=weights) - statistic(truth, theirs, weights=weights)

    truth = two_valued(labels)
    return bootstrap(difference, (truth, scores, baseline), groups, strata=truth, **options)


def wilson(hits: float, n: int, level: float = 0.95) -> Interval:
    """The share hits / n with its Wilson score interval, which never leaves [0, 1].

    Equal to the interval of `scipy.stats.binomtest`, for shares of resamples too (hits may be a
    fraction), without the 1.2 s that importing `scipy.stats` costs.

    Raises:
        DataError: n is not positive, or hits are not in [0, n].

    Source: Wilson 1927, J. Am. Stat. Assoc. 22, 209.
    """
    if n < 1 or not 0 <= hits <= n:
        raise DataError(f"{hits} of {n} is no share; label at least one object")
    z = NormalDist().inv_cdf((1 + level) / 2)
    share = hits / n
    middle = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * (share * (1 - share) / n + z**2 / (4 * n**2)) ** 0.5
    return Interval(share, max(0.0, middle - half), min(1.0, middle + half))


def purity(labels: npt.ArrayLike, scores: npt.ArrayLike, k: int, level: float = 0.95) -> Interval:
    """Precision in the top k with the Wilson interval of k looks."""
    return wilson(float(precision_at_k(labels, scores, k=k)) * k, k, level)


def resamples(codes: Array, kinds: Array, n: int, seed: int) -> Iterator[Array]:
    """Weights of n resamples, in pieces (some of n, objects), float64."""
    rng = np.random.default_rng(seed)
    n_groups = int(codes.max()) + 1
    has = np.bincount(codes, weights=kinds, minlength=n_groups) > 0
    lacks = np.bincount(codes, weights=~kinds, minlength=n_groups) > 0
    pools = [np.flatnonzero(p) for p in (has & ~lacks, has & lacks, lacks & ~has) if p.any()]
    alone = n_groups == len(codes) and np.array_equal(codes, np.arange(n_groups))
    step = max(1, WEIGHTS_AT_ONCE // len(codes))
    for start in range(0, n, step):
        rows = min(step, n - start)
        counts = np.empty((rows, n_groups))
        for pool in pools:
            drawn = rng.integers(len(pool), size=(rows, len(pool)))
            drawn += np.arange(rows)[:, None] * len(pool)  # one bincount for all resamples
            times = np.bincount(drawn.ravel(), minlength=drawn.size)
            counts[:, pool] = times.reshape(drawn.shape)
        yield counts if alone else counts[:, codes]
