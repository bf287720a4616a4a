"""A plan: all that a run needs to know before it starts."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fmb.contract.analysis import AnalysisSpec
from fmb.contract.detector import DetectorSpec
from fmb.contract.embedder import EmbedderSpec
from fmb.contract.engine import EngineSpec
from fmb.contract.model import ModelSpec
from fmb.contract.names import ListName, VectorName
from fmb.contract.plot import PlotSpec
from fmb.datasets.selection import Selection
from fmb.matching.bindings import Bindings
from fmb.messages.notes import Note
from fmb.messages.progress import Progress
from fmb.plan.choice import Chosen
from fmb.request.record import Request
from fmb.weights.folder import Weights

__all__ = ["ListPlan", "ModelPlan", "Plan"]


@dataclass(frozen=True)
class ModelPlan(Chosen[ModelSpec]):
    """A model, what feeds it and what it computes."""

    weights: Weights
    weights_state: str
    embedders: Mapping[str, Chosen[EmbedderSpec]]
    """Label -> reduction."""
    views: tuple[str, ...]
    bindings: Bindings
    notes: tuple[Note, ...] = ()
    """What a reader must know of its weights and of what feeds it."""

    @property
    def sources(self) -> dict[str, str]:
        """Slot -> instrument, of the slots that its views read."""
        needed = {slot for view in self.views for slot in self.spec.views[view]}
        return {slot: name for slot, name in self.bindings.slots.items() if slot in needed}

    @property
    def vector_names(self) -> Iterator[VectorName]:
        """What it gives, by embedder, then view."""
        for embedder in self.embedders:
            for view in self.views:
                yield VectorName(self.label, embedder, view)


@dataclass(frozen=True)
class ListPlan:
    """One list of scores and who makes it."""

    name: ListName
    detector: Chosen[DetectorSpec]
    aligned: bool = False
    """Of a pair: True when both views live in one space."""
    companion: bool = False
    """True when nobody asked for it, so that it is left out where it cannot be made."""
    apart: bool = False
    """Of a fusion: True when objects that some lists lack are ranked too, among their like."""
    thresholds: Mapping[ListName, float] = field(default_factory=dict)
    """Of a fusion: the percentile that an object must reach in a list."""
    roles: tuple[str, ...] = ()
    """Of a list of rows of the catalogue: the roles that are judged."""


@dataclass(frozen=True)
class Plan:
    """Every name resolved, every file opened, every input matched; nothing computed."""

    request: Request
    recorded: Mapping[str, Any]
    """The request as plain values: the content of `run.toml`."""
    name: str
    """Of the run where none is asked for: the survey, the models and the detectors."""
    survey: str
    """The survey's name, fit for a folder: what is stored of its objects is kept under it."""
    workspace: Path
    progress: Progress
    dataset: Selection
    """The objects, in canonical order; without inputs where they came with vectors."""
    models: tuple[ModelPlan, ...]
    lists: tuple[ListPlan, ...] = ()
    """Those of one view first, then of two, then those made of other lists."""
    analyses: tuple[Chosen[AnalysisSpec], ...] = ()
    plots: tuple[Chosen[PlotSpec], ...] = ()
    broken_plots: Mapping[str, str] = field(default_factory=dict)
    """Figures drawn unasked that do not work: label -> why."""
    measured: tuple[str, ...] = ()
    """Instruments on whose inputs roles are measured, because lists are given them."""
    engine: Chosen[EngineSpec] | None = None
    """Where vectors are computed; None = in this process."""
    notes: tuple[Note, ...] = ()
    """What a reader of the results must know."""

    @property
    def vector_names(self) -> list[VectorName]:
        """The vectors that lists are made from."""
        given = list(self.dataset.vectors)
        return [*given, *(name for model in self.models for name in model.vector_names)]
