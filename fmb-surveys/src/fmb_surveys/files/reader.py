"""Files as a dataset: the mapping of a survey.toml applied, read by row."""

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fmb import (
    Array,
    Batch,
    Columns,
    Config,
    ConfigError,
    DataError,
    Images,
    InputInfo,
    ShapeError,
    Spectra,
    did_you_mean,
)
from fmb.files import as_ids, locate, read_table, refuse_duplicates
from fmb.store import Digests
from fmb_surveys.files.catalog import read_catalog
from fmb_surveys.files.columns_input import ColumnsInput, columns_of_catalog, columns_of_store
from fmb_surveys.files.identity import file_identity, stored_identity, unit_warnings
from fmb_surveys.files.inputs import ImagesInput, SpectraInput
from fmb_surveys.files.stores.object_files import ObjectFiles, object_files
from fmb_surveys.files.stores.store import Store, open_store
from fmb_surveys.files.survey_toml import (
    AnySource,
    ColumnsSource,
    ImagesSource,
    Survey,
    find_survey_file,
    read_survey,
)
from fmb_surveys.files.writer import write_survey

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["FilesConfig", "FilesDataset", "open_survey", "open_survey_file", "write_survey"]


REVISION = 2
"""Raised when the same files are read as other numbers than before."""


Reader = ImagesInput | SpectraInput | ColumnsInput


class FilesConfig(Config):
    """No options: the survey.toml says it all."""


class FilesDataset:
    """A survey in files. Pickles without open files and reopens in each process."""

    def __init__(
        self,
        ids: Array,
        catalog: "pd.DataFrame",
        readers: Mapping[str, Reader],
        identity: Mapping[str, Any],
        warnings: Sequence[str],
        origins: Mapping[str, Array],
        described: Sequence[str] = (),
    ) -> None:
        self.described = list(described)
        self.ids, self.catalog, self._readers = ids, catalog, dict(readers)
        self.identity, self.warnings = dict(identity), list(warnings)
        self.inputs: Mapping[str, InputInfo] = {
            name: replace(reader.info, origin=origins[name])
            for name, reader in self._readers.items()
        }

    def __len__(self) -> int:
        return len(self.ids)

    def read(self, rows: Array, inputs: Collection[str] | None = None) -> Batch:
        """The objects at `rows`, in that order, with the inputs they have.

        Args:
            rows: positions in `ids`.
            inputs: the instruments to read; None = all.

        Raises:
            DataError: a file is damaged or gone, or has no such input.
        """
        rows = np.asarray(rows, dtype=np.int64)
        found: dict[str, Images | Spectra | Columns] = {}
        kept: dict[str, Array] = {}
        for name in self._readers if inputs is None else inputs:
            if name not in self._readers:
                raise DataError(f"no input is called {name!r}{did_you_mean(name, self._readers)}")
            reader = self._readers[name]
            kept[name] = np.flatnonzero(reader.rows[rows] >= 0)
            found[name] = reader.read(rows[kept[name]])
        return Batch(ids=self.ids[rows], inputs=found, rows=kept)


def open_survey_file(
    source: str,
    config: FilesConfig,
    *,
    cache: Path,
    progress: Callable[[int, int], None] | None = None,
) -> FilesDataset:
    """The survey a survey.toml describes.

    Args:
        source: path of the survey.toml, or of a folder that has one.
        config: no options.
        cache: folder of the workspace; beside it the fingerprints of large files are remembered.
        progress: not used; nothing is made.

    Raises:
        ConfigError: a key, value or unit of the survey.toml is wrong.
        DataError: a file or dataset is missing, damaged or unsafe to read.
        ShapeError: datasets do not fit each other.
    """
    path = find_survey_file(source)
    return open_survey(read_survey(path), path, Digests(cache.parent))


def open_survey(survey: Survey, path: Path, known_files: Digests | None = None) -> FilesDataset:
    """The survey that `path` describes, or would describe: its files are relative to its folder.

    Args:
        survey: what it says.
        path: the survey.toml.
        known_files: remembers fingerprints of files that stay as they are; None = read them.

    Raises:
        FmbError: as `open_survey_file`.
    """
    folder = path.parent
    ids, catalog = read_catalog(survey.catalog, folder / survey.catalog_file, folder)
    readers: dict[str, Reader] = {}
    warnings = [*unit_warnings(survey), *catalog.attrs.pop("notes")]
    for name, described in survey.inputs.items():
        readers[name], orphans = _open_input(path, name, described, survey, ids, catalog)
        if orphans:
            warnings.append(f"{name}: {orphans} rows belong to no object of the catalogue")
    warnings.extend(_unknown_units(readers.values()))
    stored = stored_identity(survey, folder)
    identity, told = stored or (file_identity(survey, folder, known_files), warnings)
    # A stored identity tells what was written, not the file that holds it now.
    digests = {} if stored else identity.get("files", {})
    mapping = survey.mapping()["inputs"]
    origins = {
        name: _origins(
            reader,
            digests.get(f"inputs.{name}"),
            json.dumps([REVISION, mapping[name]], sort_keys=True),
        )
        for name, reader in readers.items()
    }
    return FilesDataset(ids, catalog, readers, identity, told, origins, survey.described)


