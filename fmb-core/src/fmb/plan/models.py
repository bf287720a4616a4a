"""Models of a plan: which weights they load, what feeds them, how their tokens become vectors."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from fmb.contract.config import Config
from fmb.contract.dataset import Dataset
from fmb.contract.embedder import EmbedderSpec
from fmb.contract.inputs import InputInfo
from fmb.contract.model import ModelSpec, WeightsSpec
from fmb.matching.bindings import Bindings, bind_inputs, choose_views
from fmb.matching.usable import usable_views
from fmb.messages.errors import (
    ConfigError,
    DataError,
    UnknownNameError,
    WeightsError,
    did_you_mean,
)
from fmb.messages.notes import Note
from fmb.plan.choice import Chosen, choose
from fmb.plan.records import ModelPlan
from fmb.plugins.registry import Registry
from fmb.request.record import ModelRequest, Request
from fmb.weights.folder import Weights
from fmb.weights.lock import Lock
from fmb.weights.resolve import resolve_weights

__all__ = ["Weighted", "bind_model", "choose_weights"]


@dataclass(frozen=True)
class Weighted:
    """A model whose weights are known and whose inputs are not bound yet."""

    model: Chosen[ModelSpec]
    asked: ModelRequest
    weights: Weights
    state: str
    embedders: Mapping[str, Chosen[EmbedderSpec]]


def choose_weights(
    request: Request,
    registry: Registry,
    workspace: Path,
    *,
    simulated: bool,
    inputs: Callable[[], Mapping[str, InputInfo]],
) -> list[Weighted]:
    """The models that are asked for, each with its weights; nothing of the survey is needed.

    Args:
        request: what the user asks for.
        registry: the installed components.
        workspace: where weights are kept.
        simulated: the survey is, so that a model's first weights are taken where none are named.
        inputs: of the survey, for the choice that an error offers; nothing else opens it.

    Raises:
        ConfigError: none is named.
        FmbError: a name, option or weights that do not work.
    """
    if not request.model and request.embeddings is None:
        known = ", ".join(c.spec.name for c in registry.all(ModelSpec))
        raise ConfigError(f"name a model with --model; installed: {known or 'none'}")
    return [
        _weighted(label, asked, request, registry, workspace, simulated=simulated, inputs=inputs)
        for label, asked in request.model.items()
    ]


def _weighted(
    label: str,
    asked: ModelRequest,
    request: Request,
    registry: Registry,
    workspace: Path,
    *,
    simulated: bool,
    inputs: Callable[[], Mapping[str, InputInfo]],
) -> Weighted:
    model = choose(registry, ModelSpec, label, asked.use, asked.settings)
    reference = asked.weights or _default_weights(model, simulated=simulated)
    if not reference:
        fitting = _fitting(model, inputs(), workspace)
        choices = ", ".join([*fitting, "a weights folder", "a checkpoint file", "hf:REPO@REV"])
        raise WeightsError(
            f"real data have no default weights: choose with --weights {model.label}=...; {choices}"
        )
    weights = resolve_weights(
        model.component, reference, model.config, seed=request.run.seed, workspace=workspace
    )
    state = Lock(workspace).state(weights)
    return Weighted(
        model, asked, weights, state, _embedders(model, asked, weights, request, registry)
    )


def _default_weights(model: Chosen[ModelSpec], *, simulated: bool) -> str:
    """The first weights of a model on simulated data, "" where none are taken unasked."""
    return next((weights.name for weights in model.spec.weights if simulated), "")


def _fitting(
    model: Chosen[ModelSpec], inputs: Mapping[str, InputInfo], workspace: Path
) -> list[str]:
    """Weights of a model, by name, but for bundled ones that no input of a survey can feed."""
    return [one.name for one in model.spec.weights if _feeds(model, one, inputs, workspace)]


def _feeds(
    model: Chosen[ModelSpec],
    declared: WeightsSpec,
    inputs: Mapping[str, InputInfo],
    workspace: Path,
) -> bool:
    if not declared.location.startswith("package:"):
        return True  # not drawn or downloaded to be looked at
    try:
        card = resolve_weights(
            model.component, declared.name, Config(), seed=0, workspace=workspace
        ).card
        bind_inputs(model.label, card.accepts, inputs, wanted={}, allow_out_of_domain=True)
    except (DataError, WeightsError):
        return False
    return True


def _embedders(
    model: Chosen[ModelSpec],
    asked: ModelRequest,
    weights: Weights,
    request: Request,
    registry: Registry,
) -> dict[str, Chosen[EmbedderSpec]]:
    """Those asked for, else the one the weights name, else the model's first.

    A label of a table `[embedder.LABEL]` stands for what the table says. The model's own plugin
    comes first where several declare a name.
    """
    spec, named = model.spec, weights.card.embedder
    if not asked.embedder and named and named not in spec.embedders:
        raise WeightsError(
            f"weights {weights.name!r} name the embedder {named!r}, which {spec.name} does not go"
            f" with: choose with --embedder {', '.join(spec.embedders)}"
        )
    chosen = {}
    for label in asked.embedder or ((named,) if named else spec.embedders[:1]):
        table = request.embedder.get(label)
        use, settings = (label, {}) if table is None else (table.use, table.settings)
        if use.rpartition(":")[2] not in spec.embedders and not _fits_any(registry, use):
            hint = did_you_mean(use, spec.embedders)
            raise UnknownNameError(f"model {model.label!r} does not go with embedder {use!r}{hint}")
        chosen[label] = choose(
            registry, EmbedderSpec, label, use, settings, prefer=model.component.plugin
        )
    return chosen


def _fits_any(registry: Registry, name: str) -> bool:
    """True when `name` is an embedder that says it fits the tokens of any model."""
    named = [c for c in registry.all(EmbedderSpec) if name in (*c.spec.names, c.qualified)]
    return any(component.spec.any_model for component in named)


def bind_model(
    weighted: Weighted,
    dataset: Dataset,
    *,
    workspace: Path,
    allow_out_of_domain: bool,
    train: bool,
) -> ModelPlan:
    """The model bound to the inputs of a survey.

    Args:
        weighted: the model and its weights.
        dataset: the survey.
        workspace: where weights are kept.
        allow_out_of_domain: use inputs unlike those the weights were made for.
        train: bind what the model learns from, which its weights may not accept yet.

    Raises:
        DataError: nothing feeds it, a view it does not have is asked for, or no object can be used.
    """
    model, asked = weighted.model, weighted.asked
    learned = model.spec.retrain_accepts if train else ()
    try:
        bindings = bind_inputs(
            model.label,
            learned or weighted.weights.card.accepts,
            dataset.inputs,
            wanted=asked.input,
            allow_out_of_domain=allow_out_of_domain,
        )
    except DataError as error:
        others = [w for w in _fitting(model, dataset.inputs, workspace) if w != asked.weights]
        advice = f"; other weights: {', '.join(others)}, see `fmb plugins info {model.spec.name}`"
        raise DataError(f"{error}{advice if others else ''}") from None
    views = choose_views(model.label, model.spec, bindings, asked.view)
    told: tuple[Note, ...] = ()
    if not train:  # what a training learns from has views of its own
        views, told = usable_views(
            model.label, model.spec, bindings, dataset, views, asked=bool(asked.view)
        )
    return ModelPlan(
        label=model.label,
        component=model.component,
        config=model.config,
        weights=weighted.weights,
        weights_state=weighted.state,
        embedders=weighted.embedders,
        views=views,
        bindings=bindings,
        notes=(*_notes(weighted, bindings), *told),
    )


_WEIGHTS = {
    "drawn": ("random-weights", "{model} has random weights: a floor, not evidence"),
    "bundled": ("small-weights", "{model} has small weights, {name}: not evidence"),
    "unverified": ("unverified-weights", "{model}: weights {name} are unverified"),
}
"""State of weights -> code and text of the note on it."""


def _notes(weighted: Weighted, bindings: Bindings) -> Iterator[Note]:
    """What a reader must know of a model's weights and of what feeds them."""
    label, name = weighted.model.label, weighted.weights.card.name
    if weighted.state in _WEIGHTS:
        code, text = _WEIGHTS[weighted.state]
        yield Note(code, text.format(model=label, name=name))
    for why in bindings.out_of_domain:
        yield Note("out-of-domain", f"{label} out of domain: {why}")
    if not weighted.asked.view:
        for why in bindings.refused:
            yield Note("unused-input", f"{label} does without its {why}")
