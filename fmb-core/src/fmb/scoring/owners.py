"""Owners of a list: tiles, fields or nights that hold more of its head than is theirs."""

from dataclasses import dataclass
from math import ceil

import numpy as np
import numpy.typing as npt

from fmb.contract.arrays import Array
from fmb.messages.errors import ShapeError

__all__ = ["Owner", "owners"]

LOOKS, LOOKS_TIMES = 100, 5
"""Of the first 100, which people look at, one that holds five times its share is worth a word."""
HEAD, HEAD_TIMES = 0.05, 2
"""Of the strangest 5 % one that holds twice its share: half of it would be elsewhere by right."""
AT_LEAST = 3
"""So few objects are no reason to name anybody."""
LEVEL = 0.025
"""One-sided error over all that is tested together: the upper half of a 95 % interval."""


@dataclass(frozen=True)
class Owner:
    """Somebody who owns more of the head of a list than of the list."""

    name: str
    owned: int
    """Its objects in the head."""
    head: int
    """Objects in the head: the first so many of the list."""
    share: float
    """Its share of the whole list, (0, 1)."""
    p_value: float
    """Chance of so many or more in the head, were it drawn at random."""

    def __str__(self) -> str:
        fair = f"{self.share * self.head:.1f}".removesuffix(".0")
        return f"{self.name} owns {self.owned} of the top {self.head:,}; its share is {fair}"


def owners(names: npt.ArrayLike) -> list[Owner]:
    """Who owns more of the head of a list than its share, the most improbable first.

    Two heads are tested, the first 100 and the strangest 5 %. Somebody is named who owns more than
    three objects of one, and more than five or two times its share there, where that is no
    accident: the one-sided Clopper-Pearson interval of what it owns lies above its share, at 2.5 %
    over all owners and both heads together (Holm 1979).

    Args:
        names: (n,), text: whose each object of a list is, strangest first; "" = nobody's, which
            counts in the list and is no owner.

    Returns:
        Each once, in the first 100 where that can be said, else in the strangest 5 %.

    Raises:
        ShapeError: they are not one name an object.

    Source: Clopper & Pearson 1934, Biometrika 26, 404: the interval excludes the share where the
    binomial tail is below the level.
    """
    every = np.asarray(names, dtype=str)
    if every.ndim != 1:
        raise ShapeError(f"names have shape {every.shape}, expected one an object")
    n = len(every)
    known, whose, sizes = np.unique(every, return_inverse=True, return_counts=True)
    looks = min(LOOKS, n)
    tested: list[tuple[Owner, int]] = []
    for head, times in ((looks, LOOKS_TIMES), (ceil(HEAD * n), HEAD_TIMES)):
        counts = np.bincount(whose[:head], minlength=len(known)).tolist()
        for name, owned, share in zip(known.tolist(), counts, (sizes / n).tolist(), strict=True):
            if name and share < 1:
                p = _tail(owned, head, share)
                tested.append((Owner(name, owned, head, share, p), times))
    tested.sort(key=lambda one: (one[0].p_value, one[0].name))
    found: dict[str, Owner] = {}
    for position, (one, times) in enumerate(tested):
        if one.p_value > LEVEL / (len(tested) - position):
            break  # Holm: of those after it none is sure either
        much = one.owned > max(AT_LEAST, times * one.share * one.head)
        if much and (one.name not in found or one.head == looks):
            found[one.name] = one
    return list(found.values())


def _tail(k: int, n: int, share: float) -> float:
    """P(X >= k) of a binomial distribution of n draws; scipy's costs a second to load."""
    if k <= share * n:
        return 1.0  # about a half: no less than any level
    at = np.arange(k, n + 1)
    log_factorials = np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, n + 1)))])
    choose = log_factorials[n] - log_factorials[at] - log_factorials[n - at]
    terms: Array = choose + at * np.log(share) + (n - at) * np.log1p(-share)
    return float(min(1.0, np.exp(terms).sum()))
