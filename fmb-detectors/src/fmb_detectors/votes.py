"""How much each list counts in a fusion: views have votes, and the lists of a view share one."""

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from fmb import Array, ConfigError, ListName, Members, did_you_mean

__all__ = ["each_list", "require_known", "shared_votes", "tails", "weights_by_name"]


def each_list(x: Members) -> Array:
    """(lists, n) percentiles."""
    return np.stack(list(x.percentiles.values()))


def tails(x: Members) -> Array:
    """(lists, n): rank / n of each object in each list, in (0, 1]; small is strange."""
    ranked = x.ranked or len(x)
    return 1 + 1 / ranked - each_list(x)


def shared_votes(names: Sequence[ListName]) -> Array:
    """(lists,): one vote a view or pair of views, divided by the lists that share it.

    What a view is like with its nuisances taken out, or to another detector, is the same evidence
    seen twice.
    """
    sharing = Counter(name.view for name in names)
    return np.array([1 / sharing[name.view] for name in names])


def weights_by_name(names: Sequence[ListName], given: Mapping[str, float]) -> Array:
    """(lists,): the weight of each list, as given or its share of a view's.

    Args:
        names: the lists.
        given: label, view or both -> weight, above 0; of several that fit, the last.
    """
    usual = shared_votes(names) * [0.5 if len(name.of) == 1 else 1.0 for name in names]
    return np.array(
        [
            ([value for words, value in given.items() if name.is_called(words)] or [default])[-1]
            for name, default in zip(names, usual, strict=True)
        ]
    )


def require_known(names: Sequence[ListName], given: Mapping[str, float]) -> None:
    """Refuse a weight of no list.

    Raises:
        ConfigError: with a hint.
    """
    for words in given:
        if not any(name.is_called(words) for name in names):
            known = dict.fromkeys(word for name in names for word in (name.detector, name.view))
            raise ConfigError(f"weights: no list is called {words!r}{did_you_mean(words, known)}")
