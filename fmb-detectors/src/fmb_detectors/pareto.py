"""Fronts: objects that no other surpasses in every view, then those of the rest, and so on."""

import numpy as np

from fmb import Array, Config, Members
from fmb_detectors.pareto_fronts import front_numbers
from fmb_detectors.votes import shared_votes

__all__ = ["Pareto", "by_view"]


def by_view(x: Members) -> Array:
    """(views, n): the mean percentile over the lists of each view or pair of views."""
    votes = shared_votes(list(x.percentiles))
    sums: dict[str, Array] = {}
    for vote, (name, percentiles) in zip(votes, x.percentiles.items(), strict=True):
        sums[name.view] = sums.get(name.view, 0) + vote * percentiles
    return np.stack(list(sums.values()))


class Pareto:
    """The front of an object among the percentiles of all views; in a front by their mean."""

    def __init__(self, config: Config, *, seed: int, device: str) -> None:
        pass

    def score(self, x: Members) -> Array:
        """(n,): minus the front, which counts from 1, plus the mean percentile of the views."""
        return self.score_with_details(x)[0]

    def details(self, x: Members) -> dict[str, Array]:
        """The front."""
        return self.score_with_details(x)[1]

    def score_with_details(self, x: Members) -> tuple[Array, dict[str, Array]]:
        """Both, from one sort."""
        percentiles = by_view(x)
        front = front_numbers(percentiles).astype(np.float64)
        # A mean of 1 is first in all views, so it is on the first front: fronts do not mix.
        return percentiles.mean(axis=0) - front, {"front": front}
