"""What each installed model would make of a survey, before anything is read or drawn."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from fmb.contract.arrays import Array
from fmb.contract.config import Config
from fmb.contract.dataset import Dataset
from fmb.contract.model import Accepts, ModelSpec, WeightsSpec
from fmb.matching.bindings import bind_inputs, choose_views
from fmb.matching.usable import usable_views
from fmb.messages.errors import DataError, FmbError
from fmb.plugins.registry import Component, Registry
from fmb.plugins.settings import build
from fmb.weights.resolve import resolve_weights

__all__ = ["Outlook", "outlooks"]


@dataclass(frozen=True)
class Outlook:
    """What one model with certain weights would make of a survey."""

    model: str
    weights: str
    """As users name them; "" where the model declares none."""
    feeds: dict[str, str] = field(default_factory=dict)
    """Slot -> instrument."""
    views: dict[str, int] = field(default_factory=dict)
    """View -> objects that have all of its inputs."""
    refused: str = ""
    """Why nothing of the survey is used, "" where something is."""
    remarks: tuple[str, ...] = ()
    """Why parts of it are not used, or unlike what the weights were made for."""

    def told(self) -> str:
        """In a line."""
        if self.refused:
            return f"refused: {self.refused}"
        fed = ", ".join(f"{slot} from {name}" for slot, name in self.feeds.items())
        views = ", ".join(f"{view} of {n:,}" for view, n in self.views.items())
        return "; ".join([f"takes {fed}", f"vectors: {views}", *self.remarks])


def outlooks(dataset: Dataset, registry: Registry, workspace: Path) -> Iterator[Outlook]:
    """One for each installed model and set of weights that it declares.

    What weights accept is what their card says; of published ones, which may have to be downloaded
    first, what the model says of itself.
    """
    for component in registry.all(ModelSpec):
        for declared in component.spec.weights or (None,):
            yield _outlook(component, declared, dataset, workspace)


def _outlook(
    component: Component[ModelSpec],
    declared: WeightsSpec | None,
    dataset: Dataset,
    workspace: Path,
) -> Outlook:
    spec = component.spec
    name = "" if declared is None else declared.name
    try:
        accepts = _accepts(component, declared, workspace)
    except FmbError as error:
        return Outlook(spec.name, name, refused=_short(spec.name, error))
    refused = ""
    for beyond in (False, True):
        try:
            bound = bind_inputs(
                spec.name, accepts, dataset.inputs, wanted={}, allow_out_of_domain=beyond
            )
            views = choose_views(spec.name, spec, bound, ())
            usable, _ = usable_views(spec.name, spec, bound, dataset, views, asked=False)
        except DataError as error:
            refused = refused or _short(spec.name, error)
            continue
        break
    else:
        return Outlook(spec.name, name, refused=refused)
    have = {slot: dataset.inputs[source].have(len(dataset)) for slot, source in bound.slots.items()}
    counts = {v: int(_all(have[slot] for slot in spec.views[v]).sum()) for v in usable}
    remarks = (*bound.refused, *((refused,) if refused else ()))
    return Outlook(spec.name, name, dict(bound.slots), counts, remarks=remarks)


def _accepts(
    component: Component[ModelSpec], declared: WeightsSpec | None, workspace: Path
) -> Sequence[Accepts]:
    if declared is None or declared.location.startswith("hf:"):
        return component.spec.accepts
    # Options shape what is drawn, and are refused by weights with a card of their own.
    config = build(component.load_config(), {}, component.spec.name) if declared.card else Config()
    found = resolve_weights(component, declared.name, config, seed=0, workspace=workspace)
    return found.card.accepts


def _all(have: Iterator[Array]) -> Array:
    return np.asarray(np.logical_and.reduce(list(have)))


def _short(model: str, error: FmbError) -> str:
    """The error without the name of the model, which stands beside it."""
    text = str(error).removeprefix(f"nothing in this survey can feed model {model!r}: ")
    return text.removeprefix(f"model {model!r}: ")
