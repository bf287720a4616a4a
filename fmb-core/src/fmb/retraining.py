"""Retraining a model: planned like a run, ended as a folder that `--weights` takes."""

import json
import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fmb.contract.arrays import Array
from fmb.contract.config import build
from fmb.contract.errors import ConfigError, DataError, FailedError, did_you_mean
from fmb.contract.progress import Progress, quiet
from fmb.plan.matching import feeds
from fmb.plan.records import ModelPlan, Plan
from fmb.plugins.environment import environment
from fmb.split import Split, split_objects
from fmb.store.keys import content_key, derive_seed
from fmb.train_config import TrainConfig
from fmb.training_folder import TrainingFolder
from fmb.weights.card import TENSORS, Card

if TYPE_CHECKING:
    from torch import Tensor

    from fmb.torch import FitJob, Fitted, Processes

__all__ = ["Retraining", "plan_retraining", "retrain", "training_cost"]

logger = logging.getLogger(__name__)

_PIECE = 1 << 24
"""Bytes of a file that are copied at a time."""


@dataclass(frozen=True)
class Retraining:
    """All that a training needs to know before it starts."""

    plan: Plan
    model: ModelPlan
    """`sources` holds the slots that are trained on."""
    config: TrainConfig
    split: Split
    folder: TrainingFolder

    @property
    def recipe(self) -> dict[str, Any]:
        """Everything the result depends on, as plain values."""
        assert self.plan.dataset is not None
        run = self.plan.request.run
        return {
            "model": self.model.component.key,
            "options": self.model.config.model_dump(mode="json"),
            "train": self.config.model_dump(mode="json"),
            "data": dict(self.plan.dataset.identity),
            "inputs": dict(self.model.sources.slots),
            "weights": self.model.weights.identity,
            "seed": run.seed,
            "precision": run.precision,
        }


def plan_retraining(plan: Plan, folder: Path) -> Retraining:
    """Check the settings of a training and divide the objects.

    Args:
        plan: of one model, without detectors and figures.
        folder: where the weights go.

    Raises:
        FmbError: the model cannot be trained, a setting does not fit, or objects are too few.
    """
    assert plan.dataset is not None
    (model,) = plan.models
    if not model.spec.retrain_config:
        raise ConfigError(f"model {model.label!r} cannot be retrained: its plugin has no training")
    cls = model.component.resolve(model.spec.retrain_config)
    config: TrainConfig = build(cls, plan.request.train, "train")
    chosen = _chosen_slots(model, config)
    have = np.zeros(len(plan.dataset), dtype=bool)
    for instrument in chosen.values():
        present = plan.dataset.inputs[instrument].present
        have |= True if present is None else present
    if not have.any():
        raise DataError(f"no object has any of the inputs {', '.join(chosen.values())}")
    split = split_objects(plan.dataset, np.flatnonzero(have), config)
    sources = replace(model.sources, slots=chosen)
    return Retraining(plan, replace(model, sources=sources), config, split, TrainingFolder(folder))


def _chosen_slots(model: ModelPlan, config: TrainConfig) -> dict[str, str]:
    bound = model.sources.slots
    for slot in config.slots:
        if slot not in bound:
            raise ConfigError(f"train.slots: nothing feeds {slot!r}{did_you_mean(slot, bound)}")
    return {slot: name for slot, name in bound.items() if slot in (config.slots or bound)}


def retrain(todo: Retraining, *, resume: bool = False, progress: Progress = quiet) -> Card | None:
    """Train, and write the weights folder; gives its card, in the first process only.

    Raises:
        FmbError: the folder is not free, or the training fails; what was saved stays.
    """
    # Imported here: planning needs no torch.
    from fmb.torch import fit, processes, resolve_device

    run = todo.plan.request.run
    device = resolve_device(run.device)
    _check_precision(device, run.precision)
    if todo.folder.first_process:
        if todo.folder.claim(todo.recipe, resume=resume):
            return todo.folder.card()
    elif resume and todo.folder.finished:
        return None
    with processes(device) as (group, own_device):
        job = _job(todo, own_device, group)
        fitted = fit(job, resume=resume, progress=progress)
        return _finish(todo, job, fitted) if group.first else None


