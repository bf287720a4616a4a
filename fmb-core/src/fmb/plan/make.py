"""Turns a request into a plan: every name resolved and every input matched before any compute."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fmb.contract.config import Config, build
from fmb.contract.dataset import Dataset
from fmb.contract.detector import DetectorSpec
from fmb.contract.errors import ConfigError, UnknownNameError, WeightsError, did_you_mean
from fmb.contract.model import ModelSpec
from fmb.contract.plot import PlotSpec
from fmb.contract.progress import Progress, quiet
from fmb.datasets.opening import open_dataset
from fmb.datasets.selection import select
from fmb.plan.matching import bind_inputs, choose_views
from fmb.plan.records import DetectorPlan, ModelPlan, Plan, PlotPlan
from fmb.plan.request import DataRequest, ModelRequest, Request
from fmb.plugins.registry import Component, Registry
from fmb.weights.folder import Weights
from fmb.weights.lock import Lock
from fmb.weights.resolve import resolve_weights

__all__ = ["DetectorPlan", "ModelPlan", "Plan", "PlotPlan", "make_plan", "plan_plots"]


SIMULATED = ("demo", "demo-eval")
"""Datasets that take a model's first weights when none are named."""


def make_plan(
    request: Request,
    registry: Registry,
    workspace: Path,
    *,
    detect: bool = True,
    draw: bool = True,
    train: bool = False,
    progress: Progress = quiet,
) -> Plan:
    """Resolve and check everything a request names.

    Args:
        request: what the user asks for.
        registry: the installed components.
        workspace: where data, weights, embeddings and runs are kept.
        detect: plan detectors; without one named that is an error.
        draw: plan figures; without one named the default ones.
        train: bind what models learn from, which may be what their weights do not accept yet.
        progress: told how far a simulated survey is.

    Raises:
        FmbError: a name, key, input or weights reference that does not work.
    """
    detectors = _detectors(request, registry) if detect else ()
    plots = plan_plots(request, registry) if draw else ()
    if request.embeddings is not None:
        if request.model:
            raise ConfigError("--embeddings brings its own vectors: leave --model out")
        return Plan(request, workspace, None, (), detectors, plots)
    # Models first: a misspelt one must not wait for a survey to be simulated.
    chosen = _choose_models(request, registry, workspace)
    dataset = _open(request.data, registry, workspace, progress)
    models = tuple(_bind(model, request, dataset, registry, train=train) for model in chosen)
    return Plan(request, workspace, dataset, models, detectors, plots, _notes(dataset, models))


def _open(data: DataRequest, registry: Registry, workspace: Path, progress: Progress) -> Dataset:
    """The objects that were asked for, in canonical order."""
    return select(
        open_dataset(
            data.source,
            reader=data.reader,
            settings=data.settings,
            cache=workspace / "data",
            registry=registry,
            progress=lambda done, total: progress(f"simulate {data.source}", done, total),
        ),
        where=data.where,
        limit=data.limit,
        exclude=data.exclude,
    )


def _notes(dataset: Dataset, models: tuple[ModelPlan, ...]) -> tuple[str, ...]:
    notes = list(dataset.warnings)
    for model in models:
        if model.weights_state == "drawn":
            notes.append(f"{model.label} has random weights: a floor, not evidence")
        elif model.weights_state == "bundled":
            notes.append(
                f"{model.label} has small weights, {model.weights.card.name}: not evidence"
            )
        elif model.weights_state == "unverified":
            notes.append(f"{model.label}: weights {model.weights.name} are unverified")
        notes.extend(f"{model.label} out of domain: {why}" for why in model.sources.out_of_domain)
    return tuple(notes)


@dataclass(frozen=True)
class _Chosen:
    """A model whose names are resolved and whose inputs are not bound yet."""

    label: str
    asked: ModelRequest
    component: Component
    config: Config
    weights: Weights
    weights_state: str


def _choose_models(request: Request, registry: Registry, workspace: Path) -> list[_Chosen]:
    if not request.model:
        known = ", ".join(c.spec.name for c in registry.all("model"))
        raise ConfigError(f"name a model with --model; installed: {known or 'none'}")
    return [
        _choose_model(label, asked, request, registry, workspace)
        for label, asked in request.model.items()
    ]


