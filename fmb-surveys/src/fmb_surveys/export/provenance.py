"""Where an exported table comes from, as plain values and as lines for a header."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from fmb import ListName, Run
from fmb.store import content_key
from fmb_surveys.export.table import short_names

__all__ = ["provenance", "provenance_lines"]


def provenance(run: Run, names: Sequence[ListName]) -> dict[str, Any]:
    """What a reader of the numbers must know of the run and the lists."""
    manifest = run.manifest
    return {
        "run": run.name,
        "fmb": manifest["environment"]["plugins"].get("fmb-core", ""),
        "survey": dict(manifest["dataset"]),
        "survey_digest": content_key(dict(manifest["dataset"])),
        "models": {
            label: {key: model[key] for key in ("component", "version", "weights", "weights_state")}
            for label, model in manifest["models"].items()
        },
        "detectors": {label: one["use"] for label, one in manifest["request"]["detector"].items()},
        "lists": [_list(run, name, short) for name, short in short_names(names).items()],
        "shown": "labels: " + run.shown.stem if run.shown else "all objects",
        "calibration": list(manifest["calibration"]),
        "notes": [note.text for note in run.notes],
    }


def _list(run: Run, name: ListName, short: str) -> dict[str, Any]:
    record = run.record(name)
    known, folds = record["reference_objects"], record["folds"]
    return {
        "list": name.stem,
        "short": short,
        "given": list(name.given),
        "ranked": record["ranked"],
        "fit": record["fit"] + (f", {folds} folds" if folds > 1 else ""),
        "reference": f"{record['reference']}, {known} objects" if known else None,
    }


def provenance_lines(told: Mapping[str, Any]) -> Iterator[str]:
    """The same, a line each, without line breaks."""
    yield f"run {told['run']} of FMB {told['fmb']}, {told['shown']}"
    survey = told["survey"]
    yield f"survey {survey.get('name') or survey.get('file', '')}"
    for kind in ("models", "detectors"):
        for label, value in told[kind].items():
            yield f"{kind[:-1]} {label}: {_text(value)}"
    for one in told["lists"]:
        reference = one["reference"] or "none, so that p and q are empty"
        given = f" given {', '.join(one['given'])}" if one["given"] else ""
        yield (
            f"list {one['list']} ({one['short']}){given}: {one['ranked']} ranked, {one['fit']},"
            f" reference: {reference}"
        )
    yield from told["calibration"]
    yield from told["notes"]


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True)
