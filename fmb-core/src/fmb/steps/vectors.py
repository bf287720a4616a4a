"""All vectors of a plan, whoever made them: mapped views, and what the manifest says of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fmb.contract.names import VectorName
from fmb.contract.vector_view import VectorView
from fmb.datasets.vector_file import OwnVectors
from fmb.plan.records import Plan
from fmb.runs.stored_vectors import shard_view
from fmb.steps.embed import embed_model
from fmb.store.keys import content_key

__all__ = ["Embedded", "embed_all"]


@dataclass(frozen=True)
class Embedded:
    """What the embed step came to."""

    views: Mapping[VectorName, VectorView]
    entries: Sequence[Mapping[str, Any]]
    """One record for the manifest each, in the same order."""
    findings: Sequence[Mapping[str, Any]]
    """What is wrong with which object, each once."""


def embed_all(plan: Plan) -> Embedded:
    """The vectors that the dataset brings, and those of each model, computed where missing.

    Raises:
        FmbError: a model, the data or the disk fails; finished shards stay.
    """
    views: dict[VectorName, VectorView] = dict(plan.dataset.vectors)
    entries = [_own_entry(view, plan.request.embeddings) for view in views.values()]
    findings: dict[str, Mapping[str, Any]] = {}
    for model in plan.models:
        for done in embed_model(plan, model):
            entry = {
                "name": done.name.as_dict(),
                "folder": done.store.folder.name,
                "shards": done.shards,
                "comparable": done.comparable,
            }
            views[done.name] = shard_view(done.name, done.store, entry, len(plan.dataset))
            entries.append({**entry, "valid": done.valid, "unusable": dict(done.unusable)})
            findings.update((content_key(dict(one)), one) for one in done.findings)
    return Embedded(views, entries, list(findings.values()))


def _own_entry(view: VectorView, own: OwnVectors | None) -> dict[str, Any]:
    """What a manifest says of vectors that came with the objects.

    Args:
        view: the vectors.
        own: the user's own file they stay in; None = a dataset, which alone can open them again.
    """
    entry = {"name": view.name.as_dict(), "comparable": ""}
    if own is None:
        return entry
    digests = {name: value for name, value in view.identity.items() if name.endswith("sha256")}
    ids = str(Path(own.ids).resolve()) if "ids_sha256" in digests else own.ids
    return {**entry, "file": str(Path(own.file).expanduser().resolve()), "ids": ids, **digests}