def _check_precision(device: str, precision: str) -> None:
    if device == "cpu" and precision != "float32":
        raise ConfigError(f"training on a CPU runs in float32, not {precision}: leave it out")


def _job(todo: Retraining, device: str, group: "Processes") -> "FitJob":
    from fmb.torch import FitJob

    model, run = todo.model, todo.plan.request.run
    assert todo.plan.dataset is not None
    seed = derive_seed(run.seed, "retrain", model.component.qualified)
    loaded = model.component.load()(model.config, seed=seed, device=device, precision=run.precision)
    loaded.load(model.weights.folder)
    task = loaded.task(todo.config, model.sources.slots)
    have = _have_required(todo, task.required)
    return FitJob(
        task=task,
        config=todo.config,
        dataset=todo.plan.dataset,
        sources=model.sources.slots,
        training=todo.split.training[have[todo.split.training]],
        validation=todo.split.validation[have[todo.split.validation]],
        folder=todo.folder.work,
        seed=seed,
        device=device,
        precision=run.precision,
        workers=run.workers,
        processes=group,
    )


def _have_required(todo: Retraining, required: Sequence[str]) -> Array:
    """(n,), bool: the objects of the survey that were observed in all slots a task requires.

    Raises:
        DataError: nothing feeds one of the slots, or a part of the split has no such object.
    """
    assert todo.plan.dataset is not None
    slots, name = todo.model.sources.slots, todo.model.spec.name
    for slot in required:
        if slot not in slots:
            why = "; ".join(todo.model.sources.refused) or f"nothing feeds {slot!r}"
            raise DataError(
                f"{name} learns from {' and '.join(required)} of each object, but {why}: choose a"
                f" survey that has it, or name the instrument with --input {slot}=INSTRUMENT"
            )
    have = np.ones(len(todo.plan.dataset), dtype=bool)
    for slot in required:
        present = todo.plan.dataset.inputs[slots[slot]].present
        have &= True if present is None else present
    for rows, part in ((todo.split.training, "learned from"), (todo.split.validation, "held out")):
        if not have[rows].any():
            raise DataError(
                f"none of the {len(rows):,} objects {part} has {' and '.join(required)}, from which"
                f" {name} learns: take more objects"
            )
    return have


def _finish(todo: Retraining, job: "FitJob", fitted: "Fitted") -> Card:
    """Write tensors, figure and, last, the card."""
    from fmb.torch.history import draw_losses

    own, trained = getattr(job.task, "files", None), job.task.weights()
    files: Mapping[str, Mapping[str, Tensor] | None] = {TENSORS: trained} if own is None else own()
    kinds = {
        name: todo.config.stored if held and held.keys() == trained.keys() else None
        for name, held in files.items()
    }
    tensors = {name: held and _stored(held, kinds[name]) for name, held in files.items()}
    draw_losses(todo.folder.work, fitted.history)
    base = todo.model.weights.card
    card = Card.model_validate(
        {
            **base.model_dump(),
            "name": todo.folder.name,
            "summary": f"{todo.model.spec.name} trained from {todo.model.weights.name} on"
            f" {len(job.training):,} objects",
            "files": tuple(files),
            "random_seed": None,
            "licence": todo.config.licence or base.licence,
            "training": _record(todo, job, fitted),
            **job.task.card_changes(),
        }
    )
    card = card.model_copy(update={"accepts": _accepts(todo, card)})
    todo.folder.finish(card, _bodies(todo, tensors))
    return card


