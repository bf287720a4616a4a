"""The embed step: which shards are missing, what fills them, and what came out."""

import logging
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from fmb.contract.arrays import Array
from fmb.contract.dataset import Dataset
from fmb.contract.progress import Progress
from fmb.contract.vectors import Embeddings
from fmb.plan.records import ModelPlan, Plan
from fmb.plugins.registry import Component
from fmb.store.keys import content_key, derive_seed
from fmb.store.shards import ShardStore

__all__ = [
    "Cost",
    "EmbeddedView",
    "embed_model",
    "measure_cost",
    "model_job",
    "model_key",
    "read_embeddings",
    "shard_rows",
    "stores",
]

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class EmbeddedView:
    """Where one view's vectors are and what was left out."""

    embedder: str
    view: str
    store: ShardStore
    shards: int
    computed: int
    """Shards that were missing and have been computed now."""
    valid: int
    unusable: Mapping[str, int]
    """Why objects have no vector -> how many."""
    findings: tuple[Mapping[str, Any], ...]


Embedded = dict[str, list[EmbeddedView]]
"""Model label -> its views."""


def shard_rows(n: int, size: int) -> dict[int, Array]:
    """Shard number -> positions of its objects in canonical order."""
    return {
        shard: np.arange(start, min(start + size, n))
        for shard, start in enumerate(range(0, n, size))
    }


def stores(plan: Plan, model: ModelPlan) -> dict[tuple[str, str], ShardStore]:
    """(embedder, view) -> the store that holds, or will hold, its vectors."""
    assert plan.dataset is not None
    found = {}
    for name, embedder in model.embedders.items():
        for view in model.views:
            key = _key(plan, model, embedder, view)
            store = ShardStore(Path(), key)
            folder = f"{model.spec.name}-{model.weights.name}-{name}-{view}-{store.digest[:8]}"
            found[name, view] = ShardStore(plan.workspace / "embeddings" / folder, key)
    return found


def _key(plan: Plan, model: ModelPlan, embedder: Component, view: str) -> dict[str, Any]:
    """Everything a vector depends on."""
    assert plan.dataset is not None
    slots = {slot: model.sources.slots[slot] for slot in model.spec.views[view]}
    return {
        "dataset": dict(plan.dataset.identity),
        "inputs": slots,
        "model": model.component.key,
        "config": model.config.model_dump(mode="json"),
        "weights": model.weights.identity,
        "embedder": embedder.key,
        "view": view,
        "precision": plan.request.run.precision,
        "shard_rows": plan.request.run.shard_rows,
    }


def model_key(model: ModelPlan, embedder: str, view: str) -> str:
    """Digest of what makes two surveys' vectors comparable: all of their key but the survey."""
    return content_key(
        {
            "model": model.component.key,
            "config": model.config.model_dump(mode="json"),
            "weights": model.weights.identity,
            "embedder": model.embedders[embedder].key,
            "view": view,
        }
    )


def model_job(plan: Plan, model: ModelPlan) -> Any:
    """The loaded model with all it needs to encode (`fmb.torch.EmbedJob`)."""
    # Imported here: a run whose vectors are all in the store never loads torch for them.
    from fmb.torch import EmbedJob, resolve_device

    assert plan.dataset is not None
    options = plan.request.run
    device = resolve_device(options.device)
    loaded = model.component.load()(
        model.config,
        seed=derive_seed(options.seed, "model", model.component.qualified),
        device=device,
        precision=options.precision,
    )
    loaded.load(model.weights.folder)
    return EmbedJob(
        model=loaded,
        embedders={
            name: component.load()(component.load_config()())
            for name, component in model.embedders.items()
        },
        views={view: model.spec.views[view] for view in model.views},
        unit_mean=model.spec.joint == "unit-mean",
        sources=model.sources.slots,
        dataset=plan.dataset,
        device=device,
        batch_size=options.batch_size,
        workers=options.workers,
    )


def embed_model(plan: Plan, model: ModelPlan, progress: Progress) -> list[EmbeddedView]:
    """Compute what is missing of one model's vectors and say what there is.

    Raises:
        FmbError: the model, the data or the disk fails; finished shards stay.
    """
    assert plan.dataset is not None
    wanted = stores(plan, model)
    for store in wanted.values():
        store.open()
    shards = shard_rows(len(plan.dataset), plan.request.run.shard_rows)
    # A shard of which one view is missing is computed for all views, so that its bytes do not
    # depend on where an earlier run was interrupted; what is there already is not written again.
    missing = {
        key: {shard for shard in shards if not store.finished(shard)}
        for key, store in wanted.items()
    }
    todo = {s: rows for s, rows in shards.items() if any(s in m for m in missing.values())}
    if todo:
        _compute(plan, model, wanted, missing, todo, progress)
    result = []
    for (name, view), store in wanted.items():
        store.merge()
        result.append(_summary(name, view, store, len(shards), len(missing[name, view])))
    return result


