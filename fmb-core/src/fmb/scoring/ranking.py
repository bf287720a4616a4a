"""Ranks and percentiles of scores: where an object stands in its own survey."""

from dataclasses import dataclass
from math import floor, log10

import numpy as np
import numpy.typing as npt

from fmb.contract.arrays import Array
from fmb.messages.errors import ScoreError, ShapeError
from fmb.order.positions import stable_order
from fmb.scoring.folds import group_codes

__all__ = [
    "Ranking",
    "check_finite",
    "check_scores",
    "describe",
    "percentile",
    "rank",
    "rank_survey",
]


@dataclass(frozen=True, eq=False)
class Ranking:
    """The order of a survey, in which each source stands once."""

    rank: Array
    """(objects,), float64, 1 = strangest, average rank for ties; repeats carry their source's."""
    percentile: Array
    """(objects,), float64, in (0, 1], 1 = strangest."""
    repeat: Array
    """(objects,), bool: another object of the same group stands in the list in its place."""
    order: Array
    """(n,), int64: rows of the objects that stand in the list, strangest first, ties by id."""
    n: int
    """How many sources were ranked: the number of groups, not of rows."""


def rank(scores: npt.ArrayLike) -> Array:
    """The rank of each score: 1 = strangest (highest), the average of their ranks for ties.

    Equal to `scipy.stats.rankdata` of the negated scores, whose import costs 1.2 s of every run.

    Args:
        scores: (n,), finite, higher is stranger.

    Returns:
        (n,), float64, in [1, n], in the order given. Ranks hold for these n objects only: rank
        again after every join or filter.

    Raises:
        ScoreError: a score is not finite.
    """
    values = np.asarray(scores, dtype=np.float64)
    check_finite(values, np.arange(len(values)), "ranking: rows")
    return _ranks(values, stable_order(-values))


def _ranks(values: Array, order: Array) -> Array:
    """Ranks of values that are known to fall in `order`; ties share the average of theirs."""
    n, ranks = len(values), np.empty(len(values))
    falling = values[order]
    starts = np.flatnonzero(np.append(True, falling[1:] != falling[:-1])[:n])
    counts = np.diff(starts, append=n)
    ranks[order] = np.repeat(starts + (counts + 1) / 2, counts)
    return ranks


def percentile(ranks: npt.ArrayLike, n: int) -> Array:
    """The fraction of the n ranked objects that are no stranger: (n - rank + 1) / n.

    Raises:
        ShapeError: a rank lies outside [1, n], so that it belongs to another list.
    """
    values = np.asarray(ranks, dtype=np.float64)
    if values.size and not (values.min() >= 1 and values.max() <= n):
        raise ShapeError(
            f"ranks run from {values.min():g} to {values.max():g} in a list of {n:,};"
            " rank again after a join or filter"
        )
    return (n - values + 1) / n


def rank_survey(
    ids: npt.ArrayLike,
    scores: npt.ArrayLike,
    groups: npt.ArrayLike | None = None,
    copies: npt.ArrayLike | None = None,
) -> Ranking:
    """The ranking of a survey in which repeats of one source stand once.

    The strangest member of a group (of equal ones, that with the smallest id) enters the list
    for it. The others carry its rank and are marked as repeats; n is the number of groups. A
    source observed often has more chances of an extreme score, so its repeats are worth a look.

    Args:
        ids: (objects,), int64, uint64 or str, without repeats.
        scores: (objects,), finite, higher is stranger.
        groups: (objects,), integers or text, equal for repeats of one source; None = no repeats.
        copies: (objects,), bool: changed copies of other objects, which never stand in the list.
            Each carries the rank it would have in place of its source, and is marked as a repeat;
            `n` is the number of sources without them.

    Raises:
        ScoreError: a score is not finite.
        ShapeError: the arrays differ in length.
    """
    names, values = np.asarray(ids), np.asarray(scores, dtype=np.float64)
    check_finite(values, names, "ranking")
    sources = names if groups is None else np.asarray(groups)
    if not len(names) == len(values) == len(sources):
        raise ShapeError(
            f"{len(names)} ids, {len(values)} scores and {len(sources)} groups do not fit together"
        )
    if copies is not None and np.any(copies):
        return _beside_copies(names, values, sources, np.asarray(copies, dtype=bool))
    codes, keys = group_codes(sources)
    by_id = stable_order(names)
    order = by_id[stable_order(-values[by_id])]
    first = np.empty(len(keys), dtype=np.int64)
    first[codes[order[::-1]]] = order[::-1]  # what is written last stays: the strangest
    repeat = np.ones(len(names), dtype=bool)
    repeat[first] = False
    order = order[~repeat[order]]
    of_source = np.empty(len(keys))
    of_source[codes[order]] = _ranks(values[order], np.arange(len(order)))
    ranks = of_source[codes]
    return Ranking(
        rank=ranks,
        percentile=percentile(ranks, len(keys)),
        repeat=repeat,
        order=order,
        n=len(keys),
    )


