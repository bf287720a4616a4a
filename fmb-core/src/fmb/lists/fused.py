"""Lists made of lists by a rule: each object ranked with those that are in the same lists."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from fmb.contract.arrays import Array
from fmb.contract.names import ListName
from fmb.contract.vectors import Members
from fmb.crossfit.checked import Checked
from fmb.lists.fused_reference import Ordinary, p_of_rule
from fmb.lists.judged import Survey
from fmb.messages.errors import DataError
from fmb.plan.records import ListPlan
from fmb.scoring.calibration import q_values
from fmb.scoring.ranking import check_scores, rank_survey
from fmb.scoring.strata import on_one_scale

__all__ = ["OF_FUSED", "Fused", "fuse", "percentile_column"]

OF_FUSED = {
    "n_views": "views that its lists go back to",
    "uplift": "its percentile less the highest in a single view",
}
"""Columns told of every fused list -> what they are."""

_BEST = "best single percentile"


@dataclass(frozen=True, eq=False)
class Fused:
    """A fused list, of the objects that are in it."""

    rows: Array
    """(n,) positions among the objects of the survey, rising."""
    scores: Array
    """(n,), float64, finite: in the units of the most objects that are in the same lists."""
    details: Mapping[str, Array]
    """Column -> (n,), float64, NaN where it says nothing of an object."""
    p_values: Array
    """(n,), float64, and `q_values`; NaN where there is none."""
    q_values: Array
    reference_objects: int
    """That the p-values were taken against; 0 = there are none."""
    notes: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class _Standing:
    """Objects that are in the same lists, and where they stand among each other."""

    rows: Array
    members: Members


def fuse(one: ListPlan, survey: Survey, rule: Checked, ordinary: Ordinary | None) -> Fused:
    """The list of a rule that fuses others.

    Args:
        one: the list.
        survey: the objects, with the lists made before.
        rule: what fuses them.
        ordinary: what each member's fits say of the reference; None = there is none.

    Raises:
        DataError: no object is in enough lists, or none reaches the thresholds.
        PluginError: the rule breaks its contract.
        ScoreError: its scores are not finite or constant.
    """
    spec = one.detector.spec
    if hasattr(rule.detector, "require_lists"):
        rule.detector.require_lists([part for part in one.name.of if isinstance(part, ListName)])
    tables = {name: survey.scores(name) for name in one.name.of if isinstance(name, ListName)}
    standings = list(_standings(one, survey, tables))
    if not standings:
        raise DataError(f"{one.name}: no object is in all lists that it fuses")
    rows = np.concatenate([standing.rows for standing in standings])
    order = np.argsort(rows)
    rows = rows[order]
    judged = [rule.judge(standing.members, tuple(spec.details)) for standing in standings]
    stratum = np.repeat(np.arange(len(standings)), [len(s.rows) for s in standings])
    groups, copies = survey.groups[rows], survey.copies[rows]
    unordered = np.concatenate([scores for scores, _ in judged])
    scores = on_one_scale(unordered[order], stratum[order], copies)
    check_scores(scores, survey.ids[rows], rule.label)
    details = _together([told for _, told in judged], order)
    details.update(_together([_beside(standing.members) for standing in standings], order))
    fused = rank_survey(rows, scores, groups, copies).percentile
    details["uplift"] = fused - details.pop(_BEST)
    p, m = _p_values(rule, standings, tables, ordinary if spec.by_row else None)
    p = p[order]
    # q of all, also those that reach no threshold: chosen by their ranks, p is small.
    q, known = np.full(len(rows), np.nan), np.flatnonzero(~np.isnan(p) & ~copies)
    q[known] = q_values(p[known], groups[known])
    kept, notes = _reach(one, details, len(rows))
    told = {column: values[kept] for column, values in details.items()}
    notes = [*_apart(standings, len(tables)), *notes]
    return Fused(rows[kept], scores[kept], told, p[kept], q[kept], m, tuple(notes))


def _p_values(
    rule: Checked,
    standings: Sequence[_Standing],
    tables: Mapping[ListName, pd.DataFrame],
    ordinary: Ordinary | None,
) -> tuple[Array, int]:
    """Of the objects of all standings, one after the other; of how many of the reference at most.

    NaN without a reference.
    """
    if ordinary is None:
        return np.full(sum(len(s.rows) for s in standings), np.nan), 0
    found = [
        p_of_rule(rule, list(s.members.percentiles), tables, s.rows, ordinary) for s in standings
    ]
    return np.concatenate([p for p, _ in found]), max(m for _, m in found)


def percentile_column(name: ListName) -> str:
    """What the standing in a member is called among the details of a fusion."""
    return f"percentile.{name.detector}.{name.view}"


def _standings(
    one: ListPlan, survey: Survey, tables: Mapping[ListName, pd.DataFrame]
) -> Iterator[_Standing]:
    """Objects by the lists they are in, those in most of them first."""
    there = {name: table["score"].notna().to_numpy() for name, table in tables.items()}
    which = np.zeros(len(survey.ids), dtype=np.int64)
    for has in there.values():
        which, _ = pd.factorize(2 * which + has)
    first = np.unique(which, return_index=True)[1]
    lists_of = {int(i): [name for name in tables if there[name][i]] for i in first}
    for i, names in sorted(lists_of.items(), key=lambda item: -len(item[1])):
        if len(names) == len(tables) or (one.apart and names):
            rows = np.flatnonzero(which == which[i])
            own = {name: tables[name] for name in names}
            yield _Standing(rows, survey.members(one, own, rows))


def _beside(members: Members) -> dict[str, Array]:
    """What every fusion tells of an object: its standing in each list, and in the best one."""
    told = {percentile_column(name): values for name, values in members.percentiles.items()}
    single = [v for name, v in members.percentiles.items() if len(name.of) == 1]
    best = np.max(single or list(members.percentiles.values()), axis=0)
    views = {view.view for name in members.percentiles for view in name.vectors}
    return {"n_views": np.full(len(members), float(len(views))), _BEST: best, **told}


def _together(parts: list[dict[str, Array]], order: Array) -> dict[str, Array]:
    """Columns of all parts, one after the other, put in order; NaN where a part has none."""
    columns = dict.fromkeys(column for part in parts for column in part)
    sizes = [len(next(iter(part.values()))) if part else 0 for part in parts]
    return {
        column: np.concatenate(
            [
                part.get(column, np.full(size, np.nan))
                for part, size in zip(parts, sizes, strict=True)
            ]
        )[order]
        for column in columns
    }


def _reach(one: ListPlan, details: Mapping[str, Array], n: int) -> tuple[Array, list[str]]:
    """Positions of the objects that reach the thresholds, and how many do.

    Raises:
        DataError: none does.
    """
    if not one.thresholds:
        return np.arange(n), []
    passed = {
        name: details[percentile_column(name)] >= least for name, least in one.thresholds.items()
    }
    kept = np.flatnonzero(np.logical_and.reduce(list(passed.values())))
    each = ", ".join(
        f"{one.thresholds[name]:g} in {_called(name)} (reached by {np.count_nonzero(reached):,})"
        for name, reached in passed.items()
    )
    if not len(kept):
        raise DataError(
            f"{one.name}: none of {n:,} objects has the percentiles asked for, {each}; lower"
            " thresholds"
        )
    return kept, [
        f"{one.name}: {len(kept):,} of {n:,} objects are in the list, which asks for the"
        f" percentile {each}"
    ]


def _apart(standings: list[_Standing], n_lists: int) -> Iterator[str]:
    if len(standings) > 1 or len(standings[0].members.percentiles) < n_lists:
        told = [
            f"{len(s.rows):,} in {', '.join(_called(name) for name in s.members.percentiles)}"
            for s in standings
        ]
        yield f"fusions rank objects that are in different lists apart: {'; '.join(told)}"


def _called(name: ListName) -> str:
    return f"{name.detector} {name.view}"
