"""Finds plugins one by one; a broken one is reported and never takes the others down."""

import os
import re
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.metadata import EntryPoint, distributions
from importlib.util import find_spec
from types import ModuleType
from typing import NamedTuple

import pluggy

from fmb.contract.command import CommandSpec
from fmb.contract.hooks import API_VERSION, HOOK_SPECS, HOOKS, KINDS
from fmb.contract.spec import Spec
from fmb.messages.errors import FmbError, PluginError, did_you_mean
from fmb.plugins.checks import check_record
from fmb.plugins.failures import Failure, Missing, Origin
from fmb.plugins.registry import Component, Registry

__all__ = ["CORE", "GROUP", "Plugins", "load_plugins", "plugin_entries"]

GROUP = "fmb"
UNREADABLE = "its entry_points.txt cannot be read"
"""Entry-point group, hook marker and project name."""
CORE = "fmb-core"
"""The distribution whose names of commands nobody else can claim."""
SLOW_SECONDS = 0.3
"""An import that takes longer is named."""


class Plugins(NamedTuple):
    """What was found: the components that work and the plugins that do not."""

    registry: Registry
    origins: tuple[Origin, ...]
    failures: tuple[Failure, ...] = ()
    slow: Mapping[Origin, float] = {}
    """Plugins whose import keeps every command waiting, and for how many seconds."""


class _StageError(Exception):
    def __init__(self, stage: str, text: str) -> None:
        self.stage = stage
        super().__init__(" ".join(text.split()))


def load_plugins(
    *,
    strict: bool = False,
    disabled: Iterable[str] = (),
    kinds: Sequence[type[Spec]] = KINDS,
) -> Plugins:
    """Load every entry point of the group `fmb` and collect its records.

    Args:
        strict: raise for the first broken plugin instead of leaving it out; also switched on by
            the environment variable FMB_STRICT=1.
        disabled: entry-point names to skip, besides those in FMB_DISABLE_PLUGINS.
        kinds: of records to collect; a list of commands need not wait for the others.

    Raises:
        PluginError: a plugin is broken and `strict` holds.
    """
    strict = strict or os.environ.get("FMB_STRICT", "") not in ("", "0")
    named = os.environ.get("FMB_DISABLE_PLUGINS", "").split(",")
    skipped = {*disabled, *(name.strip() for name in named)}
    registry = Registry()
    origins: list[Origin] = []
    failures: list[Failure] = []
    missing: list[Missing] = []
    slow: dict[Origin, float] = {}
    manager = pluggy.PluginManager(GROUP)
    manager.add_hookspecs(HOOK_SPECS)
    for entry in plugin_entries():
        if entry.name in skipped:
            continue
        start = time.perf_counter()
        try:
            records = _load(manager, entry, kinds)
            _check_commands(entry, records, registry)
        except _StageError as error:
            failures.append(_failure(_origin(entry), error, strict))
            continue
        origin = _origin(entry) if records or kinds is KINDS else None
        if origin is not None:
            origins.append(origin)
            if (seconds := time.perf_counter() - start) > SLOW_SECONDS:
                slow[origin] = seconds
            for record in records:
                try:
                    absent = _absent(record, origin)
                except _StageError as error:
                    failures.append(_failure(origin, error, strict))
                else:
                    missing.append(absent) if absent else registry.add(Component(record, *origin))
    registry.failures, registry.missing = tuple(failures), tuple(missing)
    return Plugins(registry, tuple(origins), tuple(failures), slow)


def _failure(origin: Origin, error: _StageError, strict: bool) -> Failure:
    failure = Failure(*origin, error.stage, str(error))
    if strict:
        raise PluginError(str(failure)) from error
    return failure


def plugin_entries() -> list[EntryPoint]:
    """The entry points of the group, the core's first, then by name.

    As `importlib.metadata.entry_points(group=GROUP)`, but files that do not name the group are not
    parsed: that is a third of what looking costs among a hundred distributions.
    """
    entries: dict[tuple[str, str], EntryPoint] = {}
    for distribution in distributions():
        try:
            named = GROUP in (distribution.read_text("entry_points.txt") or "")
            listed = distribution.entry_points if named else ()
            for entry in listed:
                if entry.group == GROUP:  # of two copies of one the first is imported
                    entries.setdefault((entry.name, entry.value), entry)
        except Exception:  # a damaged list raises differently in each version of Python
            name = str(getattr(distribution, "name", None) or "unknown distribution")
            entry = EntryPoint(name, UNREADABLE, GROUP)
            entries[name, UNREADABLE] = entry
    return sorted(entries.values(), key=lambda e: (not _is_core(e), e.name, e.value))


def _is_core(entry: EntryPoint) -> bool:
    return entry.value == "fmb.plugins.builtin"


