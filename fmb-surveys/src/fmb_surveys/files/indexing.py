"""Builds a survey.toml and its row index from a catalogue and the names of one file an object."""

import glob
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from string import Formatter
from typing import Any

import numpy as np

from fmb import Array, DataError, did_you_mean
from fmb_surveys.files.catalog import HDF5_SUFFIXES, read_catalog
from fmb_surveys.files.survey_toml import CatalogSource

__all__ = ["Indexed", "Template", "index_files", "write_index"]

_NAMED = re.compile(r"([a-z0-9]+(?:[-_][a-z0-9]+)*)=(.+)")


class Template:
    """Where an input's files are: a path with {COLUMN} for values of the catalogue.

    Without a column it is one file for all objects.
    """

    def __init__(self, text: str, default: str) -> None:
        """Take apart "[NAME=]PATH"; without NAME the input is called `default`.

        Raises:
            DataError: the path is no template, or no installed reader takes such files.
        """
        match = _NAMED.fullmatch(text)
        self.name, self.path = (match[1], match[2]) if match else (default, text)
        if Path(self.path).suffix.lower() not in HDF5_SUFFIXES:
            raise DataError(
                f"{self.path}: no installed plugin reads {Path(self.path).suffix!r} cutouts or"
                f" spectra; give {' or '.join(HDF5_SUFFIXES)} files or install a reader plugin"
            )
        try:
            self._parts = list(Formatter().parse(self.path))
        except ValueError as error:
            raise DataError(f"{self.path}: not a template: {error}") from None
        self.columns = tuple(field for _, field, _, _ in self._parts if field is not None)

    def fill(self, columns: Mapping[str, Sequence[Any]], n: int) -> list[str | None]:
        """The path of each object; None where a value is missing.

        Raises:
            DataError: a value does not take the format that the template asks for.
        """
        return [self._fill_one({name: columns[name][row] for name in columns}) for row in range(n)]

    def _fill_one(self, values: Mapping[str, Any]) -> str | None:
        pieces = []
        for literal, field, form, _ in self._parts:
            pieces.append(literal)
            if field is not None:
                if values[field] is None:
                    return None
                try:
                    pieces.append(format(values[field], form or ""))
                except (ValueError, TypeError) as error:
                    raise DataError(
                        f"{self.path}: {field} = {values[field]!r} does not fit: {error}"
                    ) from None
        return "".join(pieces)

    def on_disk(self) -> set[str]:
        """Every file that the template could name."""
        pattern = "".join(
            glob.escape(literal) + ("" if field is None else "*")
            for literal, field, _, _ in self._parts
        )
        return {os.path.normpath(path) for path in glob.glob(pattern)}


@dataclass(frozen=True)
class Indexed:
    """Which object has which file of one input."""

    name: str
    files: list[str | None]
    """Path of each object's file, None where there is none."""
    missing: list[Any]
    """Ids of the objects without a file."""
    orphans: list[str]
    """Files that belong to no object."""
    shared: int
    """Objects whose file is another object's too."""


def index_files(
    source: CatalogSource, catalog: Path, templates: Sequence[Template]
) -> tuple[Array, list[Indexed]]:
    """Look for the files of every object.

    Returns:
        ids (n,), and the files of each template in the same order.

    Raises:
        DataError: the catalogue lacks a column, or not one file of an input is there.
    """
    wanted = dict.fromkeys(c for t in templates for c in t.columns if c != source.id)
    keyed = {f"{at}": column for at, column in enumerate(wanted)}
    plain = CatalogSource(id=source.id, columns=keyed)
    ids, table = read_catalog(plain, catalog)
    columns: dict[str, Sequence[Any]] = {source.id: ids.tolist()}
    for key, column in keyed.items():
        values = table[key].astype(object)
        columns[column] = values.where(values.notna(), None).tolist()
    return ids, [_index(template, columns, ids) for template in templates]


def _index(template: Template, columns: Mapping[str, Sequence[Any]], ids: Array) -> Indexed:
    unknown = [name for name in template.columns if name not in columns]
    if unknown:
        hint = did_you_mean(unknown[0], columns)
        raise DataError(f"{template.path}: no column is called {unknown[0]!r}{hint}")
    used = {name: columns[name] for name in template.columns}
    filled = template.fill(used, len(ids))
    found = [path if path is not None and os.path.isfile(path) else None for path in filled]
    if not any(found):
        example = next((path for path in filled if path), template.path)
        raise DataError(f"{template.path}: no file of any object is there, for instance {example}")
    named = [os.path.normpath(path) for path in found if path is not None]
    return Indexed(
        name=template.name,
        files=found,
        missing=[ids[row].item() for row, path in enumerate(found) if path is None],
        orphans=sorted(template.on_disk() - set(named)),
        shared=len(named) - len(set(named)),
    )


def write_index(path: Path, ids: Array, inputs: Sequence[Indexed]) -> None:
    """Write the row index: `object_id` and, for each input, the file relative to the index.

    A file that is there is replaced; write to a temporary one and rename it.

    Raises:
        OSError: the folder cannot be written to.
    """
    import pyarrow as pa
    from pyarrow import parquet

    columns: dict[str, Any] = {"object_id": pa.array(np.asarray(ids))}
    for indexed in inputs:
        columns[indexed.name] = pa.array(
            [None if f is None else os.path.relpath(f, path.parent) for f in indexed.files],
            type=pa.string(),
        )
    parquet.write_table(pa.table(columns), path)
