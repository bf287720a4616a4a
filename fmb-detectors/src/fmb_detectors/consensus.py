"""Consensus: how many lists have an object in their top."""

from collections.abc import Sequence

import numpy as np

from fmb import Array, ConfigError, ListName, Members
from fmb_detectors.fusion_config import ConsensusConfig
from fmb_detectors.votes import each_list

__all__ = ["Consensus", "agreeing"]


def agreeing(percentiles: Array, top: float, ranked: int) -> Array:
    """(n,), float64: in how many of (lists, n) percentiles an object is in the first `top` of all.

    The top of a list of n is its first floor(top n) objects, at least one.
    """
    places = max(1, int(top * ranked + 1e-9))  # 1e-9: 0.07 x 100 is below 7
    # A quarter of a place of room: ranks are whole, or half where two share one.
    least = 1 - (places - 0.75) / ranked
    return np.asarray(np.count_nonzero(percentiles >= least, axis=0), dtype=np.float64)


class Consensus:
    """The number of lists that agree on an object, then its mean percentile."""

    def __init__(self, config: ConsensusConfig, *, seed: int, device: str) -> None:
        self.top, self.at_least = config.top, config.at_least

    def require_lists(self, names: Sequence[ListName]) -> None:
        """Refuse to wait for more lists than there are.

        Raises:
            ConfigError: says how many there are.
        """
        if self.at_least > len(names):
            raise ConfigError(
                f"consensus: at_least = {self.at_least}, and there are {len(names)} lists: no"
                f" object is in the top of so many; ask for {len(names)} at most"
            )

    def score(self, x: Members) -> Array:
        """(n,): lists that agree, 0 where fewer than asked for, plus the mean percentile / 2."""
        percentiles = each_list(x)
        count = agreeing(percentiles, self.top, x.ranked or len(x))
        total = np.zeros(len(x))
        for row in percentiles:
            total += row
        return np.where(count >= self.at_least, count, 0) + total / (2 * len(percentiles))

    def details(self, x: Members) -> dict[str, Array]:
        """In how many lists an object is in the top, whether these are enough or not."""
        return {"agreeing": agreeing(each_list(x), self.top, x.ranked or len(x))}
