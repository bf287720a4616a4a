"""What computing a plan's missing vectors would take, measured on a few objects."""

import time
from dataclasses import dataclass

import numpy as np

from fmb.plan.records import ModelPlan, Plan
from fmb.steps.embed import missing_shards, model_job, stores

__all__ = ["Cost", "measure_cost"]


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
    todo = sum(len(rows) for rows in missing_shards(plan, stores(plan, model)).values())
    if not todo:
        return Cost(len(plan.dataset), 0, 0.0, 0)
    from fmb.torch.embed_loop import embed  # loads torch, as the run itself would

    job = model_job(plan, model)
    rows = np.arange(min(sample, len(plan.dataset)))
    next(embed(job, {0: rows}))  # the first pass pays for imports and allocations
    start = time.perf_counter()
    encoded = next(embed(job, {0: rows}))
    each = (time.perf_counter() - start) / len(rows)
    width = sum(values.shape[1] for _, values in encoded.vectors.values())
    return Cost(len(plan.dataset), todo, each * todo, todo * width * 4)
