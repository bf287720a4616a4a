"""Which objects a model will make no vector of, and why, without encoding any."""

from collections.abc import Callable, Sequence

import numpy as np

from fmb.contract.arrays import Array
from fmb.contract.inputs import Batch, Inputs
from fmb.datasets.objects import by_slots, why_unusable
from fmb.datasets.quality import Finding
from fmb.embedding.inventory import ROWS_AT_ONCE
from fmb.embedding.loading import model_job
from fmb.plan.records import ModelPlan, Plan

__all__ = ["foresee"]


def foresee(plan: Plan, model: ModelPlan) -> list[Finding]:
    """Read and prepare all objects as the model would have them.

    Args:
        plan: of the objects.
        model: whose preparation it is; its weights are loaded, and not run.

    Returns:
        A warning for each object and view that will have no vector, with the reason.

    Raises:
        FmbError: the weights or the data cannot be read.
    """
    job, n, done = model_job(plan, model), len(plan.dataset), 0
    found: list[Finding] = []
    for slots, rows in by_slots(plan.dataset, model.sources, np.arange(n)):
        preparer = job.model.preparer({s: model.sources[s] for s in slots}) if slots else None
        for at in range(0, len(rows), ROWS_AT_ONCE):
            some = rows[at : at + ROWS_AT_ONCE]
            why = _why(plan, model, slots, some, preparer)
            for view in model.views:
                reasons = [why[slot] for slot in model.spec.views[view]]
                where = f"{model.label} {view}"
                for id_, *texts in zip(plan.dataset.ids[some].tolist(), *reasons, strict=True):
                    if first := next(filter(None, texts), ""):
                        found.append(Finding(id_, where, f"no vector: {first}", "warning"))
            done += len(some)
            plan.progress(f"prepare for {model.label}", done, n)
    return found


def _why(
    plan: Plan,
    model: ModelPlan,
    slots: Sequence[str],
    rows: Array,
    preparer: Callable[[Batch], Inputs] | None,
) -> dict[str, list[str]]:
    """Slot -> why the input of each of `rows` cannot be used, "" where it can."""
    why = {slot: ["not observed"] * len(rows) for slot in model.sources}
    if preparer is None:
        return why
    inputs = preparer(plan.dataset.read(rows, [model.sources[slot] for slot in slots]))
    return why | {slot: why_unusable(inputs, slot) for slot in slots}