def _beside_copies(ids: Array, scores: Array, sources: Array, copies: Array) -> Ranking:
    """The ranking of the objects that are no copies, and the place each copy would have in it."""
    own = np.flatnonzero(~copies)
    if not len(own):
        raise ShapeError(f"all {len(ids):,} objects are changed copies: there is no list to rank")
    real = rank_survey(ids[own], scores[own], sources[own])
    repeat = np.ones(len(ids), dtype=bool)
    repeat[own] = real.repeat
    ranks = np.empty(len(ids))
    ranks[own] = real.rank
    standing = own[real.order]
    falling = -scores[standing]  # rises
    changed = np.flatnonzero(copies)
    above = np.searchsorted(falling, -scores[changed], side="left")
    tied = np.searchsorted(falling, -scores[changed], side="right") - above
    order = np.argsort(sources[standing], kind="stable")
    keys = sources[standing][order]
    at = np.minimum(np.searchsorted(keys, sources[changed]), len(keys) - 1)
    host = scores[standing][order][at]
    there = keys[at] == sources[changed]
    above -= there & (host > scores[changed])  # it takes the place of its source
    tied -= there & (host == scores[changed])
    ranks[changed] = np.minimum(above + 1 + tied / 2, real.n)
    return Ranking(ranks, percentile(ranks, real.n), repeat, standing, real.n)


def describe(rank: float, n: int) -> str:
    """A place in a list in words: "top 0.03 % (27 of 90,000)"."""
    share = 100 * rank / n
    decimals = max(0, 1 - floor(log10(share)))
    text = f"{share:.{decimals}f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    place = f"{rank:,.1f}".removesuffix(".0")
    return f"top {text} % ({place} of {n:,})"


def check_finite(scores: Array, ids: Array, name: str) -> None:
    """Refuse scores with NaN or infinities.

    Raises:
        ScoreError: with their number, the first ids, and `name`, who gave them.
    """
    bad = ~np.isfinite(scores)
    if bad.any():
        raise ScoreError(
            f"{name}: {bad.sum():,} of {len(scores):,} scores are not finite"
            f" (first: {first_ids(ids[bad])}); look at these objects or leave them out"
        )


def check_scores(scores: Array, ids: Array, name: str) -> None:
    """Refuse scores that rank nothing: not finite, or the same for every object.

    Raises:
        ScoreError: with counts, the first ids, and `name`, who gave them.
    """
    check_finite(scores, ids, name)
    if len(scores) > 1 and np.all(scores == scores[0]):
        raise ScoreError(
            f"{name}: all {len(scores):,} objects (first: {first_ids(ids)}) have the same score"
            f" {scores[0]:g}; check that their vectors differ"
        )


def first_ids(ids: Array, most: int = 3) -> str:
    """The first few ids as text, for an error."""
    return ", ".join(str(i) for i in ids[:most].tolist()) + (", ..." if len(ids) > most else "")
