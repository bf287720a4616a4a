"""Finds what reads a survey: a dataset's name, or a path and the reader that answers to it."""

import fnmatch
import os
from collections.abc import Callable, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

from fmb.contract.dataset import Dataset, DatasetSpec
from fmb.datasets.names import refuse_names
from fmb.messages.errors import (
    AmbiguousNameError,
    ConfigError,
    DataError,
    UnknownNameError,
    did_you_mean,
)
from fmb.plugins.loading import load_plugins
from fmb.plugins.registry import Component, Registry
from fmb.plugins.settings import build

__all__ = ["find_reader", "open_dataset", "open_with"]

Reader = Component[DatasetSpec]

LOOKED_AT = 10_000
"""Names in a folder that nobody takes, by which it is told what could be meant."""


def find_reader(source: str | None, reader: str | None, registry: Registry) -> Reader:
    """The component that opens what a user names.

    A word that names a dataset is that dataset; write ./word for a folder of the same name.
    Anything else is a URL or a path: the reader that claims the URL, the file's ending, or a file
    in the folder, opens it.

    Args:
        source: name or path; None = the dataset that is taken when none is named.
        reader: the dataset component to use whatever the source looks like.
        registry: the installed components.

    Raises:
        DataError: there is no such file, or no installed reader takes it.
        AmbiguousNameError: two readers take it.
        UnknownNameError: no dataset has this name.
        ConfigError: the name of a reader stands where a path should, or nothing was named.
    """
    if reader:
        component = registry.get(DatasetSpec, reader)
        if source is None and _reads_files(component):
            raise ConfigError(f"--reader {reader} reads files: give --data the path")
        return component
    return _default(registry) if source is None else _choose(source, registry)


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

    Args:
        source: name or path, as in `find_reader`.
        reader: the dataset component to use whatever the source looks like.
        settings: the component's configuration.
        cache: folder in which a dataset may keep files.
        registry: the installed components; None = load them.
        progress: called with the objects made and their number, by a dataset that is simulated.

    Raises:
        FmbError: nothing opens it, or a setting does not fit.
    """
    component = find_reader(source, reader, registry or load_plugins().registry)
    return open_with(component, source, settings or {}, cache=cache, progress=progress)


def open_with(
    reader: Reader,
    source: str,
    settings: Mapping[str, Any],
    *,
    cache: Path,
    progress: Callable[[int, int], None] | None = None,
) -> Dataset:
    """What `reader` makes of a source; arguments as for `open_dataset`."""
    config = build(reader.load_config(), settings, "data")
    dataset: Dataset = reader.load()(source, config, cache=cache, progress=progress)
    refuse_names(dataset, source)
    return dataset


def _default(registry: Registry) -> Reader:
    defaults = [c for c in registry.all(DatasetSpec) if c.spec.default]
    if len(defaults) != 1:
        names = [c.spec.name for c in defaults or registry.all(DatasetSpec)]
        raise ConfigError(f"name the data with --data: a path, or one of {', '.join(names)}")
    return defaults[0]


def _reads_files(component: Reader) -> bool:
    spec = component.spec
    return bool(spec.suffixes or spec.markers or spec.schemes)


def _choose(source: str, registry: Registry) -> Reader:
    components = list(registry.all(DatasetSpec))
    path = Path(source).expanduser()
    words = [word for c in components for word in (*c.spec.names, c.qualified)]
    if source in words:
        named = registry.get(DatasetSpec, source)
        if _reads_files(named):
            raise ConfigError(
                f"{source!r} reads files: give --data the path, and --reader {source} if needed"
            )
        return named
    scheme, _, rest = source.partition("://")
    if rest:
        return _of_url(source, [c for c in components if scheme.lower() in c.spec.schemes])
    if path.exists():
        return _reader(path, [c for c in components if _reads_files(c)])
    if path.suffix or len(path.parts) > 1 or source.startswith("."):
        raise DataError(f"{source}: no such file or folder")
    names = [c.spec.name for c in components if not _reads_files(c)]
    raise UnknownNameError(
        f"{source!r} is neither a dataset nor a file{did_you_mean(source, names)}"
    )


def _of_url(source: str, fitting: list[Reader]) -> Reader:
    if not fitting:
        raise DataError(
            f"{source}: no installed reader takes such URLs; copy the files and name them"
        )
    if len(fitting) > 1:
        names = " or ".join(f"--reader {c.qualified}" for c in fitting)
        raise AmbiguousNameError(f"{source}: two readers take it; choose with {names}")
    return fitting[0]


def _meant(folder: Path, readers: list[Reader]) -> list[str]:
    """Summaries of at most three readers that take such files from a folder that holds them.

    Args:
        folder: its first entries at any depth are looked at.
        readers: of which none takes it.
    """
    walk = ((*folders, *files) for _, folders, files in os.walk(folder))
    names = set(islice((name for entries in walk for name in entries), LOOKED_AT))
    wanted = {c.spec.summary: [m.rsplit("/", 1)[-1] for m in c.spec.markers] for c in readers}
    found = [
        summary
        for summary, patterns in wanted.items()
        if any(fnmatch.filter(names, pattern) for pattern in patterns)
    ]
    return found[:3]


def _reader(path: Path, readers: list[Reader]) -> Reader:
    if path.is_dir():
        fitting = [c for c in readers if any(_has(path, m) for m in c.spec.markers)]
        why = "no installed reader takes this folder as it is"
        if not fitting and (meant := _meant(path, readers)):
            why += f"; for {' or '.join(map(repr, meant))} name the folder that holds the files"
    else:
        name = path.name.lower()
        fitting = [c for c in readers if c.spec.suffixes and name.endswith(c.spec.suffixes)]
        why = f"no installed reader takes {path.suffix!r} files"
    if not fitting:
        raise DataError(f"{path}: {why}; describe the data in a survey.toml and give its path")
    if len(fitting) > 1:
        knowing = [c for c in fitting if c.spec.sniff and c.resolve(c.spec.sniff)(path)]
        fitting = knowing or fitting
    if len(fitting) > 1:
        names = " or ".join(f"--reader {c.qualified}" for c in fitting)
        raise AmbiguousNameError(f"{path}: two readers take it; choose with {names}")
    return fitting[0]


def _has(folder: Path, marker: str) -> bool:
    """Whether a folder holds what a marker stands for; names that begin with "." are no data."""
    found = (path.relative_to(folder).parts for path in folder.glob(marker))
    return any(not any(part.startswith(".") for part in parts) for parts in found)
