"""A training that was planned: all it needs to know before it starts."""

from dataclasses import dataclass
from typing import Any

from fmb.plan import ModelPlan, Plan
from fmb_train.config import TrainConfig
from fmb_train.folder import TrainingFolder
from fmb_train.split import Split

__all__ = ["Retraining"]


@dataclass(frozen=True)
class Retraining:
    """All that a training needs to know before it starts."""

    plan: Plan
    model: ModelPlan
    """`bindings` holds the slots that are trained on."""
    config: TrainConfig
    split: Split
    folder: TrainingFolder

    @property
    def recipe(self) -> dict[str, Any]:
        """Everything the result depends on, as plain values."""
        run = self.plan.request.run
        return {
            "model": self.model.component.key,
            "options": self.model.config.model_dump(mode="json"),
            "train": self.config.model_dump(mode="json"),
            "data": dict(self.plan.dataset.identity),
            "inputs": dict(self.model.bindings.slots),
            "weights": self.model.weights.identity,
            "seed": run.seed,
            "precision": run.precision,
        }
