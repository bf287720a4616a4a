"""Retraining a model: planned like a run, ended as a folder that `--weights` takes."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fmb import Array, ConfigError, DataError, build, did_you_mean
from fmb.plan import ModelPlan, Plan
from fmb.store import derive_seed
from fmb.terminal import stage
from fmb.weights import Card
from fmb_train.config import TrainConfig
from fmb_train.folder import TrainingFolder
from fmb_train.retraining import Retraining
from fmb_train.split import split_objects

if TYPE_CHECKING:
    from fmb_train.job import FitJob
    from fmb_train.processes import Processes

__all__ = ["plan_retraining", "retrain", "training_cost"]


def plan_retraining(plan: Plan, folder: Path) -> Retraining:
    """Check the settings of a training and divide the objects.

    Args:
        plan: of one model, without detectors and figures.
        folder: where the weights go.

    Raises:
        FmbError: the model cannot be trained, a setting does not fit, or objects are too few.
    """
    (model,) = plan.models
    if not model.spec.retrain_config:
        raise ConfigError(f"model {model.label!r} cannot be retrained: its plugin has no training")
    cls = model.component.resolve(model.spec.retrain_config)
    config: TrainConfig = build(cls, plan.request.train, "train")
    chosen = _chosen_slots(model, config)
    have = np.zeros(len(plan.dataset), dtype=bool)
    for instrument in chosen.values():
        have |= plan.dataset.inputs[instrument].have(len(have))
    if not have.any():
        raise DataError(f"no object has any of the inputs {', '.join(chosen.values())}")
    split = split_objects(plan.dataset, np.flatnonzero(have), config)
    bound = replace(model, bindings=replace(model.bindings, slots=chosen))
    return Retraining(plan, bound, config, split, TrainingFolder(folder))


def _chosen_slots(model: ModelPlan, config: TrainConfig) -> dict[str, str]:
    bound = model.bindings.slots
    for slot in config.slots:
        if slot not in bound:
            raise ConfigError(f"train.slots: nothing feeds {slot!r}{did_you_mean(slot, bound)}")
    return {slot: name for slot, name in bound.items() if slot in (config.slots or bound)}


def retrain(todo: Retraining, *, resume: bool = False) -> Card | None:
    """Train, and write the weights folder; gives its card, in the first process only.

    Raises:
        FmbError: the folder is not free, or the training fails; what was saved stays.
    """
    with stage(todo.plan.progress, "load torch"):
        # Imported here: planning needs no torch.
        from fmb.torch import resolve_device
        from fmb_train.fit import fit
        from fmb_train.outcome import finish
        from fmb_train.processes import processes

    run = todo.plan.request.run
    device = resolve_device(run.device)
    _check_precision(device, run.precision)
    if todo.folder.first_process:
        if todo.folder.claim(todo.recipe, resume=resume):
            return todo.folder.card()
    elif resume and todo.folder.finished:
        return None
    plan = todo.plan
    with processes(device) as (group, own_device):
        if group.first:
            inputs = todo.model.bindings.slots.values()
            plan.dataset.make(inputs, partial(plan.progress, "simulate"))
        group.gather(None)  # the others read what the first has made
        with stage(plan.progress, f"load {todo.model.label}"):
            job = _job(todo, own_device, group)
        fitted = fit(job, resume=resume, progress=plan.progress)
        return finish(todo, job, fitted) if group.first else None


def _check_precision(device: str, precision: str) -> None:
    if device == "cpu" and precision != "float32":
        raise ConfigError(f"training on a CPU runs in float32, not {precision}: leave it out")


def _job(todo: Retraining, device: str, group: "Processes") -> "FitJob":
    from fmb_train.job import FitJob

    model, run = todo.model, todo.plan.request.run
    seed = derive_seed(run.seed, "retrain", model.component.qualified)
    loaded = model.new(seed=seed, device=device, precision=run.precision)
    loaded.load(model.weights.folder)
    task = loaded.task(todo.config, model.bindings.slots)
    have = _have_required(todo, task.required)
    return FitJob(
        task=task,
        config=todo.config,
        dataset=todo.plan.dataset,
        sources=model.bindings.slots,
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
    slots, name = todo.model.bindings.slots, todo.model.spec.name
    for slot in required:
        if slot not in slots:
            why = "; ".join(todo.model.bindings.refused) or f"nothing feeds {slot!r}"
            raise DataError(
                f"{name} learns from {' and '.join(required)} of each object, but {why}: choose a"
                f" survey that has it, or name the instrument with --input {slot}=INSTRUMENT"
            )
    have = np.ones(len(todo.plan.dataset), dtype=bool)
    for slot in required:
        have &= todo.plan.dataset.inputs[slots[slot]].have(len(have))
    for rows, part in ((todo.split.training, "learned from"), (todo.split.validation, "held out")):
        if not have[rows].any():
            raise DataError(
                f"none of the {len(rows):,} objects {part} has {' and '.join(required)}, from which"
                f" {name} learns: take more objects"
            )
    return have


def training_cost(todo: Retraining) -> Mapping[str, Any]:
    """What a training takes, measured on a few objects; writes nothing."""
    from fmb.torch import resolve_device
    from fmb_train.cost import measure
    from fmb_train.processes import Processes

    device = resolve_device(todo.plan.request.run.device)
    _check_precision(device, todo.plan.request.run.precision)
    return measure(_job(todo, device, Processes()))
