"""The loaded model of a plan with all it needs to encode."""

from typing import TYPE_CHECKING

from fmb.plan.records import ModelPlan, Plan
from fmb.store.keys import derive_seed
from fmb.terminal.progress import stage

if TYPE_CHECKING:
    from fmb.torch.embed_loop import EmbedJob

__all__ = ["model_job"]


def model_job(plan: Plan, model: ModelPlan) -> "EmbedJob":
    """The model, its embedders and the survey, ready for `fmb.torch.embed`.

    Raises:
        FmbError: the device is not there, or the weights do not fit.
    """
    options = plan.request.run
    seed = derive_seed(options.seed, "model", model.component.qualified)
    with stage(plan.progress, f"load {model.label}"):
        # Imported here: a run whose vectors are all in the store never loads torch for them.
        from fmb.torch.device import resolve_device
        from fmb.torch.embed_loop import EmbedJob

        device = resolve_device(options.device)
        loaded = model.new(seed=seed, device=device, precision=options.precision)
        loaded.load(model.weights.folder)
    return EmbedJob(
        model=loaded,
        embedders={label: embedder.new() for label, embedder in model.embedders.items()},
        views={view: model.spec.views[view] for view in model.views},
        unit_mean=model.spec.joint == "unit-mean",
        sources=model.sources,
        dataset=plan.dataset,
        device=device,
        workers=options.workers,
        measured=plan.measured,
    )
