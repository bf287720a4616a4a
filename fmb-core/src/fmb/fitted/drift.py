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
from fmb.terminal.values import counted

__all__ = ["FALSE_ALARMS", "drift_report"]

FALSE_ALARMS = 0.01
"""Chance of any drift beyond chance in a report on objects like those fitted, at most."""


def drift_report(
    base: Run, survey: Survey, records: Sequence[Mapping[str, Any]], known: Array
) -> dict[str, Any]:
    """What the manifest says of drift.

    Two comparisons a list, of all scores and of the highest ones, and one a role; a comparison is
    beyond chance where its p-value times their number is no more than 1 % (Bonferroni), whatever
    depends on what.

    Args:
        base: the run whose fits score.
        survey: the objects that it scores.
        records: one a list, as `make_new_lists` gives them.
        known: (n,) bool: those that `base` has too, which are not new.

    Returns:
        "run", "lists" and "roles" (one record each), "known" (how many
        objects `base` has too), "comparisons", "beyond" (how many lists and roles are beyond
        chance) and "lines", what people read of it: those beyond chance, the worst first.
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
    roles = list(_roles(base, survey, list(given), known))
    comparisons = 2 * len(lists) + len(roles)
    lines = []
    for one in lists:
        p = min(one["scores"]["p_value"], one["top"]["p_value"])
        lines.append((p, -one["scores"]["distance"], _list_line(one, base.name), _list_brief(one)))
    for one in roles:
        lines.append(
            (one["p_value"], -one["distance"], _role_line(one, base.name), _role_brief(one))
        )
    lines.sort()
    beyond = sum(p * comparisons <= FALSE_ALARMS for p, *_ in lines)
    told = [line if k < beyond else brief for k, (*_, line, brief) in enumerate(lines)]
    return {
        "run": base.name,
        "lists": lists,
        "roles": roles,
        "known": int(known.sum()),
        "comparisons": comparisons,
        "beyond": beyond,
        "lines": [f"drift: {line}" for line in _lines(told, beyond, int(known.sum()), base.name)],
    }


def _lines(told: Sequence[str], beyond: int, known: int, run: str) -> Iterator[str]:
    """What people read: all that is beyond chance, and of the rest the worst."""
    if told:
        of = f"{beyond} of {len(told)} lists and roles"
        yield f"{of} beyond chance (false alarms in 1 % of reports at most)"
        yield from told[:beyond]
        if beyond < len(told):
            yield f"within chance: {len(told) - beyond}, the first of them {told[beyond]}"
    if known:
        yield f"{counted(known)} of run {run} too, not counted as new"


def _roles(
    base: Run, survey: Survey, roles: Sequence[str], known: Array
) -> Iterator[dict[str, Any]]:
    """Each role, as far as both know it."""
    old = _known(role_matrix(base.objects, roles), changed_copies(base.objects))
    new = _known(role_matrix(survey.objects, roles), survey.copies | known)
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


def _list_brief(one: Mapping[str, Any]) -> str:
    return f"list {one['list']}: {_shift(one['scores'])}"


def _role_line(one: Mapping[str, Any], run: str) -> str:
    return (
        f"role {one['role']}: {100 * one['outside']:.1f} % of {one['new']:,} new objects lie"
        f" outside the range of run {run}; {_shift(one)}"
    )


def _role_brief(one: Mapping[str, Any]) -> str:
    return f"role {one['role']}: {_shift(one)}"


def _shift(one: Mapping[str, Any]) -> str:
    moved = one["median_shift"]
    median = "" if moved is None else f"median {moved:+.2f} spreads, "
    return f"{median}KS {one['distance']:.3f} (p {one['p_value']:.2g})"
