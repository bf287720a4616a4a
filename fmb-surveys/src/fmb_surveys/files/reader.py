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
    Spectra,
    did_you_mean,
)
from fmb.store import Digests
from fmb_surveys.files.broken import without_broken
from fmb_surveys.files.catalog import read_catalog
from fmb_surveys.files.columns_input import ColumnsInput, columns_of_catalog, columns_of_store
from fmb_surveys.files.identity import file_identity, stored_identity, unit_warnings
from fmb_surveys.files.images_input import ImagesInput
from fmb_surveys.files.location import Chosen, locate_input
from fmb_surveys.files.row_index import unknown_to
from fmb_surveys.files.spectra_input import SpectraInput
from fmb_surveys.files.stores.band_arrays import one_name_each
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
    """What the survey.toml does not say."""

    skip_bad: bool = False
    """Leave out objects whose own file is broken; they are counted and listed."""


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
        config: whether broken files are skipped.
        cache: folder of the workspace; beside it the fingerprints of large files are remembered.
        progress: not used; nothing is made.

    Raises:
        ConfigError: a key, value or unit of the survey.toml is wrong.
        DataError: a file or dataset is missing, damaged or unsafe to read.
        ShapeError: datasets do not fit each other.
    """
    path = find_survey_file(source)
    survey = read_survey(path)
    if config.skip_bad and not any(described.files for described in survey.inputs.values()):
        raise ConfigError(
            f"{path}: no object of this survey has a file of its own, so none can be skipped; leave"
            " --skip-bad out"
        )
    return open_survey(survey, path, Digests(cache.parent), config.skip_bad)


def open_survey(
    survey: Survey,
    path: Path,
    known_files: Digests | None = None,
    skip_bad: bool = False,
    chosen: Chosen | None = None,
) -> FilesDataset:
    """The survey that `path` describes, or would describe: its files are relative to its folder.

    Args:
        survey: what it says.
        path: the survey.toml.
        known_files: remembers fingerprints of files that stay as they are; None = read them.
        skip_bad: leave out objects whose own file is broken, as the survey.toml may say too.
        chosen: the rows of the catalogue to open; None = all.

    Raises:
        FmbError: as `open_survey_file`.
    """
    folder, skip_bad = path.parent, skip_bad or survey.skip_bad
    if chosen is None:
        ids, catalog = read_catalog(survey.catalog, folder / survey.catalog_file, folder=folder)
        chosen = Chosen(ids, catalog, np.arange(len(ids)), len(ids))
    ids, catalog = chosen.ids, chosen.catalog
    readers: dict[str, Reader] = {}
    warnings = [*survey.left_out, *unit_warnings(survey), *catalog.attrs.pop("notes")]
    for name, said in survey.inputs.items():
        readers[name], orphans, told_of_broken = _open_input(
            path, name, said, survey, chosen, skip_bad
        )
        warnings.extend(told_of_broken)
        if said.files and not survey.described:  # what is described by itself is no older
            unknown = unknown_to(folder / said.files, ids)
            if unknown:
                warnings.append(
                    f"{name}: {unknown} of {len(ids)} objects are not in {said.files}: where the"
                    " catalogue has grown, run fmb data index again"
                )
        if orphans:
            warnings.append(f"{name}: {orphans} rows belong to no object of the catalogue")
    warnings.extend(_unknown_units(readers.values()))
    stored = stored_identity(survey, folder)
    identity, told = stored or (file_identity(survey, folder, known_files, skip_bad), warnings)
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
    path: Path, name: str, said: AnySource, survey: Survey, chosen: Chosen, skip_bad: bool
) -> tuple[Reader, int, list[str]]:
    """What reads an input, how many stored rows belong to no object, and what is broken."""
    where = f"{path}: inputs.{name}"
    if isinstance(said, ColumnsSource) and said.of_catalog:
        return columns_of_catalog(said, chosen.catalog, where), 0, []
    source, bands = one_name_each(said)
    store, rows, orphans = locate_input(path, name, source, bands, survey, chosen)
    told_of_broken: list[str] = []
    if skip_bad:
        rows, told_of_broken = without_broken(name, said, store, rows, chosen.ids)
    if isinstance(source, ColumnsSource):
        return columns_of_store(source, store, rows, where), orphans, told_of_broken
    if isinstance(source, ImagesSource):
        return ImagesInput(source, store, rows), orphans, told_of_broken
    return SpectraInput(source, store, rows), orphans, told_of_broken


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
