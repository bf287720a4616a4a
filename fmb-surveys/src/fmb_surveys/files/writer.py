"""Writes a dataset as a survey of its own: survey.toml, survey.h5 and catalog.parquet."""

import errno
import json
import math
import os
import shutil
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, Any

import h5py
import numpy as np
from joblib import Parallel, delayed, effective_n_jobs

from fmb import Array, Columns, DataError, Dataset, FailedError, Images, Spectra, StoreError
from fmb.files import runs
from fmb.store import end_with_parent, sync
from fmb_surveys.files.identity import DIGEST_ATTRIBUTE, survey_digest
from fmb_surveys.files.survey_toml import (
    FILE_NAME,
    AnySource,
    CatalogSource,
    ColumnsSource,
    ImagesSource,
    SpectraSource,
    Stored,
    Survey,
    write_survey_file,
)

__all__ = [
    "KEYS",
    "Observed",
    "arrays_of",
    "first_observed",
    "layout_of",
    "write_catalog",
    "write_survey",
]

ROWS_AT_ONCE = 64
CALLS_A_WORKER = 16
SLACK_BYTES = 2**20
"""For what HDF5 itself adds to the rows."""

_PER_ROW = (
    "flux", "ivar", "mask", "band_valid", "psf_fwhm_arcsec", "lsf_aa", "values", "errors"
)  # fmt: skip
KEYS = {"psf_fwhm_arcsec": "psf_fwhm", "lsf_aa": "lsf"}
"""Array -> the key of a survey.toml that names it, where that is another."""
Observed = Images | Spectra | Columns
_DATA, _CATALOG, _ID = "survey.h5", "catalog.parquet", "object_id"


