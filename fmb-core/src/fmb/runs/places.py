"""Where one object stands in a list, and why it does not."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from fmb.contract.names import ListName
from fmb.datasets.copies import changed_copies, host_texts
from fmb.datasets.groups import group_keys
from fmb.datasets.objects import role_matrix
from fmb.messages.errors import StoreError
from fmb.runs.recorded import RecordedRun

__all__ = ["Place", "place_of"]


@dataclass(frozen=True)
class Place:
    """The place of an object in one list; what is not known is None."""

    list: ListName
    ranked: int
    """Sources in the list."""
    rank: float | None
    """1 = strangest; a repeat has that of its source."""
    score: float | None
    percentile_cond: float | None
    """Percentile among those alike in the roles of the catalogue, (0, 1], 1 = strangest."""
    p_value: float | None
    q_value: float | None
    why: str
    """Why it has no rank of its own, "" where it has."""


def place_of(run: RecordedRun, name: ListName, row: int) -> Place:
    """The place of the object at `row` of the run's objects."""
    values = {key: column.iloc[row] for key, column in run.scores(name).items()}
    known = {
        key: None if pd.isna(values[key]) else float(values[key])
        for key in ("rank", "score", "percentile_cond", "p_value", "q_value")
    }
    why = ""
    if known["score"] is None:
        why = _why_absent(run, name, row)
    elif changed_copies(run.objects.iloc[[row]])[0]:
        host = host_texts(run.objects.iloc[[row]]).iloc[0]
        why = f"a changed copy of {host}, which no list ranks; this would be its place"
    elif bool(values["is_repeat"]):
        why = f"a repeat of {_ranked_repeat(run, name, row)}, which is ranked for both"
    return Place(name, run.record(name)["ranked"], why=why, **known)


def _why_absent(run: RecordedRun, name: ListName, row: int) -> str:
    for member in name.of:
        if isinstance(member, ListName):
            if pd.isna(run.scores(member)["score"].iloc[row]):
                return f"not in {member}: {_why_absent(run, member, row)}"
            continue
        if judges := run.record(name).get("judges"):
            if not np.isfinite(role_matrix(run.objects.iloc[[row]], judges)).all():
                return f"not all of its {', '.join(judges)} are known"
            continue
        try:
            view = run.vectors(member)
        except StoreError as error:
            return f"why cannot be told: {error}"
        if row not in view.rows:
            return f"it has no {member.view} vector"
    if run.record(name)["reference_objects"]:
        return f"it is of the reference, {run.record(name)['reference']}"
    return "it is not in the list"


def _ranked_repeat(run: RecordedRun, name: ListName, row: int) -> str:
    """The id of the row of the same source that is ranked."""
    scores, keys = run.scores(name), group_keys(run.objects)
    ranked = scores["score"].notna() & ~scores["is_repeat"].fillna(False).astype(bool)
    same = np.flatnonzero((keys == keys[row]) & ranked.to_numpy(dtype=bool))
    return str(run.objects["object_id"].iloc[int(same[0])])
