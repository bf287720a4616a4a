"""What a training would take: a few objects prepared and learned from, nothing kept."""

import time
from typing import Any

import torch

from fmb_train.job import FitJob
from fmb_train.prepared import Part, TrainingData, learnable
from fmb_train.update import settling

__all__ = ["measure"]


def measure(job: FitJob) -> dict[str, Any]:
    """Seconds of preparing and of learning an object, and of an epoch, without the optimiser."""
    config = job.config
    size = min(config.micro_batch or config.batch_size, len(job.training))
    rows = job.training[:size]
    start = time.perf_counter()
    data = TrainingData(
        job.dataset,
        rows,
        job.sources,
        job.task.preparer,
        cache_mb=config.cache_mb,
        settle=settling(job),
    )
    preparing = (time.perf_counter() - start) / size
    needs = job.task.required
    parts = [part for made in data.batches([rows], size) for part in learnable(made, needs)]
    job.task.train(True)
    _learn(job, parts)  # the first pass pays for imports and allocations
    start = time.perf_counter()
    _learn(job, parts)
    learning = (time.perf_counter() - start) / size
    trained = sum(p.numel() for p in job.task.module.parameters() if p.requires_grad)
    return {
        "training": len(job.training),
        "validation": len(job.validation),
        "parameters": trained,
        "prepare_ms": round(preparing * 1e3, 2),
        "learn_ms": round(learning * 1e3, 2),
        "epoch_s": round(len(job.training) * learning, 1),
        "prepare_s": round((len(job.training) + len(job.validation)) * preparing, 1),
    }


def _learn(job: FitJob, parts: list[Part]) -> None:
    for part in parts:
        torch.autograd.backward(job.task.loss(part.inputs)[0].sum())
    job.task.module.zero_grad(set_to_none=True)
