"""The hooks of FMB: what a plugin may implement, when each fires and what it returns.

A plugin is a module in the entry-point group `fmb` that sets `FMB_API` and implements any of these
hooks. They declare and return records and never act, so that it imports `fmb` and the standard
library only. All of it follows from `KINDS`: a new kind is a file beside this one and a name there.
"""

from collections.abc import Callable, Iterable
from textwrap import indent

import pluggy

from fmb.contract.analysis import AnalysisSpec
from fmb.contract.command import CommandSpec
from fmb.contract.dataset import DatasetSpec
from fmb.contract.detector import DetectorSpec
from fmb.contract.embedder import EmbedderSpec
from fmb.contract.engine import EngineSpec
from fmb.contract.model import ModelSpec
from fmb.contract.plot import PlotSpec
from fmb.contract.spec import Spec

__all__ = ["API_VERSION", "HOOKS", "HOOK_SPECS", "KINDS", "hookimpl"]

API_VERSION = 1
"""Raised when a plugin written for the old hooks can no longer work."""

KINDS: tuple[type[Spec], ...] = (
    DatasetSpec,
    ModelSpec,
    EmbedderSpec,
    DetectorSpec,
    AnalysisSpec,
    PlotSpec,
    CommandSpec,
    EngineSpec,
)
"""What a plugin can declare, in the order of a run."""

HOOKS = {kind.kind: kind.hook() for kind in KINDS}
"""Kind of component -> the hook that declares it."""

hookimpl = pluggy.HookimplMarker("fmb")
_hookspec = pluggy.HookspecMarker("fmb")


def _hook(kind: type[Spec]) -> Callable[[], Iterable[Spec]]:
    def register() -> Iterable[Spec]:
        return ()

    register.__name__ = register.__qualname__ = kind.hook()
    register.__doc__ = (
        f"Declare {kind.plural}; called once, when the first command needs components.\n\n"
        f"Example:\n{indent(kind.example, '    ')}\n"
    )
    return _hookspec(register)


HOOK_SPECS = type("HookSpecs", (), {kind.hook(): staticmethod(_hook(kind)) for kind in KINDS})
"""One function a hook, for pluggy."""
