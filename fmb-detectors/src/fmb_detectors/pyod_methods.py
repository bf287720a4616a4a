"""Methods of PyOD: which it has, and the class of one."""

import ast
import sys
from contextlib import redirect_stdout
from functools import cache
from importlib import import_module
from importlib.metadata import version
from importlib.util import find_spec
from inspect import Parameter, signature
from pathlib import Path
from typing import Any

from fmb import ConfigError, PluginError, did_you_mean

__all__ = ["method", "method_options", "methods", "pyod_version"]

PARENTS = ("BaseDetector", "BaseDeepLearningDetector")
OTHER_INPUT = ("audio_", "embedding", "pyg_", "ts_")
"""Modules of methods that take sounds, texts, graphs or time series in place of vectors."""


def methods() -> dict[str, str]:
    """Class -> module, of the methods that take vectors; found without importing any of them."""
    modules = sorted((_folder() / "models").glob("*.py"))
    found: dict[str, str] = {}
    for file in modules:
        if not file.stem.startswith(OTHER_INPUT):
            for name in _classes(file):
                found.setdefault(name, f"pyod.models.{file.stem}")
    return found


def method(name: str) -> Any:
    """The class of a method.

    Raises:
        ConfigError: PyOD has none of this name, it wants labels, or a module that it needs is
            not installed.
        PluginError: PyOD is not installed.
    """
    known = methods()
    if name not in known:
        raise ConfigError(f"no method of PyOD is called {name!r}{did_you_mean(name, known)}")
    try:
        with redirect_stdout(sys.stderr):  # some print what they lack
            found = getattr(import_module(known[name]), name)
    except ImportError as error:
        raise ConfigError(f"PyOD's {name} cannot be imported: {_line(error)}") from None
    labels = signature(found.fit).parameters.get("y")
    if labels is not None and labels.default is Parameter.empty:
        raise ConfigError(f"PyOD's {name} learns from labels, which a detector is not given")
    return found


def method_options(found: Any) -> list[str]:
    """Names of the options of a method."""
    return [
        name
        for name, one in signature(found).parameters.items()
        if one.kind in (Parameter.POSITIONAL_OR_KEYWORD, Parameter.KEYWORD_ONLY)
    ]


def pyod_version() -> str:
    """The version of PyOD that is installed."""
    return version("pyod")


def _folder() -> Path:
    spec = find_spec("pyod")  # imports nothing: PyOD itself takes two seconds
    if spec is None or not spec.submodule_search_locations:
        raise PluginError("PyOD is not installed: pip install 'fmb-detectors[pyod]'")
    return Path(spec.submodule_search_locations[0])


@cache
def _classes(file: Path) -> tuple[str, ...]:
    """Classes of a module that are detectors by their parent."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    return tuple(
        node.name
        for node in tree.body
        if isinstance(node, ast.ClassDef)
        and any(isinstance(base, ast.Name) and base.id in PARENTS for base in node.bases)
        and node.name not in PARENTS
    )


def _line(error: Exception) -> str:
    return " ".join(str(error).split())
