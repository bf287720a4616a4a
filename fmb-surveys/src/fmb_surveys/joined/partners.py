"""Which object of one survey is which of another: by position, or by a key."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from fmb import Array, DataError, Dataset, did_you_mean
from fmb.datasets import near_pairs
from fmb.files import locate
from fmb_surveys.files.catalog_joins import Key, keys_of, refuse_repeats

__all__ = ["Partners", "by_key", "by_place", "unique_pairs"]


@dataclass(frozen=True, eq=False)
class Partners:
    """The partner of each object in another survey."""

    rows: Array
    """(n,) int64: row of the other survey, -1 = none."""
    arcsec: Array | None
    """(n,) float64: separation, NaN where there is none; None when positions were not asked."""
    crowded: int = 0
    """Objects with more than one within the radius, of which the nearest is taken."""


def by_place(own: Dataset, other: Dataset, arcsec: float, where: str) -> Partners:
    """Partners on the sky: nearest pairs first, each object in one pair at most.

    So a pair whose members are each other's nearest is always one. Where separations are equal
    the smaller ids pair, whatever the order of the files.

    Args:
        own: n objects.
        other: the survey that is matched to them.
        arcsec: the largest separation.
        where: names the match in messages.

    Raises:
        DataError: a catalogue has no positions.
    """
    for dataset, which in ((own, "to"), (other, "of")):
        if not {"ra", "dec"} <= set(dataset.catalog):
            raise DataError(
                f"{where}: the survey {which} which objects are matched has no ra and dec; name"
                " their columns in [catalog], or match by on = ..."
            )
    left, right, apart = near_pairs(own.catalog, other.catalog, arcsec)
    order = np.lexsort((_ranks(other.ids)[right], _ranks(own.ids)[left], apart))
    left, right, apart = left[order], right[order], apart[order]
    kept = unique_pairs(left, right)
    rows, separation = np.full(len(own), -1, dtype=np.int64), np.full(len(own), np.nan)
    rows[left[kept]], separation[left[kept]] = right[kept], apart[kept]
    crowded = int((np.bincount(left, minlength=1) > 1).sum())
    return Partners(rows, separation, crowded)


def _ranks(ids: Array) -> Array:
    ranks = np.empty(len(ids), dtype=np.int64)
    ranks[np.argsort(ids, kind="stable")] = np.arange(len(ids))
    return ranks


def unique_pairs(left: Array, right: Array) -> Array:
    """Positions of the pairs that stay when each is taken in order, unless one of it is taken.

    Args:
        left: (k,) rows, the best pair first.
        right: (k,) rows, their partners.
    """
    kept: list[Array] = []
    rest = np.arange(len(left))
    while len(rest):
        # A pair that is the first of both its members is taken whatever comes before it.
        first = [_is_first(side[rest]) for side in (left, right)]
        best = rest[first[0] & first[1]]
        kept.append(best)
        taken = np.isin(left[rest], left[best]) | np.isin(right[rest], right[best])
        rest = rest[~taken]
    return np.sort(np.concatenate(kept)) if kept else rest


def _is_first(values: Array) -> Array:
    found = np.zeros(len(values), dtype=bool)
    found[np.unique(values, return_index=True)[1]] = True
    return found


def by_key(own: Dataset, other: Dataset, key: Key, where: str) -> Partners:
    """Partners whose columns are equal, as whole numbers or text.

    Args:
        own: n objects.
        other: the survey that is matched to them.
        key: column of the one and of the other; "object_id" = the ids.
        where: names the match in messages.

    Raises:
        DataError: a column is missing, holds floats, or a key twice.
    """
    sides = []
    for dataset, column in ((own, key.left), (other, key.right)):
        named = f"{where}: {column!r}"
        found, rows = keys_of(_column(dataset, column, where), named)
        refuse_repeats(found, named)
        sides.append((found, rows))
    (keys, objects), (theirs, there) = sides
    at = locate(keys, theirs)
    rows = np.full(len(own), -1, dtype=np.int64)
    rows[objects] = np.where(at >= 0, there[at], -1) if len(there) else -1
    return Partners(rows, None)


def _column(dataset: Dataset, name: str, where: str) -> pd.Series:
    if name in dataset.catalog:
        return dataset.catalog[name]
    if name == "object_id":
        return pd.Series(dataset.ids)
    hint = did_you_mean(name, [*map(str, dataset.catalog), "object_id"])
    raise DataError(f"{where}: no column is called {name!r}{hint}")
