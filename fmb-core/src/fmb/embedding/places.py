"""Where the vectors of a plan are, and what they depend on."""

from pathlib import Path
from typing import Any

from fmb.contract.arrays import Array
from fmb.contract.names import VectorName
from fmb.measured.kept import KeptMeasures
from fmb.measured.roles import REVISION, measured_on_kind
from fmb.plan.records import ModelPlan, Plan
from fmb.store.keys import array_key, content_key
from fmb.store.ledger import Ledger
from fmb.store.vector_store import VectorStore, Versions

__all__ = [
    "comparable",
    "kept_measures",
    "ledger",
    "ledgers",
    "request_digest",
    "survey_folder",
    "vector_stores",
]


def survey_folder(plan: Plan) -> Path:
    """The folder with all vectors of the plan's survey."""
    return plan.workspace / "embeddings" / plan.survey


def vector_stores(plan: Plan, model: ModelPlan) -> dict[VectorName, VectorStore]:
    """The stores that hold, or will hold, a model's vectors."""
    return {name: _store(plan, model, name) for name in model.vector_names}


def _store(plan: Plan, model: ModelPlan, name: VectorName) -> VectorStore:
    slots = {slot: model.bindings.slots[slot] for slot in model.spec.views[name.view]}
    key = {**_recipe(model, name), "inputs": slots, "precision": plan.request.run.precision}
    short = content_key(key)[:8]
    folder = survey_folder(plan)
    # Weights may be called otherwise today: the same numbers give the same vectors.
    named = f"{model.spec.name}-{model.weights.name}-{name.embedder}-{name.view}-{short}"
    there = sorted(folder.glob(f"*-{short}"))
    place = there[0] if there else folder / named
    return VectorStore(place, key, _versions(model, name))


def _recipe(model: ModelPlan, name: VectorName) -> dict[str, Any]:
    """What makes vectors besides the survey; no version: a revision says that numbers change."""
    embedder = model.embedders[name.embedder]
    return {
        "model": [*model.component.revised, model.config.model_dump(mode="json")],
        "weights": dict(model.weights.sha256),
        "embedder": [*embedder.component.revised, embedder.config.model_dump(mode="json")],
        "view": name.view,
    }


def _versions(model: ModelPlan, name: VectorName) -> Versions:
    """Of the distributions whose code makes the vectors."""
    parts = (model.component, model.embedders[name.embedder].component)
    return {part.distribution: part.version for part in parts}


def comparable(model: ModelPlan, name: VectorName) -> str:
    """Digest of what vectors of another survey must share to be compared with these."""
    return content_key(_recipe(model, name))


def ledgers(plan: Plan, model: ModelPlan) -> dict[str, Ledger]:
    """Slot -> the ledger of the instrument that feeds it."""
    return {slot: ledger(plan, name) for slot, name in model.sources.items()}


def ledger(plan: Plan, instrument: str) -> Ledger:
    """The ledger of an instrument."""
    info = plan.dataset.inputs[instrument]
    told = {
        name: value
        for name, value in vars(info).items()
        if name not in ("present", "origin")  # of objects, not of the instrument
    }
    key = {"instrument": instrument, **told}
    return Ledger(_inputs_folder(plan) / f"{instrument}-{content_key(key)[:8]}", key)


def kept_measures(plan: Plan, instrument: str) -> KeptMeasures:
    """Where an instrument's measures are; how it is mapped stands in the inputs' digests."""
    roles = measured_on_kind(plan.dataset.inputs[instrument].kind)
    key = {"instrument": instrument, "measuring": REVISION, "roles": list(roles)}
    folder = _inputs_folder(plan) / f"{instrument}-measured-{content_key(key)[:8]}"
    return KeptMeasures(folder, key, roles)


def _inputs_folder(plan: Plan) -> Path:
    return plan.workspace / "inputs" / plan.survey


def request_digest(stores: dict[VectorName, VectorStore], ids: Array, batch_size: int) -> str:
    """12 hexadecimal digits that tell who asks for the same objects, views and batches."""
    asked = {name.stem: store.digest for name, store in stores.items()}
    return content_key([sorted(asked.values()), array_key(ids), batch_size])[:12]
