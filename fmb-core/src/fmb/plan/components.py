"""The options of all components that a request names, checked before anything is opened."""

from collections.abc import Mapping
from typing import Any

from fmb.contract.analysis import AnalysisSpec
from fmb.contract.detector import DetectorSpec
from fmb.contract.embedder import EmbedderSpec
from fmb.contract.engine import EngineSpec
from fmb.contract.model import ModelSpec
from fmb.contract.plot import PlotSpec
from fmb.datasets.opening import find_reader
from fmb.plan.choice import choose
from fmb.plugins.registry import Registry
from fmb.plugins.settings import build
from fmb.request.record import Request

__all__ = ["check_components", "check_embedders"]

_KINDS = (ModelSpec, DetectorSpec, AnalysisSpec, PlotSpec, EngineSpec)


def check_components(request: Request, registry: Registry) -> list[str]:
    """Refuse a component that nobody has and an option that it does not take.

    Returns:
        What is to be said all the same, as `check_embedders` does.

    Raises:
        FmbError: as a run would; nothing is opened, and no weights are looked for.
    """
    for kind in _KINDS:
        tables: Mapping[str, Any] = getattr(request, kind.kind)
        for label, table in tables.items():
            choose(registry, kind, label, table.use, table.settings)
    if request.embeddings is None and request.data.settings:
        reader = find_reader(request.data.source, request.data.reader, registry)
        build(reader.load_config(), request.data.settings, "data")
    return check_embedders(request, registry)


def check_embedders(request: Request, registry: Registry) -> list[str]:
    """Refuse what is wrong in a table `[embedder.LABEL]`, whether a model uses it or not.

    A model that names no embedder uses one of those that it goes with, under its own name.

    Returns:
        A line on each table that no model can come to use; none where there is no model.

    Raises:
        FmbError: nobody has the embedder, or it does not take an option.
    """
    users: dict[str, str] = {}  # label -> plugin of a model that may use it
    for model in request.model.values():
        component = registry.get(ModelSpec, model.use)
        for label in model.embedder or component.spec.embedders:
            users.setdefault(label, component.plugin)
    for label, table in request.embedder.items():
        prefer = users.get(label, "")
        choose(registry, EmbedderSpec, label, table.use, table.settings, prefer=prefer)
    return [
        f"[embedder.{label}] is used by no model; name it with --embedder {label}"
        for label in request.embedder
        if request.model and label not in users
    ]