def _origin(entry: EntryPoint) -> Origin:
    """Where a plugin comes from: two headers of its metadata, whose parser costs 2 ms to import."""
    unknown = Origin(entry.name, "unknown distribution", "?")
    if entry.dist is None:
        return unknown
    try:
        text = entry.dist.read_text("METADATA") or entry.dist.read_text("PKG-INFO") or ""
    except Exception:  # damaged metadata raise differently in each version of Python
        return unknown
    headers = dict(re.findall(r"^(Name|Version): *(\S+)", text.partition("\n\n")[0], re.MULTILINE))
    return Origin(
        entry.name,
        headers.get("Name", unknown.distribution),
        headers.get("Version", unknown.version),
    )


@contextmanager
def _stage(name: str) -> Iterator[None]:
    """Whatever the plugin's own code does here becomes one line; Ctrl-C still works."""
    try:
        yield
    except _StageError:
        raise
    except FmbError as error:
        raise _StageError(name, str(error)) from error
    except (KeyboardInterrupt, GeneratorExit):
        raise
    except BaseException as error:  # also what test tools and sys.exit() raise
        try:
            text = f"{type(error).__name__}: {error}"
        except Exception:  # an exception whose text cannot be had
            text = type(error).__name__
        raise _StageError(name, text.strip().removesuffix(":")) from error


def _load(
    manager: pluggy.PluginManager, entry: EntryPoint, kinds: Sequence[type[Spec]]
) -> list[Spec]:
    """All records of one plugin, or none; nothing of it stays in the manager."""
    with _stage("import"):
        if entry.value == UNREADABLE:
            raise _StageError("import", UNREADABLE)
        module = entry.load()
        if not isinstance(module, ModuleType):
            raise _StageError("import", f"the entry point names {module!r}, expected a module")
    with _stage("FMB_API"):
        _check_api(getattr(module, "FMB_API", None))
    try:
        with _stage("register"):
            manager.register(module, name=entry.name)
        with _stage("hooks"):
            _check_hooks(manager, module)
        with _stage("declare"):
            return _declare(manager, kinds)
    finally:
        # What one plugin registers cannot reach another.
        if manager.is_registered(module):
            manager.unregister(module)


def _check_api(api: object) -> None:
    if api != API_VERSION:
        told = "sets no FMB_API" if api is None else f"was written for FMB_API {api!r}"
        raise _StageError("FMB_API", f"it {told}, this fmb-core has {API_VERSION}")


def _check_hooks(manager: pluggy.PluginManager, module: ModuleType) -> None:
    """Refuse a function that looks like a hook and would never be called."""
    known = HOOKS.values()
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


def _declare(manager: pluggy.PluginManager, kinds: Sequence[type[Spec]]) -> list[Spec]:
    records: list[Spec] = []
    seen: set[tuple[str, str]] = set()
    for kind in kinds:
        hook = kind.hook()
        for implementation in getattr(manager.hook, hook).get_hookimpls():
            for record in implementation.function():
                try:
                    check_record(record, kind)
                except FmbError as error:
                    raise _StageError("declare", f"{hook}: {error}") from error
                for name in record.names:
                    if (kind.kind, name) in seen:
                        raise _StageError("declare", f"{hook}: {name!r} is declared twice")
                    seen.add((kind.kind, name))
                records.append(record)
    return records


def _check_commands(entry: EntryPoint, records: Iterable[Spec], known: Registry) -> None:
    """Refuse a command that would hide one of the core's, or that nothing would show."""
    if _is_core(entry):
        return
    core = [c.spec for c in known.all(CommandSpec) if c.distribution == CORE]
    taken, groups = {name for spec in core for name in spec.names}, {spec.group for spec in core}
    for record in records:
        if isinstance(record, CommandSpec) and core:
            for name in taken.intersection(record.names):
                raise _StageError("declare", f"the command {name!r} belongs to {CORE}")
            if record.group not in groups:
                raise _StageError(
                    "declare",
                    f"the command {record.name!r} is of the group {record.group!r}, which fmb"
                    f" does not have: use one of {', '.join(sorted(groups - {''}))}, or none",
                )


def _absent(spec: Spec, origin: Origin) -> Missing | None:
    """What an extra would bring; without an extra, what is missing is a failure."""
    with _stage("requires"):
        modules = tuple(n for n in spec.requires if n not in sys.modules and find_spec(n) is None)
        if not modules:
            return None
        if spec.extra:
            return Missing(spec, origin, modules)
        plural = "module" if len(modules) == 1 else "modules"
        raise _StageError(
            "requires",
            f"{spec.kind} {spec.name!r} needs the {plural} {', '.join(modules)}, not"
            f" installed here; reinstall {origin.distribution} with its dependencies",
        )
