"""Finds plugins one by one; a broken one is reported and never takes the others down."""

import logging
import os
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from importlib.metadata import EntryPoint, entry_points
from importlib.util import find_spec
from types import ModuleType
from typing import Any

import pluggy

from fmb import hookspecs
from fmb.errors import PluginError, did_you_mean
from fmb.registry import Component, Registry
from fmb.specs import DatasetSpec, DetectorSpec, EmbedderSpec, ModelSpec, PlotSpec, Spec

__all__ = ["GROUP", "Failure", "Plugins", "load_plugins"]

GROUP = "fmb"
"""Entry-point group, hook marker and project name."""

logger = logging.getLogger(__name__)

_RECORDS: dict[str, type[Spec]] = {
    "dataset": DatasetSpec,
    "model": ModelSpec,
    "embedder": EmbedderSpec,
    "detector": DetectorSpec,
    "plot": PlotSpec,
}
_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_TARGET = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_][\w.]*")
_SUMMARY_MAX = 60


@dataclass(frozen=True)
class Failure:
    """A plugin that is left out, and why."""

    plugin: str
    distribution: str
    version: str
    stage: str
    """import, FMB_API, register, hooks, declare or requires."""
    error: str

    def __str__(self) -> str:
        where = f"{self.distribution} {self.version}"
        return f"plugin {self.plugin!r} ({where}) left out at {self.stage}: {self.error}"


@dataclass(frozen=True)
class Source:
    """Where a plugin comes from."""

    plugin: str
    distribution: str
    version: str


@dataclass(frozen=True)
class Plugins:
    """What was found: the components that work and the plugins that do not."""

    registry: Registry
    sources: tuple[Source, ...]
    failures: tuple[Failure, ...] = field(default=())


class _StageError(Exception):
    def __init__(self, stage: str, cause: BaseException | str) -> None:
        self.stage = stage
        if isinstance(cause, str):
            text = cause
        else:
            text = f"{type(cause).__name__}: {cause}".strip().rstrip(":")
        super().__init__(" ".join(text.split()))


def load_plugins(*, strict: bool = False, disabled: Iterable[str] = ()) -> Plugins:
    """Load every entry point of the group `fmb` and collect its records.

    Args:
        strict: raise for the first broken plugin instead of leaving it out; also switched on by
            the environment variable FMB_STRICT=1.
        disabled: entry-point names to skip, besides those in FMB_DISABLE_PLUGINS.

    Raises:
        PluginError: a plugin is broken and `strict` holds.
    """
    strict = strict or os.environ.get("FMB_STRICT", "") not in ("", "0")
    skipped = {*disabled, *filter(None, os.environ.get("FMB_DISABLE_PLUGINS", "").split(","))}
    manager = pluggy.PluginManager(GROUP)
    manager.add_hookspecs(hookspecs)
    registry = Registry()
    sources: list[Source] = []
    failures: list[Failure] = []
    for source, entry in _entries():
        if source.plugin in skipped:
            logger.debug("plugin %s is disabled", source.plugin)
            continue
        try:
            components = list(_load(manager, source, entry))
        except _StageError as error:
            failure = Failure(
                source.plugin, source.distribution, source.version, error.stage, str(error)
            )
            if strict:
                raise PluginError(str(failure)) from error.__cause__
            failures.append(failure)
            continue
        sources.append(source)
        for component in components:
            if missing := _missing(component.spec):
                error_text = (
                    f"{component.spec.kind} {component.spec.name!r} needs {', '.join(missing)};"
                    f" pip install {' '.join(missing)}"
                )
                failure = Failure(
                    source.plugin, source.distribution, source.version, "requires", error_text
                )
                if strict:
                    raise PluginError(str(failure))
                failures.append(failure)
            else:
                registry.add(component)
    registry.failures = tuple(failures)
    return Plugins(registry, tuple(sources), tuple(failures))


