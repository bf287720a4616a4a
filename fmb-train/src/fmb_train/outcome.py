"""What a training ends as: a weights folder with tensors, history, figure and, last, its card."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import torch
from safetensors.torch import save
from torch import Tensor

from fmb import FailedError, environment
from fmb.matching import feeds
from fmb.store import content_key
from fmb.weights import TENSORS, Card, name_of
from fmb_train.history import draw_losses
from fmb_train.job import FitJob, Fitted
from fmb_train.retraining import Retraining

__all__ = ["finish"]

_PIECE = 1 << 24
"""Bytes of a file that are copied at a time."""


def finish(todo: Retraining, job: FitJob, fitted: Fitted) -> Card:
    """Write tensors, figure and, last, the card."""
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
            "name": name_of(todo.folder.path.resolve()),
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


def _stored(tensors: Mapping[str, Tensor], kind: str | None) -> dict[str, Tensor]:
    """The tensors on the CPU, floating ones as numbers of `kind`; None leaves them as they are."""
    dtype = None if kind is None else {"float32": torch.float32, "float16": torch.float16}[kind]
    held = {
        name: value.detach().to("cpu", dtype if value.is_floating_point() else None).contiguous()
        for name, value in tensors.items()
    }
    if not all(torch.isfinite(value).all() for value in held.values()):
        raise FailedError(f"weights do not fit {kind}: --set train.stored=float32")
    return held


def _bodies(
    todo: Retraining, files: Mapping[str, Mapping[str, Tensor] | None]
) -> Iterator[tuple[str, bytes | Iterable[bytes]]]:
    """Name and content of each file; what was not trained is copied a piece at a time."""
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
    inputs = todo.plan.dataset.inputs
    drawn = todo.model.weights.card.random_seed is not None
    found = []
    for accepts in card.accepts:
        name = todo.model.bindings.slots.get(accepts.slot)
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


def _record(todo: Retraining, job: FitJob, fitted: Fitted) -> dict[str, Any]:
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
        "notes": [*job.dataset.warnings, *todo.model.bindings.out_of_domain],
        "environment": environment(),
    }
    plain: dict[str, Any] = json.loads(json.dumps(record, default=str))
    return plain


def _observed(job: FitJob) -> dict[str, int]:
    """Slot -> training objects for which the survey has something."""
    observed = {}
    for slot, instrument in job.sources.items():
        have = job.dataset.inputs[instrument].have(len(job.dataset))
        observed[slot] = int(have[job.training].sum())
    return observed
