"""How well a score finds labelled objects: AUROC, average precision, recall, precision, enrichment.

Every measure takes labels, scores and optional weights, and breaks ties fairly: it gives the
mean over all orders of tied objects (average precision: that of scikit-learn, one threshold a
tie). Weights with leading axes give one value for each: that is how `fmb_analyses.bootstrap`
works.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from fmb import Array, DataError, ShapeError, UnknownNameError, did_you_mean
from fmb.scoring import check_finite

__all__ = [
    "auroc",
    "auroc_of_copies",
    "average_precision",
    "chance",
    "enrichment",
    "precision_at_k",
    "recall_at_k",
]


def auroc(
    labels: npt.ArrayLike, scores: npt.ArrayLike, weights: npt.ArrayLike | None = None
) -> Any:
    """The chance that a labelled object scores higher than an unlabelled one, ties counting half.

    Args:
        labels: (n,), bool, with both kinds present.
        scores: (n,), finite, higher is stranger.
        weights: (..., n), how often each object counts; None = once.

    Returns:
        (...), float64, in [0, 1]; 0.5 = chance.

    Raises:
        DataError: labels are not two-valued, or all alike.
        ScoreError: a score is not finite.
        ShapeError: the arrays do not fit.

    Source: Mann and Whitney 1947, Ann. Math. Stat. 18, 50.
    """
    found, other = cumulative_counts(labels, scores, weights)
    before = np.concatenate([np.zeros_like(found[..., :1]), found[..., :-1]], axis=-1)
    steps = np.diff(other, axis=-1, prepend=0)
    pairs = np.einsum("...i,...i->...", steps, found + before) / 2
    return pairs / (found[..., -1] * other[..., -1])


def auroc_of_copies(
    labels: npt.ArrayLike,
    scores: npt.ArrayLike,
    groups: npt.ArrayLike,
    weights: npt.ArrayLike | None = None,
) -> Any:
    """The AUROC of changed copies against unchanged hosts, no copy being compared with its own.

    A copy and its host are nearly the same object: their order says how the change moves a score,
    not how the copy stands out, and a resample that draws a host twice would count it four times.

    Args:
        labels: (n,), bool, True = a copy.
        scores: (n,), finite, higher is stranger.
        groups: (n,), integers; a copy shares the group of its host.
        weights: (..., n), how often each object counts; None = once.

    Returns:
        (...), float64, in [0, 1]; 0.5 = chance. NaN where the objects that count are of one group.

    Raises:
        DataError: labels are not two-valued or all alike, or all belong to one group.
    """
    copy = two_valued(labels)
    values, code = np.asarray(scores, dtype=np.float64), np.asarray(groups)
    check_finite(values, np.arange(len(values)), "labelled objects: rows")
    count = np.ones(len(values)) if weights is None else np.asarray(weights, dtype=np.float64)
    if (code == code[0]).all():
        raise DataError("all objects share one group; copies need hosts that are not their own")
    above = np.sign(values[copy][:, None] - values[~copy]) / 2 + 0.5
    other = (code[copy][:, None] != code[~copy]).astype(np.float64)
    copies, hosts = count[..., copy], count[..., ~copy]
    pairs = np.einsum("...i,...i->...", copies, hosts @ other.T)
    won = np.einsum("...i,...i->...", copies, hosts @ (above * other).T)
    return np.divide(won, pairs, out=np.full_like(pairs, np.nan), where=pairs > 0)


def average_precision(
    labels: npt.ArrayLike, scores: npt.ArrayLike, weights: npt.ArrayLike | None = None
) -> Any:
    """The mean, over labelled objects, of the precision of the list that ends with each.

    Args and Raises: as in `auroc`.

    Returns:
        (...), float64, in (0, 1]; chance is a little above the share of labelled objects.
    """
    found, other = cumulative_counts(labels, scores, weights)
    listed = found + other
    precision = np.divide(found, listed, out=np.zeros_like(listed), where=listed > 0)
    steps = np.diff(found, axis=-1, prepend=0)
    return np.einsum("...i,...i->...", steps, precision) / found[..., -1]


def recall_at_k(
    labels: npt.ArrayLike, scores: npt.ArrayLike, weights: npt.ArrayLike | None = None, *, k: int
) -> Any:
    """The share of the labelled objects that stand in the top k.

    Args and Raises: as in `auroc`; DataError also when k is not in [1, n].

    Returns:
        (...), float64, in [0, 1]; chance = k / n.
    """
    found, other = cumulative_counts(labels, scores, weights)
    check_k(k, labels)
    return found_in_top(found, found + other, k) / found[..., -1]


def precision_at_k(
    labels: npt.ArrayLike, scores: npt.ArrayLike, weights: npt.ArrayLike | None = None, *, k: int
) -> Any:
    """The share of labelled objects among the top k.

    Args and Raises: as in `recall_at_k`.

    Returns:
        (...), float64, in [0, 1]; chance = the share among all n.
    """
    found, other = cumulative_counts(labels, scores, weights)
    check_k(k, labels)
    listed = found + other
    return found_in_top(found, listed, k) / np.minimum(k, listed[..., -1])


def enrichment(
    labels: npt.ArrayLike, scores: npt.ArrayLike, weights: npt.ArrayLike | None = None, *, k: int
) -> Any:
    """How many times more frequent labelled objects are in the top k than among all.

    Args and Raises: as in `recall_at_k`.

    Returns:
        (...), float64, >= 0; chance = 1.
    """
    found, other = cumulative_counts(labels, scores, weights)
    share = found[..., -1] / (found + other)[..., -1]
    return precision_at_k(labels, scores, weights, k=k) / share


def chance(measure: str, *, n: int, n_labelled: int, k: int = 1) -> float:
    """What a random order of n objects gives on average.

    Args:
        measure: the name of a measure of this module.
        n: objects.
        n_labelled: labelled ones among them, 1 .. n.
        k: the length of the list, where the measure has one.

    Raises:
        UnknownNameError: no such measure.

    Source: average precision: Bestgen 2015, J. Informetrics 9, 109 (mean over all orders).
    """
    share = n_labelled / n
    others = (n_labelled - 1) / (n - 1) if n > 1 else 1.0
    harmonic = float(np.sum(1 / np.arange(1, n + 1)))
    levels = {
        "auroc": 0.5,
        "average_precision": (harmonic + (n - harmonic) * others) / n,
        "recall_at_k": k / n,
        "precision_at_k": share,
        "enrichment": 1.0,
    }
    if measure not in levels:
        raise UnknownNameError(f"no measure {measure!r}{did_you_mean(measure, levels)}")
    return levels[measure]


def cumulative_counts(
    labels: npt.ArrayLike, scores: npt.ArrayLike, weights: npt.ArrayLike | None
) -> tuple[Array, Array]:
    """Labelled and other objects that score at least as high as each distinct score.

    Returns:
        Two arrays (..., distinct scores), float64, strangest score first.
    """
    values = np.asarray(scores, dtype=np.float64)
    labelled = two_valued(labels)
    count = np.ones(len(values)) if weights is None else np.asarray(weights, dtype=np.float64)
    if not len(labelled) == len(values) == count.shape[-1]:
        raise ShapeError(
            f"{len(labelled)} labels, {len(values)} scores and weights of shape {count.shape}"
            " do not fit together"
        )
    check_finite(values, np.arange(len(values)), "labelled objects: rows")
    order = np.argsort(-values, kind="stable")
    values, labelled, count = values[order], labelled[order], count[..., order]
    last = np.append(np.flatnonzero(values[1:] != values[:-1]), len(values) - 1)
    every = np.cumsum(count, axis=-1)
    found = np.cumsum(count * labelled, axis=-1)
    if len(last) < len(values):
        every, found = every[..., last], found[..., last]
    return found, every - found


def two_valued(labels: npt.ArrayLike) -> Array:
    """Labels as (n,) bool; refuses other values and labels that are all alike."""
    values = np.asarray(labels)
    if values.dtype != np.bool_:
        if not np.isin(values, (0, 1)).all():
            raise DataError("labels must be true or false; leave out objects of unknown label")
        values = values.astype(bool)
    n = int(values.sum())
    if n in (0, len(values)):
        raise DataError(
            f"{n:,} of {len(values):,} objects are labelled; a measure needs some of both kinds"
        )
    return values


def found_in_top(found: Array, listed: Array, k: int) -> Array:
    """Labelled objects among the top k; ties at the border count by their mean composition."""
    at = np.minimum((listed < k).sum(axis=-1, keepdims=True), listed.shape[-1] - 1)
    below = np.maximum(at - 1, 0)
    inside = at > 0
    start = np.where(inside, np.take_along_axis(listed, below, -1), 0)
    hits = np.where(inside, np.take_along_axis(found, below, -1), 0)
    width = np.take_along_axis(listed, at, -1) - start
    part = np.clip(np.divide(k - start, width, out=np.zeros_like(start), where=width > 0), 0, 1)
    total: Array = hits + part * (np.take_along_axis(found, at, -1) - hits)
    return total[..., 0]


def check_k(k: int, labels: npt.ArrayLike) -> None:
    """Refuse the top k of fewer than k objects."""
    n = len(np.asarray(labels))
    if not 1 <= k <= n:
        raise DataError(f"there is no top {k:,} of {n:,} objects; choose k from 1 to {n:,}")
