"""FMB, the Foundation Models Benchmark: strange objects of a survey, according to which model."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fmb.config import Config
    from fmb.data import (
        Batch,
        Columns,
        Embeddings,
        Images,
        Inputs,
        Members,
        Pairs,
        Spectra,
        Vectors,
    )
    from fmb.errors import FmbError
    from fmb.hookspecs import API_VERSION, hookimpl
    from fmb.protocols import PlotData, Tokens
    from fmb.runs import Run, open_run, run
    from fmb.specs import (
        Accepts,
        DatasetSpec,
        DetectorSpec,
        EmbedderSpec,
        ModelSpec,
        PlotSpec,
        WeightsSpec,
    )

# Resolved on first use: importing fmb must not import numpy, torch or pydantic.
_HOME = {
    "API_VERSION": "fmb.hookspecs",
    "Accepts": "fmb.specs",
    "Batch": "fmb.data",
    "Columns": "fmb.data",
    "Config": "fmb.config",
    "DatasetSpec": "fmb.specs",
    "DetectorSpec": "fmb.specs",
    "Embeddings": "fmb.data",
    "EmbedderSpec": "fmb.specs",
    "FmbError": "fmb.errors",
    "Images": "fmb.data",
    "Inputs": "fmb.data",
    "Members": "fmb.data",
    "ModelSpec": "fmb.specs",
    "Pairs": "fmb.data",
    "PlotData": "fmb.protocols",
    "PlotSpec": "fmb.specs",
    "Run": "fmb.runs",
    "Spectra": "fmb.data",
    "Tokens": "fmb.protocols",
    "Vectors": "fmb.data",
    "WeightsSpec": "fmb.specs",
    "hookimpl": "fmb.hookspecs",
    "open_run": "fmb.runs",
    "run": "fmb.runs",
}

__all__ = [
    "API_VERSION",
    "Accepts",
    "Batch",
    "Columns",
    "Config",
    "DatasetSpec",
    "DetectorSpec",
    "EmbedderSpec",
    "Embeddings",
    "FmbError",
    "Images",
    "Inputs",
    "Members",
    "ModelSpec",
    "Pairs",
    "PlotData",
    "PlotSpec",
    "Run",
    "Spectra",
    "Tokens",
    "Vectors",
    "WeightsSpec",
    "hookimpl",
    "open_run",
    "run",
]


def __getattr__(name: str) -> Any:
    try:
        module = _HOME[name]
    except KeyError:
        raise AttributeError(f"module 'fmb' has no attribute {name!r}") from None
    return getattr(import_module(module), name)


def __dir__() -> list[str]:
    return sorted(_HOME)
