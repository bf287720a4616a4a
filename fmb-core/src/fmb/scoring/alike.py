"""Percentiles among alike: where an object stands among those that the same is known of."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from fmb.contract.arrays import Array
from fmb.messages.errors import ShapeError

__all__ = ["AT_MOST", "NEIGHBOURS", "percentile_among_alike"]

NEIGHBOURS = 500
"""Objects that one is compared with, itself among them."""
AT_MOST = 10_000
"""Objects whose likes are looked for: of a longer list the first, for each takes a fraction of a
millisecond."""
CLIP = 3.0
"""Roles further out count as this far, in units of their spread: one broken value must not decide
alone who is alike."""
NORMAL = 1.4826
"""Spread of a normal distribution in units of its median absolute deviation."""
QUERIES_AT_ONCE = 256


def percentile_among_alike(
    ranks: npt.ArrayLike,
    roles: npt.ArrayLike,
    strata: npt.ArrayLike | None = None,
    *,
    neighbours: int = NEIGHBOURS,
    at_most: int = AT_MOST,
) -> Array:
    """The share of an object's nearest in the roles that are no stranger, itself among them.

    The nearest are found exactly, by Euclidean distance in standardised roles, within a stratum
    and among objects that know at least the roles that it knows.

    Args:
        ranks: (n,), 1 = strangest; equal ones share their places.
        roles: (n, r), NaN = unknown.
        strata: (n,), integers or text: an object is compared within its own; None = one.
        neighbours: how many are compared.
        at_most: objects that get a number: the first of the list.

    Returns:
        (n,), float64, in (0, 1], 1 = the strangest of its like; NaN for an object that knows no
        role, has fewer likes than `neighbours`, or is further down the list than `at_most`.

    Raises:
        ShapeError: the arrays differ in length.

    Source: percentile as in `fmb.scoring.percentile`, (k - rank + 1) / k.
    """
    places, known = np.asarray(ranks, dtype=np.float64), np.asarray(roles, dtype=np.float64)
    which = np.zeros(len(places), dtype=np.int64) if strata is None else np.asarray(strata)
    if known.ndim != 2 or not len(places) == len(known) == len(which):
        raise ShapeError(
            f"{len(places)} ranks, roles of shape {known.shape} and {len(which)} strata do not fit"
            " together"
        )
    among = np.full(len(places), np.nan)
    asked = np.zeros(len(places), dtype=bool)
    asked[np.argsort(places, kind="stable")[:at_most]] = True
    for rows, pool, columns in _patterns(known, which, asked):
        if len(pool) >= neighbours:
            points = _standardised(known[np.ix_(pool, columns)])
            at = np.searchsorted(pool, rows)
            for some, near in _nearest(points, at, neighbours):
                among[pool[some]] = _percentiles(places[pool[near]], places[pool[some]])
    return among


def _patterns(known: Array, strata: Array, asked: Array) -> Iterator[tuple[Array, Array, Array]]:
    """Objects that are asked for, those they are compared with, and the roles that count.

    Positions are ascending, those asked for among the others.
    """
    has = np.isfinite(known)
    for stratum in np.unique(strata):
        inside = strata == stratum
        for pattern in np.unique(has[inside & asked], axis=0):
            if pattern.any():
                rows = np.flatnonzero(inside & asked & (has == pattern).all(axis=1))
                pool = np.flatnonzero(inside & has[:, pattern].all(axis=1))
                yield rows, pool, np.flatnonzero(pattern)


def _standardised(values: Array) -> Array:
    """(n, r): each column about its median in units of its spread, clipped; 0 where constant."""
    centre = np.median(values, axis=0)
    spread = NORMAL * np.median(np.abs(values - centre), axis=0)
    spread = np.where(spread > 0, spread, values.std(axis=0))
    scaled: Array = (values - centre) / np.where(spread > 0, spread, 1.0)
    return scaled.clip(-CLIP, CLIP)


def _nearest(points: Array, rows: Array, k: int) -> Iterator[tuple[Array, Array]]:
    """Blocks of `rows` with the k nearest of `points` to each, (m, k), itself among them."""
    blocks = (rows[at : at + QUERIES_AT_ONCE] for at in range(0, len(rows), QUERIES_AT_ONCE))
    if len(points) <= AT_MOST:
        squares = (points**2).sum(axis=1)
        for some in blocks:
            away = squares - 2 * points[some] @ points.T
            away[np.arange(len(some)), some] = -np.inf
            yield some, np.argpartition(away, k - 1, axis=1)[:, :k]
        return
    # Imported here: of few points all distances are sooner computed than this is loaded.
    from scipy.spatial import cKDTree

    tree = cKDTree(points)
    for some in blocks:
        near = tree.query(points[some], k)[1].reshape(len(some), k)
        absent = ~(near == some[:, None]).any(axis=1)
        near[absent, -1] = some[absent]  # of equal ones the tree takes any
        yield some, near


def _percentiles(near: Array, own: Array) -> Array:
    """(m,): percentile of ranks (m,) among those of their likes (m, k), which hold them too."""
    stranger = (near < own[:, None]).sum(axis=1)
    equal = (near == own[:, None]).sum(axis=1)
    k = near.shape[1]
    return np.asarray((k - stranger - (equal + 1) / 2 + 1) / k)