def _entries() -> Iterator[tuple[Source, EntryPoint]]:
    """Entry points in a stable order: the core first, then by name and distribution."""
    found = []
    for entry in entry_points(group=GROUP):
        dist = entry.dist
        name = dist.name if dist is not None else "unknown distribution"
        version = dist.version if dist is not None else "?"
        found.append((Source(entry.name, name, version), entry))
    found.sort(
        key=lambda pair: (pair[0].distribution != "fmb-core", pair[0].plugin, pair[0].distribution)
    )
    yield from dict(found).items()


def _load(manager: pluggy.PluginManager, source: Source, entry: EntryPoint) -> Iterator[Component]:
    module = _import(entry)
    api = getattr(module, "FMB_API", None)
    if api != hookspecs.API_VERSION:
        told = "sets no FMB_API" if api is None else f"was written for FMB_API {api}"
        raise _StageError("FMB_API", f"it {told}, this fmb-core has {hookspecs.API_VERSION}")
    key = f"{source.plugin}@{source.distribution}"
    try:
        manager.register(module, name=key)
    except Exception as error:  # pluggy unregisters nothing when validation fails half-way
        _unregister(manager, module)
        raise _StageError("register", error) from error
    try:
        _check_hooks(manager, module)
        yield from _declare(manager, module, source)
    except _StageError:
        _unregister(manager, module)
        raise


def _import(entry: EntryPoint) -> ModuleType:
    try:
        module = entry.load()
    except (Exception, SystemExit) as error:  # a plugin may do anything at import
        raise _StageError("import", error) from error
    if not isinstance(module, ModuleType):
        raise _StageError("import", f"the entry point names {module!r}, expected a module")
    return module


def _unregister(manager: pluggy.PluginManager, module: ModuleType) -> None:
    if manager.is_registered(module):
        manager.unregister(module)


def _check_hooks(manager: pluggy.PluginManager, module: ModuleType) -> None:
    try:
        manager.check_pending()
    except pluggy.PluginValidationError as error:
        known = hookspecs.HOOKS.values()
        wrong = [
            name
            for name in vars(module)
            if manager.parse_hookimpl_opts(module, name) is not None and name not in known
        ]
        text = "; ".join(f"unknown hook {name!r}{did_you_mean(name, known)}" for name in wrong)
        raise _StageError("hooks", text or error) from error


def _declare(
    manager: pluggy.PluginManager, module: ModuleType, source: Source
) -> Iterator[Component]:
    """All records of one plugin, or none: a hook that fails midway registers nothing."""
    components = []
    seen: set[tuple[str, str]] = set()
    for kind, hook in hookspecs.HOOKS.items():
        caller = getattr(manager.hook, hook)
        for impl in caller.get_hookimpls():
            if impl.plugin is not module:
                continue
            try:
                records = list(impl.function())
            except (Exception, SystemExit) as error:  # a plugin may do anything in its hook
                raise _StageError("declare", error) from error
            for record in records:
                _check_record(record, kind, hook)
                for name in (record.name, *record.aliases):
                    if (kind, name) in seen:
                        raise _StageError("declare", f"{hook} yields {kind} {name!r} twice")
                    seen.add((kind, name))
                components.append(
                    Component(record, source.plugin, source.distribution, source.version)
                )
    yield from components


def _check_record(record: Any, kind: str, hook: str) -> None:
    wanted = _RECORDS[kind]
    if type(record) is not wanted:
        raise _StageError(
            "declare", f"{hook} yields {type(record).__name__}, expected {wanted.__name__}"
        )
    for name in (record.name, *record.aliases):
        if not _NAME.fullmatch(name):
            raise _StageError("declare", f"{hook}: {name!r} is not lower case with hyphens")
    if len(record.summary) > _SUMMARY_MAX or "\n" in record.summary:
        raise _StageError(
            "declare", f"{hook}: summary of {record.name!r} is over {_SUMMARY_MAX} characters"
        )
    for attribute in ("target", "config"):
        if not _TARGET.fullmatch(getattr(record, attribute)):
            raise _StageError(
                "declare",
                f"{hook}: {attribute} of {record.name!r} is {getattr(record, attribute)!r},"
                ' expected "module:Class"',
            )


def _missing(spec: Spec) -> list[str]:
    return [name for name in spec.requires if name not in sys.modules and find_spec(name) is None]
