"""The embed step: which shards are missing, what fills them, and what came out."""

import logging
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from fmb.contract.arrays import Array
from fmb.contract.engine import EngineSpec, Resources
from fmb.contract.errors import FailedError, did_you_mean
from fmb.contract.names import VectorName
from fmb.plan.choice import Chosen
from fmb.plan.records import ModelPlan, Plan
from fmb.plan.request import Request
from fmb.plan.session import Session
from fmb.plugins.settings import build
from fmb.store.keys import content_key, derive_seed
from fmb.store.shards import ShardStore

__all__ = [
    "EmbeddedView",
    "embed_model",
    "missing_shards",
    "model_job",
    "run_shards",
    "shard_rows",
    "stores",
]

logger = logging.getLogger(__name__)

Stores = Mapping[VectorName, ShardStore]


@dataclass(frozen=True)
class EmbeddedView:
    """Where one view's vectors are and what was left out."""

    name: VectorName
    store: ShardStore
    comparable: str
    """Digest of what vectors of another survey must share to be compared with these."""
    shards: int
    computed: int
    """Shards that were missing and have been computed now."""
    valid: int
    unusable: Mapping[str, int]
    """Why objects have no vector -> how many."""
    findings: Sequence[Mapping[str, Any]]


def shard_rows(n: int, size: int) -> dict[int, Array]:
    """Shard number -> positions of its objects in canonical order."""
    return {
        shard: np.arange(start, min(start + size, n))
        for shard, start in enumerate(range(0, n, size))
    }


def stores(plan: Plan, model: ModelPlan) -> dict[VectorName, ShardStore]:
    """The stores that hold, or will hold, a model's vectors."""
    places = {}
    for name in model.vector_names:
        store = ShardStore(Path(), _key(plan, model, name))
        parts = [model.spec.name, model.weights.name, name.embedder, name.view, store.digest[:8]]
        folder = plan.workspace / "embeddings" / "-".join(parts)
        places[name] = ShardStore(folder, store.key)
    return places


def _key(plan: Plan, model: ModelPlan, name: VectorName) -> dict[str, Any]:
    """Everything a vector depends on."""
    slots = {slot: model.bindings.slots[slot] for slot in model.spec.views[name.view]}
    return {
        **_recipe(model, name),
        "dataset": dict(plan.dataset.identity),
        "inputs": slots,
        "precision": plan.request.run.precision,
        "shard_rows": plan.request.run.shard_rows,
    }


def _recipe(model: ModelPlan, name: VectorName) -> dict[str, Any]:
    """What makes vectors besides the survey."""
    return {
        "model": model.identity,
        "weights": model.weights.identity,
        "embedder": model.embedders[name.embedder].identity,
        "view": name.view,
    }


def _comparable(model: ModelPlan, name: VectorName) -> str:
    """Digest of what vectors of another survey must share to be compared with these."""
    return content_key(_recipe(model, name))


def model_job(plan: Plan, model: ModelPlan) -> Any:
    """The loaded model with all it needs to encode (`fmb.torch.EmbedJob`)."""
    # Imported here: a run whose vectors are all in the store never loads torch for them.
    from fmb.torch.device import resolve_device
    from fmb.torch.embed_loop import EmbedJob

    options = plan.request.run
    device = resolve_device(options.device)
    seed = derive_seed(options.seed, "model", model.component.qualified)
    loaded = model.new(seed=seed, device=device, precision=options.precision)
    loaded.load(model.weights.folder)
    return EmbedJob(
        model=loaded,
        embedders={label: embedder.new() for label, embedder in model.embedders.items()},
        views={view: model.spec.views[view] for view in model.views},
        unit_mean=model.spec.joint == "unit-mean",
        sources=model.bindings.slots,
        dataset=plan.dataset,
        device=device,
        batch_size=options.batch_size,
        workers=options.workers,
    )


def missing_shards(plan: Plan, places: Stores) -> dict[int, Array]:
    """Shards of which some view is missing, with the positions of their objects.

    Such a shard is computed for all views, so that its bytes do not depend on where an earlier run
    was interrupted; what is there already is not written again.
    """
    shards = shard_rows(len(plan.dataset), plan.request.run.shard_rows)
    return {
        shard: rows
        for shard, rows in shards.items()
        if not all(store.finished(shard) for store in places.values())
    }