def _open_input(
    path: Path, name: str, source: AnySource, survey: Survey, ids: Array, catalog: "pd.DataFrame"
) -> tuple[Reader, int]:
    """What reads an input, and how many stored rows belong to no object."""
    where = f"{path}: inputs.{name}"
    if isinstance(source, ColumnsSource) and source.of_catalog:
        return columns_of_catalog(source, catalog, where), 0
    store, rows, orphans = _locate_rows(path, name, source, survey, ids)
    if isinstance(source, ColumnsSource):
        return columns_of_store(source, store, rows, where), orphans
    if isinstance(source, ImagesSource):
        return ImagesInput(source, store, rows), orphans
    return SpectraInput(source, store, rows), orphans


def _origins(reader: Reader, digest: str | None, mapping: str) -> Array:
    """(n,), uint64: the origin of each object in one input; 0 where it has none."""
    have = reader.rows >= 0
    made = np.zeros(len(have), dtype=np.uint64)
    made[have] = reader.origins(reader.rows[have], digest, mapping)
    return made


def _unknown_units(readers: Iterable[Reader]) -> Iterator[str]:
    """One warning of all units in the files that could not be compared with the survey.toml's."""
    unknown = {path: unit for reader in readers for path, unit in reader.unknown_units.items()}
    if unknown:
        listed = ", ".join(f"{unit[:40]!r} ({path})" for path, unit in unknown.items())
        yield f"units of survey.toml are taken where files name none that astropy knows: {listed}"


def _locate_rows(
    path: Path, name: str, source: AnySource, survey: Survey, ids: Array
) -> tuple[Store, Array, int]:
    """Where an input is stored, the stored row of each object (-1 = none), and rows left over."""
    if source.files:
        return _rows_of_files(path.parent, name, source, ids)
    file = source.file or survey.file
    store = open_store(path.parent / file, source.format, getattr(source, "pixels", None))
    n = store.shape(source.flux)[:1]
    if source.id:
        stored = as_ids(store.column(source.id), store.place(source.id))
        refuse_duplicates(stored, store.place(source.id))
        if stored.shape != n:
            raise ShapeError(f"{store.place(source.flux)} has {n[0]} rows for {len(stored)} ids")
        rows = locate(ids, stored)
        orphans = len(stored) - int((rows >= 0).sum())
    elif source.same_order or file == survey.catalog_file:
        if n != ids.shape:
            raise ShapeError(
                f"{store.place(source.flux)} has {n[0] if n else 'no'} rows,"
                f" the catalogue has {len(ids)}"
            )
        rows, orphans = np.arange(len(ids)), 0
    else:
        raise ConfigError(
            f"{path}: inputs.{name} is in another file than the catalogue: name its ids with"
            " id = ..., or set same_order = true"
        )
    if source.present:
        have = store.column(source.present)
        if have.shape != n:
            raise ShapeError(f"{store.place(source.present)} has shape {have.shape}, expected {n}")
        rows = np.where((rows >= 0) & (have[rows] != 0), rows, -1)
    return store, rows, orphans


def _rows_of_files(
    folder: Path, name: str, source: AnySource, ids: Array
) -> tuple[ObjectFiles, Array, int]:
    index = folder / source.files
    table = read_table(index, text=("object_id", name))
    files = np.asarray(table.column(name), dtype=object)
    named = np.array([isinstance(file, str) and file != "" for file in files], dtype=bool)
    stored = table.ids("object_id")[named]
    refuse_duplicates(stored, f"{index}: 'object_id'")
    if not named.any():
        raise DataError(f"{index}: names no file for input {name!r}")
    rows = locate(ids, stored)
    paths = [(folder / file,) for file in files[named]]
    store = object_files(paths, getattr(source, "pixels", None))
    return store, rows, len(stored) - int((rows >= 0).sum())
