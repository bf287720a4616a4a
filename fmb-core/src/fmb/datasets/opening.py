"""Finds what reads a survey: a dataset's name, or a path and the reader that answers to it."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from fmb.contract.config import build
from fmb.contract.dataset import Dataset, DatasetSpec
from fmb.contract.errors import (
    AmbiguousNameError,
    ConfigError,
    DataError,
    UnknownNameError,
    did_you_mean,
)
from fmb.plugins.loading import load_plugins
from fmb.plugins.registry import Component, Registry

__all__ = ["open_dataset"]


def open_dataset(
    source: str,
    *,
    reader: str | None = None,
    settings: Mapping[str, Any] | None = None,
    cache: Path,
    registry: Registry | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Dataset:
    """The dataset a user names.

    A word that names a dataset is that dataset; write ./word for a folder of the same name.
    Anything else is a path: the reader that claims the file's ending, or a file in the folder,
    opens it.

    Args:
        source: name or path.
        reader: the dataset component to use whatever the source looks like.
        settings: the component's configuration.
        cache: folder in which a dataset may keep files.
        registry: the installed components; None = load them.
        progress: called with the objects made and their number, by a dataset that is simulated.

    Raises:
        DataError: there is no such file, or no installed reader takes it.
        AmbiguousNameError: two readers take it.
        UnknownNameError: no dataset has this name.
        ConfigError: a setting does not fit.
    """
    if registry is None:
        registry = load_plugins().registry
    component = registry.get("dataset", reader) if reader else _choose(source, registry)
    config = build(component.load_config(), settings or {}, "data")
    dataset: Dataset = component.load()(source, config, cache=cache, progress=progress)
    return dataset


def _spec(component: Component) -> DatasetSpec:
    assert isinstance(component.spec, DatasetSpec)
    return component.spec


def _reads_files(component: Component) -> bool:
    return bool(_spec(component).suffixes or _spec(component).markers)


def _choose(source: str, registry: Registry) -> Component:
    components = list(registry.all("dataset"))
    path = Path(source).expanduser()
    words = [word for c in components for word in (c.spec.name, c.qualified, *c.spec.aliases)]
    if source in words:
        named = registry.get("dataset", source)
        if _reads_files(named):
            raise ConfigError(
                f"{source!r} reads files: give --data the path, and --reader {source} if needed"
            )
        return named
    if path.exists():
        return _reader(path, [c for c in components if _reads_files(c)])
    if path.suffix or len(path.parts) > 1 or source.startswith("."):
        raise DataError(f"{source}: no such file or folder")
    names = [c.spec.name for c in components if not _reads_files(c)]
    raise UnknownNameError(
        f"{source!r} is neither a dataset nor a file{did_you_mean(source, names)}"
    )


def _reader(path: Path, readers: list[Component]) -> Component:
    if path.is_dir():
        found = [c for c in readers if any((path / m).exists() for m in _spec(c).markers)]
        wanted = " or ".join(m for c in readers for m in _spec(c).markers)
        why = f"the folder holds no {wanted}"
    else:
        found = [c for c in readers if path.name.lower().endswith(_spec(c).suffixes or ("\0",))]
        why = f"no installed reader takes {path.suffix!r} files"
    if not found:
        raise DataError(f"{path}: {why}; describe the data in a survey.toml and give its path")
    if len(found) > 1:
        names = " or ".join(f"--reader {c.qualified}" for c in found)
        raise AmbiguousNameError(f"{path}: two readers take it; choose with {names}")
    return found[0]
