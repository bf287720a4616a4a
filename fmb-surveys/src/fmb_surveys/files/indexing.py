"""Builds the row index of a survey from its catalogue, or none, and the names of its files."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from fmb import Array, DataError, did_you_mean
from fmb.files import locate, parse_ids
from fmb_surveys.files.catalog import read_catalog
from fmb_surveys.files.survey_toml import CatalogSource
from fmb_surveys.files.templates import BAND, Template

__all__ = ["Indexed", "index_files", "index_names"]

MOST_BANDS = 64
"""More values of {band} than this are no bands."""


@dataclass(frozen=True)
class Indexed:
    """Which object has which files of one input."""

    name: str
    files: dict[str, list[str | None]]
    """Band as file names have it, "" where a file has all -> path of each object's, or None."""
    missing: list[Any]
    """Ids of the objects without a file."""
    orphans: list[str]
    """Files that belong to no object."""
    shared: int
    """Objects whose file is another object's too."""

    @property
    def lacking(self) -> int:
        """Objects that have some bands and lack others."""
        rows = zip(*self.files.values(), strict=True)
        return sum(0 < sum(file is None for file in row) < len(row) for row in rows)

    @property
    def there(self) -> dict[str, list[Path]]:
        """The files of each band that are there."""
        return {band: [Path(f) for f in files if f] for band, files in self.files.items()}


def index_files(
    source: CatalogSource,
    catalog: Path,
    templates: Sequence[Template],
    bands: Sequence[str] | None = None,
) -> tuple[Array, list[Indexed]]:
    """Look for the files of every object of a catalogue.

    Args:
        source: names its ids.
        catalog: the file.
        templates: of one file an object, or one a band of it.
        bands: as file names have them, in the order wanted; None = all, by their names.

    Returns:
        ids (n,), and the files of each template in the same order.

    Raises:
        DataError: the catalogue lacks a column, or not one file of an input is there.
    """
    asked = dict.fromkeys(c for t in templates for c in t.fields if c != source.id)
    known = _columns_of(source, catalog, [c for c in asked if c != BAND])
    if BAND in asked:
        try:
            known = _columns_of(source, catalog, list(asked))
        except DataError:  # the names of the files tell the bands
            known = _columns_of(source, catalog, [c for c in asked if c != BAND])
    ids, columns = known
    return ids, [_index(template, columns, ids, bands) for template in templates]


def _columns_of(
    source: CatalogSource, catalog: Path, wanted: Sequence[str]
) -> tuple[Array, dict[str, Sequence[Any]]]:
    keyed = {f"{at}": column for at, column in enumerate(wanted)}
    ids, table = read_catalog(CatalogSource(id=source.id, columns=keyed), catalog)
    columns: dict[str, Sequence[Any]] = {source.id: ids.tolist()}
    for key, column in keyed.items():
        values = table[key].astype(object)
        columns[column] = values.where(values.notna(), None).tolist()
    return ids, columns


def index_names(
    templates: Sequence[Template], bands: Sequence[str] | None = None
) -> tuple[Array, list[Indexed]]:
    """Look for files whose names tell the ids; arguments and result as for `index_files`.

    Raises:
        DataError: a path has other fields than {id} and {band}, or no file is there.
    """
    found = {template.name: template.of_ids() for template in templates}
    texts = sorted({text for _, own in found.values() for text in own})
    ids = parse_ids(texts, templates[0].path)
    made = []
    for name, (files, own) in found.items():
        rows = locate(np.array(texts), np.array(own))
        per_object = [files[row] if row >= 0 else {} for row in rows]
        template = next(t for t in templates if t.name == name)
        made.append(_indexed(template, per_object, ids, bands, set()))
    return ids, made


def _index(
    template: Template,
    columns: Mapping[str, Sequence[Any]],
    ids: Array,
    bands: Sequence[str] | None,
) -> Indexed:
    open_fields = [name for name in template.fields if name not in columns]
    unknown = [name for name in open_fields if name != BAND]
    if unknown or len(open_fields) > 1:
        wrong = [*unknown, BAND][0]
        hint = did_you_mean(wrong, columns)
        raise DataError(f"{template.path}: no column is called {wrong!r}{hint}")
    filled = template.fill({n: columns[n] for n in template.fields if n in columns}, len(ids))
    if open_fields:
        found = template.of_bands(filled)
    else:
        found = [{"": path} if path and os.path.isfile(path) else {} for path in filled]
    if not any(found):
        example = next((path for path in filled if path), template.path).replace("\0", "{band}")
        raise DataError(f"{template.path}: no file of any object is there, for instance {example}")
    named = {os.path.normpath(file) for files in found for file in files.values()}
    return _indexed(template, found, ids, bands, template.on_disk(named) - named)


def _indexed(
    template: Template,
    found: Sequence[Mapping[str, str]],
    ids: Array,
    bands: Sequence[str] | None,
    orphans: set[str],
) -> Indexed:
    there = sorted({band for files in found for band in files})
    if bands and there != [""]:
        if unknown := [band for band in bands if band not in there]:
            hint = did_you_mean(unknown[0], there)
            raise DataError(f"{template.path}: no file has the band {unknown[0]!r}{hint}")
        there = list(bands)
    if len(there) > MOST_BANDS:
        raise DataError(
            f"{template.path}: {{band}} stands for {len(there)} values, such as {there[0]!r} and"
            f" {there[1]!r}, which are no bands; write what else differs as {{COLUMN}}"
        )
    used = [{band: files[band] for band in there if band in files} for files in found]
    named = [os.path.normpath(file) for files in used for file in files.values()]
    return Indexed(
        name=template.name,
        files={band: [files.get(band) for files in used] for band in there},
        missing=[ids[row].item() for row, files in enumerate(used) if not files],
        orphans=sorted(orphans),
        shared=len(named) - len(set(named)),
    )