def _compute(
    plan: Plan,
    model: ModelPlan,
    wanted: Mapping[tuple[str, str], ShardStore],
    missing: Mapping[tuple[str, str], set[int]],
    todo: Mapping[int, Array],
    progress: Progress,
) -> None:
    from fmb.torch import embed  # loads torch: only when there is something to compute

    total = sum(len(rows) for rows in todo.values())
    what = f"embed {model.label}"
    done = 0
    progress(what, 0, total)

    def advance(n: int) -> None:
        nonlocal done
        done += n
        progress(what, done, total)

    for encoded in embed(model_job(plan, model), todo, advance):
        position = {int(row): i for i, row in enumerate(encoded.rows)}
        for key, store in wanted.items():
            if encoded.shard not in missing[key]:
                continue
            rows, values = encoded.vectors.get(key, (np.empty(0, int), np.empty((0, 0))))
            needs = model.spec.views[key[1]]
            unusable: dict[str, str] = {}
            for slot in needs:
                for row, why in encoded.reasons.get(slot, {}).items():
                    unusable.setdefault(str(encoded.ids[position[row]]), why)
            record = {
                "rows": len(encoded.rows),
                "input": encoded.digest,
                "unusable": unusable,
                "findings": [f.as_dict() for f in encoded.findings],
            }
            ids = encoded.ids[[position[int(r)] for r in rows]]
            store.write(encoded.shard, ids, rows, values, record)


@dataclass(frozen=True)
class Cost:
    """What computing one model's missing vectors takes."""

    objects: int
    todo: int
    """Objects in shards that are not finished."""
    seconds: float
    bytes: int


def measure_cost(plan: Plan, model: ModelPlan, sample: int = 16) -> Cost:
    """Time a few objects of the survey and scale up to what is missing."""
    from fmb.torch import embed  # loads torch, as the run itself would

    assert plan.dataset is not None
    wanted = stores(plan, model)
    shards = shard_rows(len(plan.dataset), plan.request.run.shard_rows)
    todo = sum(
        len(rows)
        for shard, rows in shards.items()
        if not all(store.finished(shard) for store in wanted.values())
    )
    if not todo:
        return Cost(len(plan.dataset), 0, 0.0, 0)
    job = model_job(plan, model)
    rows = np.arange(min(sample, len(plan.dataset)))
    next(embed(job, {0: rows}))  # the first pass pays for imports and allocations
    start = time.perf_counter()
    encoded = next(embed(job, {0: rows}))
    each = (time.perf_counter() - start) / len(rows)
    width = sum(values.shape[1] for _, values in encoded.vectors.values())
    return Cost(len(plan.dataset), todo, each * todo, todo * width * 4)


def _summary(name: str, view: str, store: ShardStore, shards: int, computed: int) -> EmbeddedView:
    unusable: Counter[str] = Counter()
    findings: list[Mapping[str, Any]] = []
    rows = vectors = 0
    for record in store.records():
        unusable.update(record["unusable"].values())
        findings.extend(record["findings"])
        rows += record["rows"]
        vectors += record["vectors"]
    absent = rows - vectors - sum(unusable.values())
    if absent:
        unusable["not observed"] = absent
    return EmbeddedView(
        name, view, store, shards, computed, vectors, dict(unusable), tuple(findings)
    )


def read_embeddings(dataset: Dataset, views: list[EmbeddedView]) -> Embeddings:
    """Vectors of several views of one embedder, aligned with the ids of the survey."""
    values: dict[str, Array] = {}
    valid: dict[str, Array] = {}
    for item in views:
        _, rows, vectors = item.store.read(item.shards)
        aligned = np.full((len(dataset), vectors.shape[1]), np.nan, dtype=np.float32)
        aligned[rows] = vectors
        have = np.zeros(len(dataset), dtype=bool)
        have[rows] = True
        values[item.view], valid[item.view] = aligned, have
    return Embeddings(dataset.ids, values, valid, {v.view: dict(v.store.key) for v in views})
