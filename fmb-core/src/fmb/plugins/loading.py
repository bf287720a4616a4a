"""Finds plugins one by one; a broken one is reported and never takes the others down."""

import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.metadata import EntryPoint, entry_points
from importlib.util import find_spec
from types import ModuleType

import pluggy

from fmb.contract import hooks as hookspecs
from fmb.contract.errors import FmbError, PluginError, did_you_mean
from fmb.contract.spec import Spec
from fmb.plugins.checks import check_record
from fmb.plugins.failures import Failure, Source
from fmb.plugins.registry import Component, Registry

__all__ = ["GROUP", "Plugins", "load_plugins"]

GROUP = "fmb"
"""Entry-point group, hook marker and project name."""


@dataclass(frozen=True)
class Plugins:
    """What was found: the components that work and the plugins that do not."""

    registry: Registry
    sources: tuple[Source, ...]
    failures: tuple[Failure, ...] = field(default=())


class _StageError(Exception):
    def __init__(self, stage: str, text: str) -> None:
        self.stage = stage
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
    named = os.environ.get("FMB_DISABLE_PLUGINS", "").split(",")
    skipped = {*disabled, *(name.strip() for name in named)}
    registry = Registry()
    sources: list[Source] = []
    failures: list[Failure] = []
    for source, entry in _entries():
        if source.plugin in skipped:
            continue
        try:
            components = _load(source, entry)
        except _StageError as error:
            failures.append(_failure(source, error, strict))
            continue
        sources.append(source)
        for component in components:
            try:
                _require(component.spec, source)
            except _StageError as error:
                failures.append(_failure(source, error, strict))
            else:
                registry.add(component)
    registry.failures = tuple(failures)
    return Plugins(registry, tuple(sources), tuple(failures))


def _failure(source: Source, error: _StageError, strict: bool) -> Failure:
    failure = Failure(source.plugin, source.distribution, source.version, error.stage, str(error))
    if strict:
        raise PluginError(str(failure)) from error
    return failure


def _entries() -> Iterator[tuple[Source, EntryPoint]]:
    """Entry points in a stable order: the core first, then by name and distribution."""
    found = {_source(entry): entry for entry in entry_points(group=GROUP)}
    yield from sorted(
        found.items(),
        key=lambda pair: (pair[0].distribution != "fmb-core", pair[0].plugin, pair[0].distribution),
    )


def _source(entry: EntryPoint) -> Source:
    unknown = Source(entry.name, "unknown distribution", "?")
    if entry.dist is None:
        return unknown
    try:
        name, version = entry.dist.name, entry.dist.version
    except Exception:  # damaged metadata raise differently in each version of Python
        return unknown
    return Source(entry.name, name or unknown.distribution, version or unknown.version)


@contextmanager
def _stage(name: str) -> Iterator[None]:
    """Whatever the plugin's own code does here becomes one line; Ctrl-C still works."""
    try:
        yield
    except _StageError:
        raise
    except FmbError as error:
        raise _StageError(name, str(error)) from error
    except (Exception, SystemExit) as error:
        try:
            text = f"{type(error).__name__}: {error}"
        except Exception:  # an exception whose text cannot be had
            text = type(error).__name__
        raise _StageError(name, text.strip().removesuffix(":")) from error


def _load(source: Source, entry: EntryPoint) -> list[Component]:
    """All components of one plugin, or none."""
    with _stage("import"):
        module = entry.load()
        if not isinstance(module, ModuleType):
            raise _StageError("import", f"the entry point names {module!r}, expected a module")
    with _stage("FMB_API"):
        _check_api(getattr(module, "FMB_API", None))
    # A manager of its own: what one plugin registers cannot reach another.
    manager = pluggy.PluginManager(GROUP)
    manager.add_hookspecs(hookspecs)
    with _stage("register"):
        manager.register(module, name=source.plugin)
    with _stage("hooks"):
        _check_hooks(manager, module)
    with _stage("declare"):
        components = _declare(manager, source)
    return components


def _check_api(api: object) -> None:
    if api != hookspecs.API_VERSION:
        told = "sets no FMB_API" if api is None else f"was written for FMB_API {api!r}"
        raise _StageError("FMB_API", f"it {told}, this fmb-core has {hookspecs.API_VERSION}")


def _check_hooks(manager: pluggy.PluginManager, module: ModuleType) -> None:
    """Refuse a function that looks like a hook and would never be called."""
    known = hookspecs.HOOKS.values()
    wrong = []
    for name, value in vars(module).items():
        options = manager.parse_hookimpl_opts(module, name)
        if options is not None:
            hook = options.get("specname") or name
            if hook not in known and not options.get("optionalhook"):
                wrong.append(f"unknown hook {hook!r}{did_you_mean(hook, known)}")
        elif name.startswith("fmb_register_") and getattr(value, "__module__", "") == (
            module.__name__
        ):
            wrong.append(f"{name!r} is not marked with @hookimpl")
    if wrong:
        raise _StageError("hooks", "; ".join(wrong))
    manager.check_pending()


def _declare(manager: pluggy.PluginManager, source: Source) -> list[Component]:
    components = []
    seen: set[tuple[str, str]] = set()
    for kind, hook in hookspecs.HOOKS.items():
        for implementation in getattr(manager.hook, hook).get_hookimpls():
            for record in implementation.function():
                try:
                    check_record(record, kind)
                except FmbError as error:
                    raise _StageError("declare", f"{hook}: {error}") from error
                for name in (record.name, *record.aliases):
                    if (kind, name) in seen:
                        raise _StageError("declare", f"{hook}: {name!r} is declared twice")
                    seen.add((kind, name))
                components.append(
                    Component(record, source.plugin, source.distribution, source.version)
                )
    return components


def _require(spec: Spec, source: Source) -> None:
    with _stage("requires"):
        missing = [n for n in spec.requires if n not in sys.modules and find_spec(n) is None]
        if missing:
            modules = "module" if len(missing) == 1 else "modules"
            raise _StageError(
                "requires",
                f"{spec.kind} {spec.name!r} needs the {modules} {', '.join(missing)}, not"
                f" installed here; reinstall {source.distribution} with its dependencies",
            )