def embed_model(plan: Plan, model: ModelPlan) -> list[EmbeddedView]:
    """Compute what is missing of one model's vectors and say what there is.

    Raises:
        FmbError: the model, the data or the disk fails; finished shards stay.
    """
    places = stores(plan, model)
    for store in places.values():
        store.open()
    missing = missing_shards(plan, places)
    views = []
    for name, store in places.items():
        absent = sum(not store.finished(shard) for shard in missing)
        views.append((name, store, _comparable(model, name), absent))
    total = len(shard_rows(len(plan.dataset), plan.request.run.shard_rows))
    if missing and plan.engine is not None:
        _submit(plan, plan.engine, model, places, list(missing))
    elif missing:
        _compute(plan, model, places, missing)
    return [
        EmbeddedView(name, store, comparable, total, absent, *store.totals())
        for name, store, comparable, absent in views
    ]


def _compute(plan: Plan, model: ModelPlan, places: Stores, todo: Mapping[int, Array]) -> None:
    """Fill shards in this process."""
    from fmb.torch.embed_loop import embed  # loads torch: only when there is something to compute

    total = sum(len(rows) for rows in todo.values())
    done = 0
    plan.progress(f"embed {model.label}", 0, total)

    def advance(n: int) -> None:
        nonlocal done
        done += n
        plan.progress(f"embed {model.label}", done, total)

    for encoded in embed(model_job(plan, model), todo, advance):
        for name, store in places.items():
            if not store.finished(encoded.shard):
                _write(store, encoded, name, model.spec.views[name.view])


def _write(store: ShardStore, encoded: Any, name: VectorName, needs: Sequence[str]) -> None:
    """Publish one shard of one view."""
    position = {int(row): i for i, row in enumerate(encoded.rows)}
    empty = np.empty(0, int), np.empty((0, 0))
    rows, values = encoded.vectors.get((name.embedder, name.view), empty)
    unusable: dict[str, str] = {}
    for slot in needs:
        for row, why in encoded.reasons.get(slot, {}).items():
            unusable.setdefault(str(encoded.ids[position[row]]), why)
    record = {
        "rows": len(encoded.rows),
        "unusable": unusable,
        "findings": [finding.as_dict() for finding in encoded.findings],
    }
    ids = encoded.ids[[position[int(r)] for r in rows]]
    store.write(encoded.shard, ids, rows, values, record)


def _submit(
    plan: Plan,
    engine: Chosen[EngineSpec],
    model: ModelPlan,
    places: Stores,
    todo: Sequence[int],
) -> None:
    """Have an engine fill shards, each job planning for itself; the store says what is done.

    Raises:
        FailedError: shards are missing when all jobs have ended.
    """
    request, home = dict(plan.recorded), str(plan.workspace.resolve())
    plan.progress(f"embed {model.label}", 0, len(todo))
    causes: list[BaseException] = []
    with engine.new().executor(Resources()) as pool:
        jobs = [pool.submit(run_shards, request, model.label, [one], home=home) for one in todo]
        for done, job in enumerate(as_completed(jobs)):
            plan.progress(f"embed {model.label}", done + 1, len(todo))
            if (cause := job.exception()) is not None:
                causes.append(cause)
    left = [shard for shard in todo if not all(s.finished(shard) for s in places.values())]
    if left:
        why = f": {causes[0]}" if causes else ""
        raise FailedError(
            f"engine {engine.label!r} left {len(left)} of {len(todo)} shards of"
            f" {model.label} undone{why}; repeat the command, it goes on"
        ) from (causes[0] if causes else None)


def run_shards(
    request: Mapping[str, Any], label: str, shards: Collection[int], *, home: str | None = None
) -> None:
    """Plan a request anew and compute some shards of one of its models into the store.

    What engines submit: plain values in, nothing out. Shards that are there already are left.

    Args:
        request: the content of `run.toml`.
        label: of the model.
        shards: their numbers.
        home: the workspace; None = as `fmb paths` says.

    Raises:
        FmbError: the request cannot be met, or a shard cannot be computed.
    """
    session = Session.open(home=None if home is None else Path(home))
    plan = session.plan(build(Request, request, "request"), steps=("embed",))
    labels = [model.label for model in plan.models]
    if label not in labels:
        raise FailedError(f"no model is labelled {label!r}{did_you_mean(label, labels)}")
    model = plan.models[labels.index(label)]
    places = stores(plan, model)
    for store in places.values():
        store.open()
    missing = missing_shards(plan, places)
    todo = {shard: rows for shard, rows in missing.items() if shard in shards}
    if todo:
        _compute(plan, model, places, todo)
