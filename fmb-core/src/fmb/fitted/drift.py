"""The drift report: how unlike new objects are to those that fits have seen, the worst first."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from fmb.contract.arrays import Array
from fmb.contract.names import ListName
from fmb.datasets.copies import changed_copies
from fmb.datasets.objects import role_matrix
from fmb.listing.list_words import words_for
from fmb.lists.judged import Survey
from fmb.runs.run import Run
from fmb.scoring.drift import shift_of

__all__ = ["FALSE_ALARMS", "drift_report"]

FALSE_ALARMS = 0.01
"""Chance of any drift beyond chance in a report on objects like those fitted, at most."""


def drift_report(base: Run, survey: Survey, records: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What the manifest says of drift.

    Two comparisons a list, of all scores and of the highest ones, and one a role; a comparison is
    beyond chance where its p-value times their number is no more than 1 % (Bonferroni), whatever
    depends on what.

    Args:
        base: the run whose fits score.
        survey: the new objects.
        records: one a list, as `make_new_lists` gives them.

    Returns:
        "run", "lists" and "roles" (one record each), "comparisons", "beyond" (how many lists and
        roles are beyond chance) and "lines", what people read of it, the worst first.
    """
    names = [ListName.from_dict(record["name"]) for record in records]
    given = dict.fromkeys(
        role
        for name, record in zip(names, records, strict=True)
        for role in (*name.given, *record.get("judges", ()))
    )
    lists = [
        {"list": words_for(name, names), **record["drift"]}
        for name, record in zip(names, records, strict=True)
        if record.get("drift")
    ]
    roles = list(_roles(base, survey, list(given)))
    comparisons = 2 * len(lists) + len(roles)
    lines = []
    for one in lists:
        p = min(one["scores"]["p_value"], one["top"]["p_value"])
        lines.append((p, -one["scores"]["distance"], _list_line(one, base.name)))
    for one in roles:
        lines.append((one["p_value"], -one["distance"], _role_line(one, base.name)))
    lines.sort()
    beyond = sum(p * comparisons <= FALSE_ALARMS for p, _, _ in lines)
    told = [f"drift: {line}" for _, _, line in lines]
    head = f"drift: {beyond} of {len(lines)} lists and roles beyond chance"
    return {
        "run": base.name,
        "lists": lists,
        "roles": roles,
        "comparisons": comparisons,
        "beyond": beyond,
        "lines": [f"{head} (false alarms in 1 % of reports at most)", *told] if lines else [],
    }


def _roles(base: Run, survey: Survey, roles: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Each role, as far as both know it."""
    old = _known(role_matrix(base.objects, roles), changed_copies(base.objects))
    new = _known(role_matrix(survey.objects, roles), survey.copies)
    for role, theirs, mine in zip(roles, old, new, strict=True):
        if len(theirs) and len(mine):
            yield {"role": role, **asdict(shift_of(theirs, mine))}


def _known(values: Array, copies: Array) -> list[Array]:
    return [column[np.isfinite(column) & ~copies] for column in values.T]


def _list_line(one: Mapping[str, Any], run: str) -> str:
    top, scores = one["top"], one["scores"]
    share, low, high = (f"{100 * top[key]:.1f}" for key in ("share", "low", "high"))
    return (
        f"list {one['list']}: {share} % [{low}, {high}] of {scores['new']:,} new objects lie"
        f" beyond the top {100 * top['top']:.2g} % of run {run}; {_shift(scores)}"
    )


def _role_line(one: Mapping[str, Any], run: str) -> str:
    return (
        f"role {one['role']}: {100 * one['outside']:.1f} % of {one['new']:,} new objects lie"
        f" outside the range of run {run}; {_shift(one)}"
    )


def _shift(one: Mapping[str, Any]) -> str:
    moved = one["median_shift"]
    median = "" if moved is None else f"median {moved:+.2f} spreads, "
    return f"{median}KS {one['distance']:.3f} (p {one['p_value']:.2g})"
