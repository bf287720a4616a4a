"""Writes a dataset as a survey of its own: survey.toml, survey.h5 and catalog.parquet."""

import json
import os
import shutil
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from fmb.data import Array, Images, Spectra
from fmb.datasets.identity import DIGEST_ATTRIBUTE, survey_digest
from fmb.datasets.survey_file import (
    FILE_NAME,
    CatalogSource,
    ImagesSource,
    SpectraSource,
    Stored,
    Survey,
    write_survey_file,
)
from fmb.errors import DataError, FailedError, StoreError
from fmb.protocols import Dataset

__all__ = ["write_survey"]

ROWS_AT_ONCE = 256
CHUNK_BYTES = 2**18
"""A chunk holds whole rows, one if a row is larger: rows are read at random."""

_PER_ROW = ("flux", "ivar", "mask", "band_valid", "psf_fwhm_arcsec", "lsf_aa")
_KEYS = {"psf_fwhm_arcsec": "psf_fwhm", "lsf_aa": "lsf"}
_DATA, _CATALOG, _ID = "survey.h5", "catalog.parquet", "object_id"


def write_survey(
    folder: Path, dataset: Dataset, *, progress: Callable[[int, int], None] | None = None
) -> None:
    """Write all of a dataset; `open_hdf5` gives every array, id and column back unchanged.

    An input that no object has is left out. Rows of absent inputs are never written: `present`
    tells them. The folder appears whole or not at all.

    Args:
        folder: made by this call.
        dataset: read 256 objects at a time, in its own order.
        progress: called with the objects written and their number.

    Raises:
        StoreError: the folder is there already.
        DataError: an input is of another kind than images or spectra, or changes between objects.
        FailedError: the disk is full or the folder cannot be written to.
    """
    if folder.exists():
        raise StoreError(f"{folder}: is there already; remove it or choose another folder")
    part = folder.with_name(f".{folder.name}.{uuid.uuid4().hex[:8]}.part")
    try:
        part.mkdir(parents=True)
        _write(part, dataset, progress or (lambda done, total: None))
        _sync(part)
        os.rename(part, folder)
        _sync(folder.parent)
    except OSError as error:
        if folder.exists():
            raise StoreError(f"{folder}: another process wrote it meanwhile") from None
        reason = error.strerror or str(error)
        raise FailedError(f"{folder}: cannot be written: {reason}") from error
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _sync(path: Path) -> None:
    """Flush a file or folder, so that a power cut cannot undo what was published."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _write(folder: Path, dataset: Dataset, progress: Callable[[int, int], None]) -> None:
    _write_catalog(folder / _CATALOG, dataset)
    total = len(dataset)
    with h5py.File(folder / _DATA, "w") as file:
        file.create_dataset(_ID, data=_storable(dataset.ids))
        writers = {name: _Writer(file, name, total) for name in dataset.inputs}
        for start in range(0, total, ROWS_AT_ONCE):
            rows = np.arange(start, min(start + ROWS_AT_ONCE, total))
            batch = dataset.read(rows)
            for name, data in batch.inputs.items():
                if len(data):
                    writers[name].add(rows[batch.rows[name]], data)
            progress(int(rows[-1]) + 1, total)
        survey = _describe(dataset, {n: w.finish() for n, w in writers.items() if w.arrays})
        file.attrs[DIGEST_ATTRIBUTE] = survey_digest(survey, folder)
    _sync(folder / _DATA)
    write_survey_file(folder / FILE_NAME, survey)


def _storable(ids: Array) -> Any:
    return ids if ids.dtype.kind in "iu" else ids.astype(h5py.string_dtype())


def _write_catalog(path: Path, dataset: Dataset) -> None:
    import pyarrow as pa
    from pyarrow import parquet

    frame = dataset.catalog.reset_index(drop=True)
    frame.attrs = {}
    units = dataset.catalog.attrs.get("units", {})
    table = pa.Table.from_pandas(frame, preserve_index=False)
    schema = table.schema
    for at, column in enumerate(schema):
        if column.name in units:
            schema = schema.set(at, column.with_metadata({"unit": units[column.name]}))
    table = table.replace_schema_metadata(schema.metadata).cast(schema)
    if _ID not in table.column_names:
        table = table.append_column(_ID, pa.array(dataset.ids))
    parquet.write_table(table, path)
    _sync(path)


@dataclass
class _Writer:
    """One input of the file; its datasets are made when the first object that has it comes."""

    file: h5py.File
    name: str
    total: int
    arrays: dict[str, h5py.Dataset] = field(default_factory=dict)
    described: dict[str, Any] = field(default_factory=dict)
    grid: Array | None = None

    def add(self, rows: Array, data: Any) -> None:
        """Store the observations of the objects at `rows`."""
        values, described = self._values(data), _describe_input(data, self.name)
        if not self.arrays:
            self.described = described
            self.arrays = {key: self._create(key, value) for key, value in values.items()}
            self.present = np.zeros(self.total, dtype=bool)
        same = described == self.described and values.keys() == self.arrays.keys()
        if not same or any(v.shape[1:] != self.arrays[k].shape[1:] for k, v in values.items()):
            raise DataError(f"input {self.name!r} changes its layout between objects")
        starts = np.flatnonzero(np.diff(rows, prepend=-2) > 1)
        for begin, end in zip(starts, [*starts[1:], len(rows)], strict=True):
            for key, value in values.items():
                self.arrays[key][rows[begin] : rows[end - 1] + 1] = value[begin:end]
        self.present[rows] = True

    def _values(self, data: Any) -> dict[str, Array]:
        values = {k: v for k in _PER_ROW if (v := getattr(data, k, None)) is not None}
        if isinstance(data, Spectra):
            if data.wavelength_aa.ndim == 2:
                values["wavelength"] = data.wavelength_aa
            elif self.grid is None:
                self.grid = data.wavelength_aa
            elif not np.array_equal(self.grid, data.wavelength_aa):
                raise DataError(f"input {self.name!r} has shared grids that differ")
        return values

    def _create(self, key: str, value: Array) -> h5py.Dataset:
        per_row = max(1, value[0].nbytes)
        flag = value.dtype == bool
        return self.file.create_dataset(
            f"{self.name}/{key}",
            shape=(self.total, *value.shape[1:]),
            dtype=value.dtype,
            chunks=(min(self.total, max(1, CHUNK_BYTES // per_row)), *value.shape[1:]),
            # Masks are nearly all False and pack 100 to 1; noise does not pack and costs time.
            compression="gzip" if flag else None,
            compression_opts=1 if flag else None,
            fillvalue=None if flag else np.nan,
        )

    def finish(self) -> ImagesSource | SpectraSource:
        """Store what all objects share and describe the input."""
        self.file.create_dataset(f"{self.name}/present", data=self.present)
        paths = {_KEYS.get(key, key): f"{self.name}/{key}" for key in [*self.arrays, "present"]}
        if self.grid is not None:
            paths["wavelength"] = f"{self.name}/wavelength"
            self.file.create_dataset(paths["wavelength"], data=self.grid)
        values = {**self.described, **paths, "id": _ID}
        if values["kind"] == "images":
            return ImagesSource(**values)
        return SpectraSource(**values, complete_mask=True)


def _describe_input(data: Any, name: str) -> dict[str, Any]:
    if isinstance(data, Images):
        return {
            "kind": "images",
            "unit": data.unit,
            "bands": data.bands,
            "pixel_scale_arcsec": data.pixel_scale_arcsec,
        }
    if isinstance(data, Spectra):
        return {"kind": "spectra", "unit": data.unit, "calibrated": data.calibrated}
    raise DataError(f"input {name!r} is neither images nor spectra and cannot be written")


def _describe(dataset: Dataset, inputs: Mapping[str, ImagesSource | SpectraSource]) -> Survey:
    names = tuple(str(name) for name in dataset.catalog.columns)
    return Survey(
        name=str(dataset.identity.get("name", "survey")),
        file=_DATA,
        catalog=CatalogSource(file=_CATALOG, id=_ID, columns=names),
        inputs=dict(inputs),
        stored=Stored(
            identity=json.dumps(dict(dataset.identity), sort_keys=True),
            warnings=tuple(dataset.warnings),
        ),
    )
