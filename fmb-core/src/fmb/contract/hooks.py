"""The hooks of FMB: what a plugin may implement, when each fires and what it returns.

A plugin is a module registered under the entry-point group `fmb`. It sets `FMB_API` to the
`API_VERSION` it was written for and implements any of these hooks. Hooks declare and return
records; they never act, so a plugin module imports `fmb` and the standard library only.
"""

from collections.abc import Iterable

import pluggy

from fmb.contract.dataset import DatasetSpec
from fmb.contract.detector import DetectorSpec
from fmb.contract.embedder import EmbedderSpec
from fmb.contract.model import ModelSpec
from fmb.contract.plot import PlotSpec

__all__ = ["API_VERSION", "HOOKS", "hookimpl"]

API_VERSION = 1
"""Raised when a plugin written for the old hooks can no longer work."""

hookspec = pluggy.HookspecMarker("fmb")
hookimpl = pluggy.HookimplMarker("fmb")


@hookspec
def fmb_register_datasets() -> Iterable[DatasetSpec]:  # type: ignore[empty-body]
    """Declare datasets and readers; called once, when the first command needs components.

    Example:
        yield DatasetSpec(name="mysurvey", summary="Cutouts of my survey",
                          target="mypkg.survey:open_survey", config="mypkg.survey:SurveyConfig",
                          suffixes=(".zarr",))
    """


@hookspec
def fmb_register_models() -> Iterable[ModelSpec]:  # type: ignore[empty-body]
    """Declare foundation models; called once, when the first command needs components.

    Example:
        yield ModelSpec(name="mymodel", summary="My image encoder", target="mypkg.model:MyModel",
                        config="mypkg.config:MyConfig", embedders=("mean",),
                        accepts=(Accepts(slot="image", kind="images", bands=("VIS",)),),
                        views={"image": ("image",)})
    """


@hookspec
def fmb_register_embedders() -> Iterable[EmbedderSpec]:  # type: ignore[empty-body]
    """Declare reductions of tokens to vectors; called once, when components are needed.

    Example:
        yield EmbedderSpec(name="mean", summary="Mean over tokens",
                           target="mypkg.pooling:Mean", config="fmb.contract.config:Config")
    """


@hookspec
def fmb_register_detectors() -> Iterable[DetectorSpec]:  # type: ignore[empty-body]
    """Declare detectors; called once, when the first command needs components.

    Example:
        yield DetectorSpec(name="norm", summary="Distance from the mean",
                           target="mypkg.norm:NormDetector", config="mypkg.norm:NormConfig")
    """


@hookspec
def fmb_register_plots() -> Iterable[PlotSpec]:  # type: ignore[empty-body]
    """Declare figures; called once, when the first command needs components.

    Example:
        yield PlotSpec(name="score-histogram", summary="Scores of all objects",
                       target="mypkg.histogram:ScoreHistogram", config="fmb.contract.config:Config",
                       needs=("scores",))
    """


HOOKS = {
    "dataset": "fmb_register_datasets",
    "model": "fmb_register_models",
    "embedder": "fmb_register_embedders",
    "detector": "fmb_register_detectors",
    "plot": "fmb_register_plots",
}
"""Kind of component -> the hook that declares it."""
