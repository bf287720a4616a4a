"""What is written down of a run when all of it is done."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from fmb.contract.dataset import Dataset
from fmb.contract.inputs import InputInfo
from fmb.lists.judged import Survey
from fmb.matching.bindings import feeds
from fmb.messages.notes import Note
from fmb.plan.records import ModelPlan, Plan
from fmb.plugins.environment import environment
from fmb.request.record import FORMAT
from fmb.runs.run import Run
from fmb.scoring.calibration import NO_REFERENCE, reference_lines
from fmb.scoring.folds import group_codes
from fmb.steps.vectors import Embedded

__all__ = ["manifest_of"]


def manifest_of(
    plan: Plan,
    embedded: Embedded,
    survey: Survey,
    records: Sequence[Mapping[str, Any]],
    base: Run | None = None,
    drift: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Provenance and results in brief; tables, figures and timings are filled in as they come.

    Args:
        plan: what was done.
        embedded: the vectors.
        survey: the objects.
        records: one a list, from the detect step.
        base: the run whose fits scored the objects; None = its own.
        drift: how unlike they are to its own.
    """
    of_fits = [note for record in records for note in _fit_notes(record)]
    notes = [*plan.notes, *_held_out(survey), *of_fits, *_small_notes(records)]
    if drift is not None:
        notes.extend(Note("drift", line) for line in drift["lines"])
    return {
        "format": FORMAT,
        "request": plan.recorded,
        "environment": environment(),
        "dataset": dict(plan.dataset.identity),
        "objects": {"rows": len(survey.groups), "sources": len(group_codes(survey.groups)[1])},
        "notes": [asdict(note) for note in notes],
        "models": {model.label: _model_record(model, plan.dataset) for model in plan.models},
        "vectors": list(embedded.entries),
        "quality": list(embedded.findings),
        "lists": list(records),
        "drift": drift,
        "calibration": _calibration(records, base),
        "tables": [],
        "figures": [],
        "not_drawn": [],
        "seconds": {},
    }


def _held_out(survey: Survey) -> list[Note]:
    """That there are changed copies, where there are any."""
    n = int(survey.copies.sum())
    text = f"{n:,} changed copies: no fit has seen them and no list ranks them"
    return [Note("copies", text)] if n else []


def _fit_notes(record: Mapping[str, Any]) -> list[Note]:
    """What the fits of a list report, with how many of them do, and how far apart they lie."""
    name = record["title"]
    notes = [Note("detector", text, name) for text in record.get("notes", ())]
    told = [str(report["note"]) for report in record["reports"] if report.get("note")]
    for text in dict.fromkeys(told):
        of_fits = f"{told.count(text)} of {record['folds']} fits: {text}"
        notes.append(Note("detector", f"{name}: {of_fits}", name))
    if fewer := _known_to_fewer(record):
        notes.append(Note("given", f"{name}: {fewer}", name))
    if record["shift"] and record["shift"]["notable"]:
        notes.append(Note("fold-shift", f"{name}: {record['shift']['text']}", name))
    if why := record["alike"]["why_not"]:
        notes.append(Note("alike", f"no percentile among alike: {why}", name))
    return notes


def _known_to_fewer(record: Mapping[str, Any]) -> str:
    """How many objects a list is given fewer roles for, "" for none."""
    whole = ", ".join(record["name"]["given"])
    fewer = {roles or "none": n for roles, n in record.get("given", {}).items() if roles != whole}
    told = ", ".join(f"{n:,} {roles}" for roles, n in fewer.items())
    if not told:
        return ""
    return f"some objects are given fewer roles, and ranked by their place among these: {told}"


def _small_notes(records: Sequence[Mapping[str, Any]]) -> list[Note]:
    """How few objects were fitted, with the number of lists where it was done so."""
    told = [str(record["note"]) for record in records if record.get("note")]
    return [
        Note("small-survey", f"{told.count(text)} of {len(records)} lists have {text}")
        for text in dict.fromkeys(told)
    ]


def _calibration(records: Sequence[Mapping[str, Any]], base: Run | None) -> list[str]:
    """What to know of p and q values, once a size of reference."""
    lines: dict[str, None] = {}
    none = NO_REFERENCE
    if base is not None:
        none = f"p_value and q_value are empty: run {base.name!r} gives no reference scores"
    for record in records:
        m = record["reference_objects"]
        told = reference_lines(record["ranked"], m) if m else (none,)
        lines.update(dict.fromkeys(told))
    return list(lines)


def _model_record(model: ModelPlan, dataset: Dataset) -> dict[str, Any]:
    slots = model.bindings.slots
    return {
        "component": model.component.qualified,
        "version": model.component.version,
        "config": model.config.model_dump(mode="json"),
        "weights": model.weights.identity,
        "weights_state": model.weights_state,
        "sources": dict(slots),
        "reads": {
            view: {slots[s]: _bands(model, s, dataset.inputs[slots[s]]) for s in needs}
            for view in model.views
            for needs in (model.spec.views[view],)
        },
        "out_of_domain": list(model.bindings.out_of_domain),
    }


def _bands(model: ModelPlan, slot: str, given: InputInfo) -> list[str]:
    """The bands of an input that the weights take, in the order of the survey."""
    name = model.bindings.slots[slot]
    accepts = [a for a in model.weights.card.accepts if a.slot == slot and feeds(a, name, given)]
    every = any(not one.bands for one in accepts)
    return [band for band in given.bands if every or any(band in one.bands for one in accepts)]
