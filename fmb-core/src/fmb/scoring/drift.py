"""Drift: how far new values lie from those that fits have seen, and whether chance does as much."""

from dataclasses import dataclass

import numpy as np

from fmb.contract.arrays import Array

__all__ = ["Shift", "Tail", "shift_of", "tail_of"]

TOP = 0.01
"""Share of the old values whose reach is asked for."""
CONFIDENCE = 0.95
NORMAL = 1.4826
"""Spread of a normal distribution in units of its median absolute deviation."""


@dataclass(frozen=True)
class Shift:
    """Two samples of one quantity."""

    old: int
    new: int
    """Values in each."""
    distance: float
    """Kolmogorov-Smirnov: the largest difference of their cumulative distributions, 0 to 1."""
    p_value: float
    """Of the distance, were both drawn from one continuous distribution."""
    median_shift: float | None
    """Median of the new less that of the old, in units of the old spread (1.4826 times the median
    absolute deviation, else the standard deviation); None where the old are all the same."""
    outside: float
    """Share of the new values below the lowest or above the highest old one."""


@dataclass(frozen=True)
class Tail:
    """How many new values lie above those that the highest of the old ones begin with."""

    top: float
    """Share of the old values that do: 1 %, or as near as their number allows."""
    share: float
    """Of the new values."""
    low: float
    high: float
    """Its 95 % interval, as if the threshold were exact (Clopper and Pearson)."""
    p_value: float
    """Of so many or more, were both drawn from one distribution; exact, the threshold's chance
    included."""


def shift_of(old: Array, new: Array) -> Shift:
    """What tells two samples apart.

    Args:
        old: (m,), float64, finite, m >= 1.
        new: (n,), float64, finite, n >= 1.

    Source: Smirnov 1948, Ann. Math. Stat. 19, 279, for large samples; of few, p is too high.
    """
    # Imported here: 0.1 s that only a run by the fits of another needs.
    from scipy.special import kolmogorov

    first, second = np.sort(old), np.sort(new)
    both = np.concatenate([first, second])
    below = [np.searchsorted(one, both, side="right") / len(one) for one in (first, second)]
    distance = float(np.abs(below[0] - below[1]).max())
    m, n = len(first), len(second)
    p = float(kolmogorov(np.sqrt(m * n / (m + n)) * distance))
    middle = float(np.median(first))
    spread = NORMAL * float(np.median(np.abs(first - middle))) or float(first.std())
    moved = (float(np.median(second)) - middle) / spread if spread else None
    outside = float(np.mean((second < first[0]) | (second > first[-1])))
    return Shift(m, n, distance, p, moved, outside)


def tail_of(old: Array, new: Array) -> Tail:
    """How many of the new values lie above the top 1 % of the old ones.

    With k old values in the top of m, and n new ones from the same distribution, the number of
    new ones above the lowest of these k is beta-binomial: n draws of a chance that is itself
    Beta(k, m - k + 1).

    Args:
        old: (m,), float64, finite, m >= 1.
        new: (n,), float64, finite, n >= 1.

    Source: Clopper and Pearson 1934, Biometrika 26, 404.
    """
    # Imported here: as in `shift_of`.
    from scipy.special import betaincinv

    m, n = len(old), len(new)
    k = max(1, round(TOP * m))
    threshold = np.partition(old, m - k)[m - k]
    x = int(np.count_nonzero(new > threshold))
    half = (1 - CONFIDENCE) / 2
    low = float(betaincinv(x, n - x + 1, half)) if x else 0.0
    high = float(betaincinv(x + 1, n - x, 1 - half)) if x < n else 1.0
    return Tail(k / m, x / n, low, high, _at_least(x, n, k, m - k + 1))


def _at_least(x: int, n: int, a: float, b: float) -> float:
    """P(X >= x) of a beta-binomial X of n draws."""
    from scipy.special import betaln, gammaln

    j = np.arange(x, n + 1)
    ways = gammaln(n + 1) - gammaln(j + 1) - gammaln(n - j + 1)
    return float(min(1.0, np.exp(ways + betaln(j + a, n - j + b) - betaln(a, b)).sum()))
