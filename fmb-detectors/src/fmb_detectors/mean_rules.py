"""Fusions that are means of percentiles, or the least or greatest of them.

`geo`, `min`, `avg` and `rank-product` ask an object to be strange in all lists: the first of one
list that is ordinary in the others sinks. `max` asks for one list.
"""

from collections.abc import Sequence

import numpy as np

from fmb import Array, Config, ListName, Members
from fmb_detectors.fusion_config import GeoConfig
from fmb_detectors.votes import each_list, require_known, shared_votes, tails, weights_by_name

__all__ = ["AvgFusion", "GeoFusion", "MaxFusion", "MinFusion", "RankProduct", "geometric_mean"]


def geometric_mean(values: Array, weights: Array) -> Array:
    """The weighted geometric mean over lists.

    Args:
        values: (lists, n), above 0.
        weights: (lists,), above 0.

    Returns:
        (n,), exp(sum w log v / sum w).
    """
    total = np.zeros(values.shape[1])
    for weight, row in zip(weights, values, strict=True):  # one by one: equal rows, equal sums
        total += weight * np.log(row)
    return np.asarray(np.exp(total / weights.sum()))


class GeoFusion:
    """Weighted geometric mean of percentiles; unasked, a pair weighs 1 and a view 1/2."""

    def __init__(self, config: GeoConfig, *, seed: int, device: str) -> None:
        self.weights = config.weights

    def require_lists(self, names: Sequence[ListName]) -> None:
        """Refuse a weight of no list.

        Raises:
            ConfigError: with a hint.
        """
        require_known(names, self.weights)

    def score(self, x: Members) -> Array:
        """(n,), in (0, 1], higher is stranger.

        Source: the original Foundation Models Benchmark, p_mismatch sqrt(p_image p_spectrum); this
        is its square root, so that it is a mean of percentiles.
        """
        return geometric_mean(each_list(x), weights_by_name(list(x.percentiles), self.weights))


class MinFusion:
    """The lowest percentile."""

    def __init__(self, config: Config, *, seed: int, device: str) -> None:
        pass

    def score(self, x: Members) -> Array:
        """(n,), in (0, 1], higher is stranger."""
        return np.asarray(each_list(x).min(axis=0))


class MaxFusion:
    """The highest percentile."""

    def __init__(self, config: Config, *, seed: int, device: str) -> None:
        pass

    def score(self, x: Members) -> Array:
        """(n,), in (0, 1], higher is stranger."""
        return np.asarray(each_list(x).max(axis=0))


class AvgFusion:
    """The mean percentile."""

    def __init__(self, config: Config, *, seed: int, device: str) -> None:
        pass

    def score(self, x: Members) -> Array:
        """(n,), in (0, 1], higher is stranger."""
        total = np.zeros(len(x))
        for percentiles in x.percentiles.values():
            total += percentiles
        return total / len(x.percentiles)


class RankProduct:
    """Minus the logarithm of the geometric mean of rank / n, views having one vote each."""

    def __init__(self, config: Config, *, seed: int, device: str) -> None:
        pass

    def score(self, x: Members) -> Array:
        """(n,), at least 0, higher is stranger.

        Source: Breitling et al. 2004, FEBS Lett. 573, 83.
        """
        return -np.log(geometric_mean(tails(x), shared_votes(list(x.percentiles))))
