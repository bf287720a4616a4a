"""A plan: all that a run needs to know before it starts."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from fmb.contract.config import Config
from fmb.contract.dataset import Dataset
from fmb.contract.detector import DetectorSpec
from fmb.contract.model import ModelSpec
from fmb.contract.plot import PlotSpec
from fmb.plan.matching import Sources
from fmb.plan.request import Request
from fmb.plugins.registry import Component
from fmb.weights.folder import Weights

__all__ = ["DetectorPlan", "ModelPlan", "Plan", "PlotPlan"]


@dataclass(frozen=True)
class ModelPlan:
    """One model, what feeds it and what it computes."""

    label: str
    component: Component
    config: Config
    weights: Weights
    weights_state: str
    embedders: Mapping[str, Component]
    views: tuple[str, ...]
    sources: Sources

    @property
    def spec(self) -> ModelSpec:
        """The model's record."""
        assert isinstance(self.component.spec, ModelSpec)
        return self.component.spec


@dataclass(frozen=True)
class DetectorPlan:
    """One detector and its configuration."""

    label: str
    component: Component
    config: Config

    @property
    def spec(self) -> DetectorSpec:
        """The detector's record."""
        assert isinstance(self.component.spec, DetectorSpec)
        return self.component.spec


@dataclass(frozen=True)
class PlotPlan:
    """One figure and its configuration."""

    label: str
    component: Component
    config: Config

    @property
    def spec(self) -> PlotSpec:
        """The figure's record."""
        assert isinstance(self.component.spec, PlotSpec)
        return self.component.spec


@dataclass(frozen=True)
class Plan:
    """All a run needs to know before it starts."""

    request: Request
    workspace: Path
    dataset: Dataset | None
    """None when a user's own vectors take the place of survey and model."""
    models: tuple[ModelPlan, ...]
    detectors: tuple[DetectorPlan, ...]
    plots: tuple[PlotPlan, ...]
    notes: tuple[str, ...] = field(default=())
    """What a reader of the results must know, one line each."""