def _choose_model(
    label: str, asked: ModelRequest, request: Request, registry: Registry, workspace: Path
) -> _Chosen:
    component = registry.get("model", asked.use)
    assert isinstance(component.spec, ModelSpec)
    config = build(component.load_config(), asked.settings, f"model.{label}")
    reference = asked.weights or _default_weights(label, component.spec, request)
    weights = resolve_weights(
        component, reference, config, seed=request.run.seed, workspace=workspace
    )
    state = Lock(workspace).state(weights)
    return _Chosen(label, asked, component, config, weights, state)


def _bind(
    model: _Chosen, request: Request, dataset: Dataset, registry: Registry, *, train: bool
) -> ModelPlan:
    assert isinstance(model.component.spec, ModelSpec)
    learned = model.component.spec.retrain_accepts if train else ()
    sources = bind_inputs(
        model.label,
        learned or model.weights.card.accepts,
        dataset.inputs,
        wanted=model.asked.input,
        allow_out_of_domain=request.run.allow_out_of_domain,
    )
    return ModelPlan(
        label=model.label,
        component=model.component,
        config=model.config,
        weights=model.weights,
        weights_state=model.weights_state,
        embedders=_embedders(model, registry),
        views=choose_views(model.label, model.component, sources, model.asked.view),
        sources=sources,
    )


def _default_weights(label: str, spec: ModelSpec, request: Request) -> str:
    names = [w.name for w in spec.weights]
    if request.data.source in SIMULATED and names:
        return names[0]
    choices = ", ".join([*names, "a weights folder", "a checkpoint file", "hf:REPO@REV"])
    raise WeightsError(
        f"real data have no default weights: choose with --weights {label}=...; {choices}"
    )


def _embedders(model: _Chosen, registry: Registry) -> dict[str, Component]:
    """Those asked for, else the one the weights name, else the model's first.

    The model's own plugin comes first where several declare a name.
    """
    spec, card = model.component.spec, model.weights.card
    assert isinstance(spec, ModelSpec)
    if not model.asked.embedder and card.embedder and card.embedder not in spec.embedders:
        raise WeightsError(
            f"weights {model.weights.name!r} name the embedder {card.embedder!r}, which"
            f" {spec.name} does not go with: choose with --embedder {', '.join(spec.embedders)}"
        )
    names = model.asked.embedder or ((card.embedder,) if card.embedder else spec.embedders[:1])
    for name in names:
        if name not in spec.embedders:
            hint = did_you_mean(name, spec.embedders)
            raise UnknownNameError(
                f"model {model.label!r} does not go with embedder {name!r}{hint}"
            )
    return {name: registry.get("embedder", name, prefer=model.component.plugin) for name in names}


def _detectors(request: Request, registry: Registry) -> tuple[DetectorPlan, ...]:
    if not request.detector:
        known = ", ".join(c.spec.name for c in registry.all("detector"))
        raise ConfigError(f"name a detector with --detector; installed: {known or 'none'}")
    plans = []
    for label, asked in request.detector.items():
        component = registry.get("detector", asked.use)
        assert isinstance(component.spec, DetectorSpec)
        if component.spec.scope != "single":
            raise ConfigError(
                f"detector {label!r} has scope {component.spec.scope!r}; this version runs"
                " detectors of scope 'single'"
            )
        config = build(component.load_config(), asked.settings, f"detector.{label}")
        plans.append(DetectorPlan(label, component, config))
    return tuple(plans)


def plan_plots(request: Request, registry: Registry) -> tuple[PlotPlan, ...]:
    """The figures a request names, else those that are drawn by default."""
    asked: dict[str, tuple[str, dict[str, Any]]] = {
        label: (plot.use, plot.settings) for label, plot in request.plot.items()
    }
    if not asked:
        asked = {
            c.spec.name: (c.qualified, {})
            for c in registry.all("plot")
            if isinstance(c.spec, PlotSpec) and c.spec.default
        }
    plans = []
    for label, (use, settings) in asked.items():
        component = registry.get("plot", use)
        config = build(component.load_config(), settings, f"plot.{label}")
        plans.append(PlotPlan(label, component, config))
    return tuple(plans)
