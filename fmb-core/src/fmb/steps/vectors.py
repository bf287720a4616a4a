"""All vectors of a plan, whoever made them: mapped views, and what the manifest says of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fmb.contract.arrays import Array
from fmb.contract.names import VectorName
from fmb.contract.vector_view import VectorView
from fmb.datasets.quality import Finding
from fmb.embedding.embed import EmbeddedView, embed_model
from fmb.embedding.measures import measured_roles
from fmb.messages.errors import DataError
from fmb.plan.records import Plan
from fmb.runs.folder import RunFolder
from fmb.runs.stored_vectors import write_inputs
from fmb.vectors.asked import OwnVectors

__all__ = ["Embedded", "embed_all"]


@dataclass(frozen=True)
class Embedded:
    """What the embed step came to."""

    views: Mapping[VectorName, VectorView]
    entries: Sequence[Mapping[str, Any]]
    """One record for the manifest each, in the same order."""
    inputs: Mapping[VectorName, Array]
    """(n, 16), uint8, of those that a model made: digests of what it read of each object."""
    findings: Sequence[Mapping[str, Any]]
    """What is wrong with which object, each once."""
    measured: Mapping[str, Array] = field(default_factory=dict)
    """Role and instrument, as "light@euclid" -> (n,), float64, NaN where it is not known."""

    def refuse_none(self, n: int) -> None:
        """Refuse a view of which no object has a vector, before lists are made of it.

        Raises:
            DataError: counts its `n` objects by reason.
        """
        for entry in self.entries:
            if entry.get("valid") == 0:
                model, view = entry["name"]["model"], entry["name"]["view"]
                why = ", ".join(f"{text}: {count:,}" for text, count in entry["unusable"].items())
                raise DataError(
                    f"0 of {n:,} objects can be used for view {view!r} of model {model!r}: {why};"
                    " choose other objects, or other views with --view"
                )

    def keep(self, folder: RunFolder) -> None:
        """Write into a run's folder by what its vectors are found."""
        for name, digests in self.inputs.items():
            write_inputs(folder.vectors(name), digests)


def embed_all(plan: Plan) -> Embedded:
    """The vectors that the dataset brings, and those of each model, computed where missing.

    Raises:
        FmbError: a model, the data or the disk fails; what was encoded stays.
    """
    views: dict[VectorName, VectorView] = dict(plan.dataset.vectors)
    entries = [_own_entry(view, plan.request.embeddings) for view in views.values()]
    inputs: dict[VectorName, Array] = {}
    findings: dict[Finding, None] = {}
    read: dict[str, Array] = {}
    for model in plan.models:
        for done in embed_model(plan, model):
            views[done.name], inputs[done.name] = done.vectors, done.inputs
            entries.append(_entry(done, views[done.name]))
            findings.update(dict.fromkeys(done.findings))
            read.update(done.read)
    measured = {
        f"{role}@{instrument}": values
        for instrument in plan.measured
        for role, values in measured_roles(plan, instrument, read.get(instrument)).items()
    }
    return Embedded(views, entries, inputs, [one.as_dict() for one in findings], measured)


def _entry(done: EmbeddedView, vectors: VectorView) -> dict[str, Any]:
    """What a manifest says of vectors that a model made."""
    store = done.store
    return {
        "name": done.name.as_dict(),
        "folder": f"{store.folder.parent.name}/{store.folder.name}",
        "versions": store.versions,
        "comparable": done.comparable,
        "valid": len(vectors),
        "computed": done.computed,
        "unusable": dict(done.unusable),
    }


def _own_entry(view: VectorView, own: OwnVectors | None) -> dict[str, Any]:
    """What a manifest says of vectors that came with the objects.

    Args:
        view: the vectors.
        own: the user's own files they stay in; None = a dataset, which alone can open them again.
    """
    entry = {"name": view.name.as_dict(), "comparable": ""}
    if own is None:
        return entry
    digests = {name: value for name, value in view.identity.items() if name.endswith("sha256")}
    files = [text if "://" in text else str(Path(text).expanduser().resolve()) for text in own.file]
    ids = str(Path(own.ids).resolve()) if own.ids and "ids_sha256" in digests else own.ids
    said = OwnVectors(file=tuple(files), ids=ids, vector_columns=own.vector_columns)
    return {**entry, "own": said.model_dump(mode="json", exclude_none=True), **digests}
