"""A quota: lists take turns in naming their next object."""

import numpy as np

from fmb import Array, Members
from fmb_detectors.any_view import cauchy
from fmb_detectors.fusion_config import QuotaConfig
from fmb_detectors.votes import each_list, shared_votes, tails

__all__ = ["Quota", "turns"]


def turns(percentiles: Array, ranked: int) -> Array:
    """High for objects that are soon named when lists take turns.

    An object is named at the best of its places, by the first of the lists that have it there. So
    the first m L objects hold the first L of each of m lists, ties of a list apart.

    Args:
        percentiles: (lists, n), multiples of 1 / (2 ranked).
        ranked: among how many they stand.

    Returns:
        (n,): the highest percentile, less a part of half a place for each list that comes before.
    """
    best = percentiles.max(axis=0)
    who = percentiles.argmax(axis=0)
    return np.asarray(best - who / (2 * ranked * len(percentiles)))


class Quota:
    """Lists take turns: those of single views, then pairs, then, where asked, all of them fused."""

    def __init__(self, config: QuotaConfig, *, seed: int, device: str) -> None:
        self.fused = config.fused

    def score(self, x: Members) -> Array:
        """(n,), in (0, 1], higher is stranger."""
        ranked, percentiles = x.ranked or len(x), each_list(x)
        if self.fused:
            combined = cauchy(tails(x), shared_votes(list(x.percentiles)))
            percentiles = np.vstack([percentiles, _percentiles(combined, ranked)])
        return turns(percentiles, ranked)


def _percentiles(scores: Array, ranked: int) -> Array:
    """Where scores stand among each other, as percentiles of lists do."""
    places = np.sort(scores)
    above = len(scores) - np.searchsorted(places, scores, side="right")
    equal = len(scores) - above - np.searchsorted(places, scores, side="left")
    return 1 - (above + (equal - 1) / 2) / max(ranked, len(scores))
