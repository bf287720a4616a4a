"""How far rankings agree with labels that are rare: draws, intervals and matched objects."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import chain
from typing import Any

import numpy as np
import pandas as pd
from scipy.spatial import cKDTree
from sklearn.linear_model import LogisticRegressionCV
from sklearn.model_selection import GroupKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from fmb import Array, DetectorSpec, Vectors
from fmb.crossfit import cross_fit
from fmb.plan.choice import Chosen
from fmb.scoring import group_codes, percentile, rank
from fmb.store import derive_seed
from fmb_analyses.bootstrap import Interval, resamples
from fmb_analyses.metrics import auroc, precision_at_k

PREVALENCE = 0.02
LOOKS = 100
FOLDS = 5
RESAMPLES = 1000
PENALTIES = (1e-4, 1e-3, 0.01, 0.1, 1.0, 10.0)
"""Inverse strengths, from which a classifier that is shown labels chooses."""
NEIGHBOURS = 10
CALIPER = 0.25
"""Standard deviations of the labelled objects within which a like one must lie."""

MEASURES: dict[str, Callable[..., Any]] = {
    "AUROC": auroc,
    "precision": partial(precision_at_k, k=LOOKS),
}


def rare_draws(objects: pd.DataFrame, n: int, seed: int = 0) -> Array:
    """Samples in which few of the labelled objects are left.

    Args:
        objects: `merger` (bool) and `half` (0 or 1).
        n: how many samples.
        seed: of the choice.

    Returns:
        (objects, n), bool: all others, and so many labelled ones of each half that they are 2 %
        of it. They are dealt like cards, so that all are chosen about equally often.
    """
    drawn = np.repeat(~objects[["merger"]].to_numpy(), n, axis=1)
    for half in (0, 1):
        inside = (objects["half"] == half).to_numpy()
        merger = objects["merger"].to_numpy()
        others = int((inside & ~merger).sum())
        size = max(1, round(others * PREVALENCE / (1 - PREVALENCE)))
        hands = deal(np.flatnonzero(inside & merger), size, derive_seed(seed, "draws", half))
        for column, hand in zip(range(n), hands, strict=False):
            drawn[hand, column] = True
    return drawn


def deal(cards: Array, size: int, seed: int) -> Iterator[Array]:
    """Hands of so many cards without end; the deck is shuffled anew when it gives no other."""
    rng = np.random.default_rng(seed)
    while True:
        deck = rng.permutation(cards)
        yield from (deck[i : i + size] for i in range(0, len(deck) - size + 1, size))


def ranked(
    objects: pd.DataFrame, values: Array, drawn: Array, detector: Chosen[DetectorSpec]
) -> tuple[Array, int]:
    """Percentiles of each sample, each half by itself and cross-fitted, and how many fits gave up.

    Args:
        objects: `object_id`, `half` and `group`.
        values: (objects, d), float32; objects with NaN are not ranked.
        drawn: (objects, samples), bool.
        detector: fitted to all of a sample, as a user would.

    Returns:
        (objects, samples), float64, 1 = strangest, NaN outside the sample; and the number of fits
        in which the flow is the Gaussian, because it was no better.
    """
    vectors = Vectors(objects["object_id"].to_numpy(), values)
    half, group = objects["half"].to_numpy(), objects["group"].to_numpy()

    def make(fold: int) -> Any:
        seed = derive_seed(0, "detector", detector.component.qualified, "image", fold)
        return detector.new(seed=seed, device="cpu")

    known = np.isfinite(values).all(axis=1)
    percentiles, gave_up = np.full(drawn.shape, np.nan), 0
    for column in range(drawn.shape[1]):
        for number in (0, 1):
            chosen = drawn[:, column] & (half == number) & known
            fit = cross_fit(make, vectors.take(chosen), group[chosen], FOLDS, name=detector.label)
            percentiles[chosen, column] = percentile(rank(fit.scores), int(chosen.sum()))
            gave_up += sum(bool(one.report().get("fallback")) for one in fit.detectors)
    return percentiles, gave_up


def supervised(objects: pd.DataFrame, values: Array) -> Array:
    """(objects, 1): percentiles by a logistic regression that was shown labels, half by half.

    An object is scored by a fit that has seen neither it nor its repeats; the penalty is chosen
    inside each fold. NaN where `values` has it.
    """
    known = np.isfinite(values).all(axis=1)
    percentiles = np.full((len(objects), 1), np.nan)
    for number in (0, 1):
        chosen = (objects["half"] == number).to_numpy() & known
        # The penalty is chosen for its likelihood, whose minimum is far from the ends of the list.
        regression = LogisticRegressionCV(
            Cs=PENALTIES,
            cv=FOLDS,
            scoring="neg_log_loss",
            max_iter=1000,
            l1_ratios=(0.0,),
            use_legacy_attributes=False,
        )
        scores = cross_val_predict(
            make_pipeline(StandardScaler(), regression),
            values[chosen].astype(np.float64),
            objects["merger"].to_numpy()[chosen],
            groups=group_codes(objects["group"].to_numpy()[chosen])[0],
            cv=GroupKFold(FOLDS),
            method="decision_function",
        )
        percentiles[chosen, 0] = percentile(rank(scores), len(scores))
    return percentiles


def matched_weights(merger: Array, features: Array) -> Array:
    """How often each object counts so that both kinds are alike in features.

    Each labelled object takes the ten others nearest to it, in units of the standard deviation of
    the labelled; one whose tenth is farther than 0.25 has no like and counts nothing. An other
    counts as often as it was taken. Both kinds are scaled to count as many as they are, so that a
    list of so many looks goes as deep as without matching.

    Args:
        merger: (n,), bool.
        features: (n, k); an object with NaN counts nothing.

    Returns:
        (n,), float64; the sum over each kind is its number.
    """
    known = np.isfinite(features).all(axis=1)
    ours, others = np.flatnonzero(known & merger), np.flatnonzero(known & ~merger)
    scaled = features / features[ours].std(axis=0)
    distance, near = cKDTree(scaled[others]).query(scaled[ours], NEIGHBOURS)
    alike = distance[:, -1] <= CALIPER
    weights = np.zeros(len(merger))
    weights[ours[alike]] = merger.sum() / alike.sum()
    share = (~merger).sum() / alike.sum() / NEIGHBOURS
    np.add.at(weights, others[near[alike].ravel()], share)
    return weights


def replicates(
    measure: Callable[..., Any], objects: pd.DataFrame, percentiles: Array, weights: Array
) -> Array:
    """The mean of a measure over samples: of the objects, then of 1,000 resamples of them.

    Sources are drawn whole, labelled and others apart; equal objects give equal resamples, so
    that replicates of two rankings can be subtracted.

    Args:
        measure: one of `fmb_analyses.metrics`.
        objects: `merger` and `group`.
        percentiles: (objects, samples), NaN outside a sample.
        weights: (objects,), how often each counts.
    """
    merger = objects["merger"].to_numpy()
    codes = group_codes(objects["group"].to_numpy())[0]
    once = np.ones((1, len(objects)))
    pieces = chain([once], resamples(codes, merger, RESAMPLES, seed=0))
    return np.concatenate([over_samples(measure, merger, percentiles, weights * w) for w in pieces])


def over_samples(
    measure: Callable[..., Any], merger: Array, percentiles: Array, weights: Array
) -> Array:
    """(k,): the mean over samples of a measure under each of k weightings (k, objects)."""
    total = np.zeros(len(weights))
    for column in percentiles.T:
        inside = np.isfinite(column)
        total += measure(merger[inside], column[inside], weights[:, inside])
    return total / percentiles.shape[1]


def share_of_looks(chosen: Array, percentiles: Array) -> float:
    """The share of chosen objects (n,) in the top 100 of each sample (n, samples), mean of them."""
    order = np.argsort(np.nan_to_num(-percentiles, nan=1), axis=0, kind="stable")
    return float(chosen[order[:LOOKS]].mean())


def with_interval(values: Array) -> Interval:
    """Replicates as a value with its 95 % interval."""
    low, high = np.quantile(values[1:], [0.025, 0.975])
    return Interval(float(values[0]), float(low), float(high))


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A table in Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)
