"""Lists made of lists of new objects, held against those of the run whose fits score."""

from collections.abc import Callable

import numpy as np

from fmb.contract.arrays import Array
from fmb.contract.names import ListName
from fmb.contract.vectors import Members
from fmb.crossfit.checked import Checked
from fmb.lists.judged import Survey
from fmb.plan.records import ListPlan
from fmb.runs.run import Run

__all__ = ["among_fused"]

ROUNDING = 1e-12
"""Of a score, in units of itself: sums of the same places differ by it, and are the same."""


def among_fused(
    one: ListPlan, survey: Survey, base: Run
) -> Callable[[Checked, Array], dict[str, Array]]:
    """What tells where objects would stand in the fused list of another run.

    Ranks among new objects say nothing of those of the other run. So the rule is applied to their
    places among the latter, list by list, and its scores held against theirs. Only a rule that
    reads an object's own places can do that, for objects in all of the lists, as most of the other
    run are; NaN for the others.

    Args:
        one: the fusion.
        survey: the new objects, with the lists made before.
        base: the run whose fits made these.
    """
    names = [part for part in one.name.of if isinstance(part, ListName)]

    def told(rule: Checked, rows: Array) -> dict[str, Array]:
        unknown = {"percentile_fitted": np.full(len(rows), np.nan)}
        theirs = _scores(one.name, names, base)
        if not one.detector.spec.by_row or not len(theirs):
            return unknown
        tables = [survey.scores(name) for name in names]
        places = [table["percentile_fitted"].to_numpy(float)[rows] for table in tables]
        known = np.flatnonzero(np.isfinite(places).all(axis=0))
        n = len(theirs)
        # The least strange of a list stands at 1 / n, also where a new object is less strange.
        own = {
            name: np.maximum(values[known], 1 / n)
            for name, values in zip(names, places, strict=True)
        }
        if len(known):
            scores = rule.score(Members(survey.ids[rows[known]], own, ranked=n))
            level = scores + ROUNDING * np.abs(scores)
            at = np.searchsorted(theirs, level, side="right") / n
            unknown["percentile_fitted"][known] = at
        return unknown

    return told


def _scores(fusion: ListName, names: list[ListName], base: Run) -> Array:
    """Rising: the scores of sources in all of the lists; none where most sources are in others."""
    table = base.scores(fusion)
    once = table["score"].notna() & ~table["is_repeat"].fillna(True).astype(bool)
    there = np.column_stack([base.scores(name)["score"].notna() for name in names])[once]
    if not len(there):
        return np.empty(0)
    patterns, counts = np.unique(there, axis=0, return_counts=True)
    if not patterns[np.argmax(counts)].all():
        return np.empty(0)
    return np.sort(table["score"].to_numpy(float)[once][there.all(axis=1)])