def _stored(tensors: Mapping[str, "Tensor"], kind: str | None) -> dict[str, "Tensor"]:
    """The tensors on the CPU, floating ones as numbers of `kind`; None leaves them as they are."""
    import torch

    dtype = None if kind is None else {"float32": torch.float32, "float16": torch.float16}[kind]
    held = {
        name: value.detach().to("cpu", dtype if value.is_floating_point() else None).contiguous()
        for name, value in tensors.items()
    }
    if not all(torch.isfinite(value).all() for value in held.values()):
        raise FailedError(f"weights do not fit {kind}: --set train.stored=float32")
    return held


def _bodies(
    todo: Retraining, files: Mapping[str, Mapping[str, "Tensor"] | None]
) -> Iterator[tuple[str, bytes | Iterable[bytes]]]:
    """Name and content of each file; what was not trained is copied a piece at a time."""
    from safetensors.torch import save

    for name, tensors in files.items():
        if tensors is not None:
            yield name, save(dict(tensors))
        else:
            with (todo.model.weights.folder / name).open("rb") as stream:
                yield name, iter(partial(stream.read, _PIECE), b"")


def _accepts(todo: Retraining, card: Card) -> tuple[Any, ...]:
    """What the weights have seen: the survey's instruments, and those of trained base weights.

    Of several alternatives of a slot only those that the survey can feed have seen it.
    """
    assert todo.plan.dataset is not None
    inputs = todo.plan.dataset.inputs
    drawn = todo.model.weights.card.random_seed is not None
    found = []
    for accepts in card.accepts:
        name = todo.model.sources.slots.get(accepts.slot)
        if name is None or not feeds(accepts, name, inputs[name]):
            found.append(accepts)
            continue
        seen = () if drawn else accepts.instruments
        if drawn or seen:  # trained weights that name none know more than one could list
            accepts = replace(accepts, instruments=tuple(dict.fromkeys([*seen, name])))
        scale = inputs[name].pixel_scale_arcsec
        old = None if drawn else accepts.pixel_scale_arcsec
        if scale is not None and (drawn or old):
            both = (scale, *(old or ()))
            accepts = replace(accepts, pixel_scale_arcsec=(min(both), max(both)))
        found.append(accepts)
    return tuple(found)


def _record(todo: Retraining, job: "FitJob", fitted: "Fitted") -> dict[str, Any]:
    """What the card says of the training, as plain values."""
    recipe = todo.recipe
    base = todo.model.weights
    best = next(row for row in fitted.history if row["epoch"] == fitted.best_epoch)
    record = {
        **recipe,
        "data_digest": content_key(recipe["data"]),
        "weights": {**base.identity, "licence": base.card.licence, "source": base.card.source},
        "objects": {"training": len(job.training), "validation": len(job.validation)},
        "held_out": todo.split.held_out,
        "observed": _observed(job),
        "unusable": dict(fitted.unusable),
        "best": best,
        "updates": fitted.updates,
        "samples": fitted.samples,
        "seconds": round(fitted.seconds, 1),
        "processes": job.processes.world,
        "device": job.device,
        "notes": [*job.dataset.warnings, *todo.model.sources.out_of_domain],
        "environment": environment(),
    }
    plain: dict[str, Any] = json.loads(json.dumps(record, default=str))
    return plain


def _observed(job: "FitJob") -> dict[str, int]:
    """Slot -> training objects for which the survey has something."""
    found = {}
    for slot, instrument in job.sources.items():
        present = job.dataset.inputs[instrument].present
        found[slot] = len(job.training) if present is None else int(present[job.training].sum())
    return found


def training_cost(todo: Retraining) -> Mapping[str, Any]:
    """What a training takes, measured on a few objects; writes nothing."""
    from fmb.torch import Processes, resolve_device
    from fmb.torch.measuring import measure

    device = resolve_device(todo.plan.request.run.device)
    _check_precision(device, todo.plan.request.run.precision)
    return measure(_job(todo, device, Processes()))
