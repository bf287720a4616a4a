"""What computing a plan's missing vectors would take, measured on a few objects."""

import time
from dataclasses import dataclass

import numpy as np

from fmb.embedding.inventory import Inventory
from fmb.embedding.loading import model_job
from fmb.plan.records import ModelPlan, Plan
from fmb.terminal.progress import stage

__all__ = ["Cost", "measure_cost"]


@dataclass(frozen=True)
class Cost:
    """What computing one model's missing vectors takes."""

    objects: int
    todo: int
    """Objects without vectors, as far as that is known without reading them."""
    seconds: float
    bytes: int


def measure_cost(plan: Plan, model: ModelPlan, sample: int = 16) -> Cost:
    """Time a few of the objects that have no vectors and scale up; nothing is written."""
    inventory = Inventory(plan, model)
    everybody = np.arange(inventory.n)
    with stage(plan.progress, f"look for vectors of {model.label}"):
        inventory.look_up(everybody)
    todo = int(inventory.missing(everybody).sum())
    if not todo:
        return Cost(inventory.n, 0, 0.0, 0)
    job = model_job(plan, model)
    from fmb.torch.embed_loop import Together, embed  # loads torch, as the run itself would

    slots, rows = inventory.groups()[0]
    some = Together(rows[:sample], slots)
    with stage(plan.progress, f"time {model.label}"):
        next(embed(job, [some]))  # the first pass pays for imports and allocations
        start = time.perf_counter()
        encoded = next(embed(job, [some]))
        each = (time.perf_counter() - start) / len(some.rows)
    width = sum(values.shape[1] for _, values in encoded.vectors.values())
    return Cost(inventory.n, todo, each * todo, todo * width * 4)
