"""Strange in any view: a Cauchy combination of ranks."""

import numpy as np

from fmb import Array, Config, Members
from fmb_detectors.votes import shared_votes, tails

__all__ = ["AnyView", "cauchy"]

LARGEST_TAIL = 0.5
"""Beyond it a tail counts as this: the Cauchy distribution has a negative side too, on which the
last of one list would cancel the first of another."""


def cauchy(tails: Array, weights: Array) -> Array:
    """The weighted Cauchy combination sum w tan(pi (1/2 - p)) / sum w, of p no larger than 1/2.

    Args:
        tails: (lists, n), p in (0, 1].
        weights: (lists,), above 0.

    Returns:
        (n,), at least 0; of one list with p it is about 1 / (pi p), so that the smallest p of a few
        decides.

    Source: Liu and Xie 2020, J. Am. Stat. Assoc. 115, 393, eq. 2; the bound on p is ours.
    """
    total = np.zeros(tails.shape[1])
    for weight, p in zip(weights, tails, strict=True):
        total += weight * np.tan(np.pi * (0.5 - np.minimum(p, LARGEST_TAIL)))
    return np.asarray(total / weights.sum())


class AnyView:
    """High for what is far up in one view, whatever the others say; higher where several agree.

    The lists of a view are combined first, then the views: with weights that add up to one vote a
    view both are one sum.
    """

    def __init__(self, config: Config, *, seed: int, device: str) -> None:
        pass

    def score(self, x: Members) -> Array:
        """(n,), at least 0, higher is stranger."""
        return cauchy(tails(x), shared_votes(list(x.percentiles)))
