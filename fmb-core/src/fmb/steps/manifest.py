"""What is written down of a run when all of it is done."""

from collections.abc import Mapping, Sequence
from typing import Any

from fmb.datasets.vector_file import OwnSurvey
from fmb.plan.records import Plan
from fmb.plan.request import request_toml
from fmb.plugins.environment import environment
from fmb.scoring.calibration import NO_REFERENCE, reference_lines
from fmb.steps.embed import Embedded, model_key
from fmb.store.keys import content_key

__all__ = []


def _manifest(
    plan: Plan,
    embedded: Embedded | OwnSurvey,
    records: Sequence[Mapping[str, Any]],
    figures: Sequence[str],
    seconds: Mapping[str, float],
) -> dict[str, Any]:
    own = isinstance(embedded, OwnSurvey)
    return {
        "request": request_toml(plan.request),
        "environment": environment(),
        "dataset": dict(embedded.identity) if own else dict(plan.dataset.identity),  # type: ignore[union-attr]
        "notes": list(plan.notes),
        "models": {} if own else {m.label: _model_record(m) for m in plan.models},
        "embeddings": [] if own else _embedding_records(plan, embedded),  # type: ignore[arg-type]
        "quality": [] if own else _quality(embedded),  # type: ignore[arg-type]
        "scores": list(records),
        "calibration": _calibration(records),
        "figures": list(figures),
        "seconds": dict(seconds),
    }


def _calibration(records: Sequence[Mapping[str, Any]]) -> list[str]:
    """What to know of p and q values, once a size of reference."""
    lines: dict[str, None] = {}
    for record in records:
        m = record["reference_objects"]
        found = reference_lines(record["ranked"], m) if m else (NO_REFERENCE,)
        lines.update(dict.fromkeys(found))
    return list(lines)


def _model_record(model: Any) -> dict[str, Any]:
    return {
        "component": model.component.qualified,
        "version": model.component.version,
        "config": model.config.model_dump(mode="json"),
        "weights": model.weights.identity,
        "weights_state": model.weights_state,
        "sources": dict(model.sources.slots),
        "out_of_domain": list(model.sources.out_of_domain),
    }


def _embedding_records(plan: Plan, embedded: Embedded) -> list[dict[str, Any]]:
    models = {model.label: model for model in plan.models}
    return [
        {
            "model": label,
            "embedder": item.embedder,
            "view": item.view,
            "folder": item.store.folder.name,
            "shards": item.shards,
            "valid": item.valid,
            "unusable": dict(item.unusable),
            "model_key": model_key(models[label], item.embedder, item.view),
        }
        for label, items in embedded.items()
        for item in items
    ]


def _quality(embedded: Embedded) -> list[Mapping[str, Any]]:
    """Findings about the data, each once."""
    unique = {
        content_key(dict(finding)): finding
        for items in embedded.values()
        for item in items
        for finding in item.findings
    }
    return list(unique.values())
