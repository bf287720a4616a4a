"""A model's vectors of a survey: what is missing is computed, here or by an engine."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import as_completed
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fmb.contract.arrays import Array
from fmb.contract.engine import EngineSpec, Resources
from fmb.contract.names import VectorName
from fmb.contract.vector_view import VectorView
from fmb.datasets.quality import Finding
from fmb.embedding.comparison import compare_versions, verify
from fmb.embedding.filling import Filling
from fmb.embedding.inventory import Inventory
from fmb.embedding.loading import model_job
from fmb.embedding.places import comparable
from fmb.messages.errors import FailedError, StoppedError, did_you_mean
from fmb.messages.progress import quiet
from fmb.plan.choice import Chosen
from fmb.plan.records import ModelPlan, Plan
from fmb.plan.session import Session
from fmb.plugins.settings import build
from fmb.request.record import Request
from fmb.store.vector_store import VectorStore
from fmb.store.views import view_of
from fmb.terminal.progress import stage

if TYPE_CHECKING:
    from fmb.torch.embed_loop import EmbedJob

__all__ = ["EmbeddedView", "embed_model", "run_shards"]


@dataclass(frozen=True)
class EmbeddedView:
    """One view's vectors of a plan's objects."""

    name: VectorName
    store: VectorStore
    inputs: Array
    """(n, 16), uint8: digest of what it reads of each object; zeros where it has no input."""
    comparable: str
    """Digest of what vectors of another survey must share to be compared with these."""
    computed: int
    """Objects that were missing and have been encoded now, by anybody."""
    read: Mapping[str, Array]
    """Instrument -> (n, 16), uint8: digests of its inputs; zeros where they are not known."""
    unusable: Mapping[str, int]
    """Why objects have no vector -> how many."""
    findings: Sequence[Finding]

    @property
    def vectors(self) -> VectorView:
        """The vectors, mapped."""
        return view_of(self.name, self.store, self.inputs, self.comparable)


def embed_model(plan: Plan, model: ModelPlan) -> list[EmbeddedView]:
    """Compute what is missing of one model's vectors and say what there is.

    Raises:
        FmbError: the model, the data or the disk fails; what was encoded stays.
        StoppedError: Ctrl-C; says how much is kept.
    """
    inventory = Inventory(plan, model)
    everybody = np.arange(inventory.n)
    try:
        job = _open(inventory)
        inventory.read_unknown(everybody)
        compare_versions(inventory)
        if plan.request.run.verify:
            verify(inventory)
        absent = {name: int(inventory.lacks(name, everybody).sum()) for name in inventory.stores}
        if any(absent.values()):
            plan.dataset.make(model.sources.values(), partial(plan.progress, "simulate"))
        if plan.engine is not None and any(absent.values()):
            _submit(inventory, plan.engine)
        else:
            Filling(inventory, job).run()
    except KeyboardInterrupt:
        raise StoppedError(_kept(inventory)) from None
    inventory.look_up(everybody)
    found = inventory.found()
    return [_view(inventory, name, computed, found) for name, computed in absent.items()]


def _open(inventory: Inventory) -> "EmbedJob | None":
    """Open the stores; new ones once the weights have loaded, so that failing ones leave none.

    Returns:
        The loaded model where that was needed; with an engine its jobs load it and make the stores.
    """
    plan, model = inventory.plan, inventory.model
    new = inventory.is_new
    job = model_job(plan, model) if new and plan.engine is None else None
    with stage(plan.progress, f"look for vectors of {model.label}"):
        if plan.engine is None or not new:
            inventory.open()
    return job


def _view(
    inventory: Inventory, name: VectorName, computed: int, found: Sequence[Finding]
) -> EmbeddedView:
    everybody = np.arange(inventory.n)
    inputs = inventory.digests(name.view, everybody)
    stored = inventory.stores[name].find(inputs)
    unusable = Counter(text for text in stored.reasons if text)
    unseen = inventory.n - int(inventory.observed(name.view, everybody).sum())
    if unseen:
        unusable["not observed"] = unseen
    return EmbeddedView(
        name,
        inventory.stores[name],
        inputs,
        comparable(inventory.model, name),
        computed,
        inventory.read,
        dict(unusable),
        [one for one in found if one.input in inventory.inputs_of(name.view)],
    )


def _kept(inventory: Inventory) -> str:
    """How much of an interrupted embedding is kept."""
    missing = int(inventory.missing(np.arange(inventory.n)).sum())
    label, kept = inventory.model.label, inventory.n - missing
    return (
        f"interrupted; {label} has vectors of {kept:,} of {inventory.n:,} objects, which are kept"
    )


def _submit(inventory: Inventory, engine: Chosen[EngineSpec]) -> None:
    """Have an engine fill chunks, each job planning for itself; the store says what is done.

    Raises:
        FailedError: objects are missing when all jobs have ended.
    """
    plan, label = inventory.plan, inventory.model.label
    request, home = dict(plan.recorded), str(plan.workspace.resolve())
    plan.progress(f"embed {label}", 0, 1)
    causes: list[BaseException] = []
    with engine.new().executor(Resources()) as pool:
        # The first job times a few objects and finds how the rest is cut.
        shards = pool.submit(run_shards, request, label, [], home=home).result()
        jobs = [pool.submit(run_shards, request, label, [n], home=home) for n in range(shards)]
        for done, job in enumerate(as_completed(jobs)):
            plan.progress(f"embed {label}", done + 1, shards)
            if (cause := job.exception()) is not None:
                causes.append(cause)
    everybody = np.arange(inventory.n)
    inventory.look_up(everybody)
    inventory.read_unknown(everybody)  # of a dataset that cannot say where its objects are from
    left = int(inventory.missing(everybody).sum())
    if left:
        why = f": {causes[0]}" if causes else ""
        raise FailedError(
            f"engine {engine.label!r} left {left} of {inventory.n} objects of {label} without"
            f" vectors{why}; repeat the command, it goes on"
        ) from (causes[0] if causes else None)


def run_shards(
    request: Mapping[str, Any], label: str, shards: Collection[int], *, home: str | None = None
) -> int:
    """Plan a request anew and compute some shards of one of its models into the store.

    What engines submit: plain values in, a number out. What is there already is left; what others
    are working on is waited for.

    Args:
        request: the content of `run.toml`.
        label: of the model.
        shards: their numbers; none = only find how many there are, which is done once a request
            by encoding its first objects.
        home: the workspace; None = as `fmb paths` says.

    Returns:
        How many shards there are.

    Raises:
        FmbError: the request cannot be met, or a shard cannot be computed.
    """
    session = Session.open(quiet, home=None if home is None else Path(home))
    asked = build(Request, request, "request")
    # Lists say what is to be measured on the inputs while they are read.
    lists = asked.detector and not asked.run.fitted  # by other fits: measured when they are made
    plan = session.plan(asked, steps=("embed", "detect") if lists else ("embed",))
    labels = [model.label for model in plan.models]
    if label not in labels:
        raise FailedError(f"no model is labelled {label!r}{did_you_mean(label, labels)}")
    inventory = Inventory(plan, plan.models[labels.index(label)])
    job = model_job(plan, inventory.model) if inventory.is_new else None
    inventory.open()
    filling = Filling(inventory, job)
    count = filling.agree()
    if shards:
        filling.run(only=shards)
    return count
