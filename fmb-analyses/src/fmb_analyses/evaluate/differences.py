"""How much more one list finds than another, on the same objects and the same resamples."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from fmb import Array, DataError, ListName, Run, UnknownNameError, did_you_mean
from fmb_analyses.bootstrap import paired_difference
from fmb_analyses.evaluate.known import KnownKind, resamples_of, tells_no_interval
from fmb_analyses.evaluate.planted import PlantedKind, within
from fmb_analyses.evaluate.question import Conditions, Question
from fmb_analyses.evaluate.truth import Kind, Truth
from fmb_analyses.metrics import auroc
from fmb_analyses.results import Measured, Result

__all__ = ["PAIRED_METRICS", "difference", "difference_of", "less_results", "pairs_less"]

PAIRED_METRICS = ("auroc", "recall_top_percent")
"""Of planted kinds; of known ones the first."""


def pairs_less(run: Run, lists: Sequence[ListName], label: str) -> list[tuple[ListName, ListName]]:
    """Each list with that of a detector on the same vectors or lists.

    Raises:
        UnknownNameError: no list is of a detector of that label.
        DataError: none of the lists has such a partner.
    """
    labels = list(dict.fromkeys(name.detector for name in run.lists))
    if label not in labels:
        hint = did_you_mean(label, labels)
        raise UnknownNameError(f"--less {label}: run {run.name!r} has no such detector{hint}")
    partner = {name.of: name for name in run.lists if name.detector == label}
    pairs = [(n, partner[n.of]) for n in lists if n.detector != label and n.of in partner]
    if not pairs:
        raise DataError(f"--less {label}: no other list of run {run.name!r} has what it judges")
    return pairs


def less_results(
    run: Run,
    truth: Truth,
    conditions: Conditions,
    pairs: Sequence[tuple[ListName, ListName]],
) -> list[Result]:
    """How much more the first list of each pair finds of each kind."""
    ours, theirs = (Question(run, truth, conditions) for _ in range(2))
    return [
        result
        for name, less in pairs
        for kind in truth.kinds
        for result in difference((ours, name), (theirs, less), kind)
    ]


def difference(
    ours: tuple[Question, ListName], theirs: tuple[Question, ListName], kind: Kind
) -> list[Result]:
    """How much more of each paired measure a list has than another; kept like other results.

    Args:
        ours: a list, and the question to its run.
        theirs: the list that is subtracted, of a run on the same objects.
        kind: what is looked for.

    Returns:
        Results whose metric is called "auroc_less", and whose conditions say of what list; none
        where the lists have no object of the kind in common.
    """
    question, name = ours
    other = theirs[0].about(theirs[1], kind, "")
    less = {key: other[key] for key in ("floor", "model", "detector", "view", "given", "list")}
    metrics = PAIRED_METRICS if question.planted else PAIRED_METRICS[:1]
    abouts = [question.about(name, kind, f"{metric}_less") for metric in metrics]
    for about in abouts:
        about["conditions"] = {**about["conditions"], "less": less}

    def measure(missing: Sequence[int]) -> Mapping[int, Measured]:
        a, b = question.judged(name, kind), theirs[0].judged(theirs[1], kind)
        if a is None or b is None:
            return {}
        found = {at: difference_of(metrics[at], a, b) for at in missing}
        return {at: one for at, one in found.items() if one is not None}

    return question.kept(abouts, measure)


def difference_of(metric: str, ours: Any, theirs: Any) -> Measured | None:
    """A measure of one list less that of another, of what both have; None where that is nothing.

    Args:
        metric: one of `PAIRED_METRICS`.
        ours: `PlantedKind` or `KnownKind` of a list.
        theirs: the same of the other.
    """
    in_ours, in_theirs = np.isin(ours.row, theirs.row), np.isin(theirs.row, ours.row)
    if isinstance(ours, PlantedKind):
        return _planted(metric, ours.where(in_ours), theirs.where(in_theirs))
    return _known(ours, theirs, in_ours, in_theirs)


def _planted(metric: str, ours: PlantedKind | None, theirs: PlantedKind | None) -> Measured | None:
    if ours is None or theirs is None:
        return None
    value, draws, _ = ours.replicates(metric)
    less, drawn, _ = theirs.replicates(metric)
    return within(value - less, draws - drawn, 0.0, min(ours.n, theirs.n), len(ours.row))


def _known(ours: KnownKind, theirs: KnownKind, a: Array, b: Array) -> Measured | None:
    labels, n = ours.labels[a], int(a.sum())
    if not 0 < labels.sum() < n:
        return None
    scores, less = ours.scores[a], theirs.scores[b]
    found = paired_difference(auroc, labels, scores, less, n=resamples_of(n))
    if tells_no_interval(labels):
        return Measured(found.value, None, None, 0.0, n, int(labels.sum()))
    return Measured(found.value, found.low, found.high, 0.0, n, int(labels.sum()))
