"""The shards of one input: where its objects go, and how a file of them is written."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from fmb import Array, Columns, DataError, Dataset, Images, Spectra
from fmb.store import sync
from fmb_surveys.files.stores.hdf5_shards import SHARED, shard_name
from fmb_surveys.files.survey_toml import AnySource, ColumnsSource, ImagesSource, SpectraSource
from fmb_surveys.files.writer import KEYS, Observed, arrays_of, first_observed, layout_of
from fmb_surveys.pack.digests import DIGEST_BYTES, object_digests

__all__ = ["DIGEST", "Packed", "packed_inputs"]

DIGEST = "digest"
"""Dataset of digests of the objects of a shard, as they were read of the source."""
_ID = "object_id"
ROWS_AT_ONCE = 256
SHARD_BYTES = 512 * 2**20
"""Of a shard, where nobody says how many objects it has."""
MOST_ROWS = 10_000
"""However small: what is written again after a stop, and what a process writes at a time."""


@dataclass(frozen=True)
class Packed:
    """One input of a survey and its shards."""

    name: str
    rows: Array
    """(m,) int64, the objects that have it; those of a shard follow each other."""
    rows_a_shard: int
    row_bytes: int
    layout: tuple[Any, ...]
    source: AnySource
    """As a survey.toml has it."""

    @property
    def shards(self) -> range:
        """Numbers of its shards."""
        return range(-(-len(self.rows) // self.rows_a_shard))

    def rows_of(self, number: int) -> Array:
        """The objects of a shard."""
        return self.rows[number * self.rows_a_shard : (number + 1) * self.rows_a_shard]

    def path(self, folder: Path, number: int) -> Path:
        """Where a shard is."""
        return folder / self.name / shard_name(number)

    def write(self, folder: Path, dataset: Dataset, number: int) -> int:
        """Write one shard, whole or not at all; returns the number of its objects.

        Raises:
            DataError: an object has another layout than the first.
            OSError: the disk is full or the folder cannot be written to.
        """
        path, rows = self.path(folder, number), self.rows_of(number)
        part = path.with_name(f".{path.name}.{os.getpid()}.part")
        try:
            with h5py.File(part, "w") as file:
                self._fill(file, dataset, rows)
            sync(part)
            part.rename(path)
        finally:
            part.unlink(missing_ok=True)
        return len(rows)

    def _fill(self, file: h5py.File, dataset: Dataset, rows: Array) -> None:
        ids = dataset.ids[rows]
        text = ids.dtype.kind not in "iu"
        file[_ID] = ids.astype(h5py.string_dtype()) if text else ids
        file.create_dataset(DIGEST, (len(rows), DIGEST_BYTES), np.uint8)
        for start in range(0, len(rows), ROWS_AT_ONCE):
            some = rows[start : start + ROWS_AT_ONCE]
            data = dataset.read(some, (self.name,)).inputs[self.name]
            if len(data) != len(some):
                raise DataError(f"input {self.name!r}: objects {ids[start]} ... have lost it")
            if layout_of(data) != self.layout:
                raise DataError(f"input {self.name!r} changes its layout between objects")
            self._share(file, data)
            for key, values in arrays_of(data).items():
                if key not in file:
                    file.create_dataset(key, (len(rows), *values.shape[1:]), values.dtype)
                file[key][start : start + len(some)] = values
            file[DIGEST][start : start + len(some)] = object_digests(data)

    def _share(self, file: h5py.File, data: Observed) -> None:
        """Keep a grid that all objects have once, and see that they have."""
        if isinstance(data, Spectra) and data.wavelength_aa.ndim == 1:
            name = f"{SHARED}wavelength"
            if name not in file:
                file[name] = data.wavelength_aa
            elif not np.array_equal(file[name], data.wavelength_aa):
                raise DataError(f"input {self.name!r} has a shared wavelength grid that changes")


def packed_inputs(dataset: Dataset, rows_a_shard: int | None) -> list[Packed]:
    """How each input that some object has is packed.

    Args:
        dataset: what is packed; one object of each input is read.
        rows_a_shard: objects of each shard; None = as many as 512 MB hold, up to 10,000.

    Raises:
        DataError: the first object that has an input cannot be read.
    """
    found = []
    for name, info in dataset.inputs.items():
        first = first_observed(dataset, name)
        if first is None:
            continue
        row_bytes = sum(values.nbytes for values in arrays_of(first).values()) + DIGEST_BYTES
        fitting = min(MOST_ROWS, max(1, SHARD_BYTES // row_bytes))
        found.append(
            Packed(
                name,
                np.flatnonzero(info.have(len(dataset))),
                rows_a_shard or fitting,
                row_bytes,
                layout_of(first),
                _described(name, first),
            )
        )
    return found


def _described(name: str, first: Observed) -> AnySource:
    keys: Mapping[str, Any] = {KEYS.get(key, key): key for key in arrays_of(first)}
    place: dict[str, Any] = {"file": name, "format": "shards", "id": _ID}
    if isinstance(first, Columns):
        more: dict[str, Any] = {"names": first.names, "wavelength_aa": first.wavelength_aa}
        return ColumnsSource(kind="columns", units=first.units or "", **{**keys, **place, **more})
    place["unit"] = first.unit
    if isinstance(first, Images):
        more = {"bands": first.bands, "pixel_scale_arcsec": first.pixel_scale_arcsec}
        return ImagesSource(kind="images", **{**keys, **place, **more})
    own = first.wavelength_aa.ndim == 2
    grid = {"wavelength": "wavelength" if own else f"{SHARED}wavelength"}
    told = {"calibrated": first.calibrated, "complete_mask": True}
    return SpectraSource(kind="spectra", **{**keys, **place, **grid, **told})