def write_survey(
    folder: Path,
    dataset: Dataset,
    *,
    shared: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> None:
    """Write all of a dataset; `open_survey_file` gives every array, id and column back unchanged.

    An input that no object has is left out. Rows of absent inputs are never written: `present`
    tells them. The folder appears whole or not at all.

    Args:
        folder: made by this call.
        dataset: read 64 objects at a time.
        shared: let all cores read and write side by side; the bytes are the same.
        progress: called with the objects written and their number.

    Raises:
        StoreError: the folder is there already.
        DataError: there are no objects, or an input changes between objects.
        FailedError: the disk is full or the folder cannot be written to.
    """
    if folder.exists():
        raise StoreError(f"{folder}: is there already; remove it or choose another folder")
    if not len(dataset):
        raise DataError(f"{folder}: there are no objects to write")
    part = folder.with_name(f".{folder.name}.{uuid.uuid4().hex[:8]}.part")
    try:
        part.mkdir(parents=True)
        _write(part, dataset, shared, progress or (lambda done, total: None))
        sync(part)
        os.rename(part, folder)
        sync(folder.parent)
    except OSError as error:
        if folder.exists():
            raise StoreError(f"{folder}: another process wrote it meanwhile") from None
        reason = error.strerror or str(error)
        raise FailedError(f"{folder}: cannot be written: {reason}") from error
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _write(
    folder: Path, dataset: Dataset, shared: bool, progress: Callable[[int, int], None]
) -> None:
    write_catalog(folder / _CATALOG, dataset)
    layouts = {
        name: _Layout(name, len(dataset), info.present, first)
        for name, info in dataset.inputs.items()
        if (first := first_observed(dataset, name)) is not None
    }
    survey = _describe(dataset, {name: layout.source for name, layout in layouts.items()})
    # HDF5 crashes the process when the disk fills up under it: first see that all will fit, then
    # let it lay out the file, and write the rows into their places without it.
    needed = dataset.ids.nbytes + SLACK_BYTES + sum(layout.n_bytes for layout in layouts.values())
    if (free := shutil.disk_usage(folder).free) < needed:
        raise OSError(errno.ENOSPC, f"{needed:,} bytes are needed and {free:,} are free")
    with h5py.File(folder / _DATA, "w") as file:
        file.create_dataset(_ID, data=_storable(dataset.ids))
        file.attrs[DIGEST_ATTRIBUTE] = survey_digest(survey, folder)
        for layout in layouts.values():
            layout.create(file)
    step = _rows_a_call(len(dataset), effective_n_jobs(-1)) if shared else ROWS_AT_ONCE
    starts = range(0, len(dataset), step)
    pieces = [np.arange(start, min(start + step, len(dataset))) for start in starts]
    calls = ((folder / _DATA, dataset, layouts, piece) for piece in pieces)
    done = 0
    # The processes stay for the next survey: the first pays a few seconds for them.
    workers = -1 if shared else 1
    jobs = Parallel(workers, return_as="generator", initializer=end_with_parent)
    for n in jobs(delayed(_write_rows)(*call) for call in calls):
        done += n
        progress(done, len(dataset))
    sync(folder / _DATA)
    write_survey_file(folder / FILE_NAME, survey)


def _rows_a_call(n: int, workers: int) -> int:
    """Rows that a worker gets at once: each call sends it the whole catalogue, so not too few."""
    calls = CALLS_A_WORKER * workers
    return max(1, math.ceil(n / calls / ROWS_AT_ONCE)) * ROWS_AT_ONCE


def _write_rows(path: Path, dataset: Dataset, layouts: Mapping[str, "_Layout"], rows: Array) -> int:
    """Write the objects at `rows` into their places, 64 at a time; returns their number."""
    with path.open("r+b") as stream:
        for start in range(0, len(rows), ROWS_AT_ONCE):
            piece = rows[start : start + ROWS_AT_ONCE]
            batch = dataset.read(piece, tuple(layouts))
            for name, layout in layouts.items():
                layout.write(stream, piece, batch.rows[name], batch.inputs[name])
    return len(rows)


def first_observed(dataset: Dataset, name: str) -> Observed | None:
    """What was observed of the first object that has this input; None when no object has it."""
    present = dataset.inputs[name].present
    rows = np.arange(1) if present is None else np.flatnonzero(present)[:1]
    return dataset.read(rows, (name,)).inputs[name] if len(rows) else None


def _storable(ids: Array) -> Any:
    return ids if ids.dtype.kind in "iu" else ids.astype(h5py.string_dtype())


def write_catalog(path: Path, dataset: Dataset) -> None:
    """Write ids and columns of a dataset with their units, each with its own type."""
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
    table = table.cast(schema)
    if _ID not in table.column_names:
        ids = pa.array(dataset.ids)  # a table without columns has no rows to be appended to
        table = table.append_column(_ID, ids) if table.num_columns else pa.table({_ID: ids})
    parquet.write_table(table, path)
    sync(path)


class _Layout:
    """Where the rows of one input are in the file: contiguous, as random rows are read best."""

    def __init__(self, name: str, n: int, present: Array | None, first: Observed) -> None:
        self._name, self._layout, self._arrays = name, layout_of(first), arrays_of(first)
        self._present = np.ones(n, dtype=bool) if present is None else present
        self._offsets: dict[str, int] = {}
        self._grid: Array | None = None
        values: dict[str, Any] = {KEYS.get(key, key): f"{name}/{key}" for key in self._arrays}
        values |= {"id": _ID, "present": f"{name}/present"}
        self.source: AnySource
        if isinstance(first, Columns):
            values |= {"names": first.names, "wavelength_aa": first.wavelength_aa}
            values["units"] = first.units or ""
            self.source = ColumnsSource(kind="columns", **values)
        elif isinstance(first, Images):
            values |= {"bands": first.bands, "pixel_scale_arcsec": first.pixel_scale_arcsec}
            self.source = ImagesSource(kind="images", unit=first.unit, **values)
        else:
            if first.wavelength_aa.ndim == 1:
                self._grid = first.wavelength_aa
            values |= {"wavelength": f"{name}/wavelength", "calibrated": first.calibrated}
            self.source = SpectraSource(
                kind="spectra", unit=first.unit, complete_mask=True, **values
            )

    @property
    def n_bytes(self) -> int:
        """Size of the rows on disk."""
        return len(self._present) * sum(value.nbytes for value in self._arrays.values())

    def create(self, file: h5py.File) -> None:
        """Make the datasets: all of what objects share, the bare place of what they do not."""
        file.create_dataset(f"{self._name}/present", data=self._present)
        if self._grid is not None:
            file.create_dataset(f"{self._name}/wavelength", data=self._grid)
        for key, value in self._arrays.items():
            plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
            plist.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)
            plist.set_fill_time(h5py.h5d.FILL_TIME_NEVER)
            made = file.create_dataset(
                f"{self._name}/{key}",
                shape=(len(self._present), *value.shape[1:]),
                dtype=value.dtype,
                dcpl=plist,
            )
            self._offsets[key] = made.id.get_offset()

    def write(self, stream: IO[bytes], rows: Array, have: Array, data: Any) -> None:
        """Write a batch: `data` for those `have` of `rows` that have the input, else NaN."""
        values, absent = arrays_of(data), ~self._present[rows]
        fits = not absent[have].any() and len(have) == len(rows) - absent.sum()
        if not fits or layout_of(data) != self._layout:
            raise DataError(f"input {self._name!r} changes its layout between objects")
        if self._grid is not None and not np.array_equal(self._grid, data.wavelength_aa):
            raise DataError(f"input {self._name!r} has a shared wavelength grid that changes")
        for key, value in values.items():
            self._put(stream, key, rows[have], value)
            if absent.any() and value.dtype.kind == "f":
                gap = np.full((int(absent.sum()), *value.shape[1:]), np.nan, value.dtype)
                self._put(stream, key, rows[absent], gap)

    def _put(self, stream: IO[bytes], key: str, rows: Array, values: Array) -> None:
        for begin, end in runs(rows):
            piece = np.ascontiguousarray(values[begin:end])
            stream.seek(self._offsets[key] + int(rows[begin]) * (piece.nbytes // len(piece)))
            stream.write(piece.data)


def arrays_of(data: Observed) -> dict[str, Array]:
    """The arrays that have a row for each object, by name."""
    values = {key: v for key in _PER_ROW if (v := getattr(data, key, None)) is not None}
    if isinstance(data, Spectra) and data.wavelength_aa.ndim == 2:
        values["wavelength"] = data.wavelength_aa
    return values


def layout_of(data: Observed) -> tuple[Any, ...]:
    """What must be the same for all objects of an input."""
    arrays = {key: (value.shape[1:], value.dtype) for key, value in arrays_of(data).items()}
    if isinstance(data, Columns):
        return arrays, data.names, data.units, data.wavelength_aa
    if isinstance(data, Images):
        return arrays, data.unit, data.bands, data.pixel_scale_arcsec
    return arrays, data.unit, data.calibrated


def _describe(dataset: Dataset, inputs: Mapping[str, AnySource]) -> Survey:
    return Survey(
        name=str(dataset.identity.get("name", "survey")),
        file=_DATA,
        catalog=CatalogSource(
            file=_CATALOG,
            id=_ID,
            columns=tuple(str(name) for name in dataset.catalog.columns),
            roles=dict(dataset.catalog.attrs.get("roles", {})),
        ),
        inputs=dict(inputs),
        described=tuple(getattr(dataset, "described", ())),
        stored=Stored(
            identity=json.dumps(dict(dataset.identity), sort_keys=True),
            warnings=tuple(dataset.warnings),
        ),
    )
