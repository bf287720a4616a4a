"""The pixels of a simulated survey in files: one an instrument, of which each row is read alone."""

import errno
import shutil
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from fmb import Array, Dataset, Images, Spectra
from fmb.store import end_with_parent, staged_folder
from fmb_surveys.files.stores.stacked_hdf5 import StackedHDF5

__all__ = ["PixelFile", "write_pixels"]

ROWS_AT_ONCE = 64
SLACK_BYTES = 2**20
"""For what HDF5 itself adds to the rows."""

_PACKED = ("ivar", "mask")
"""Arrays that are packed, row by row. Flux is not: its noise fills all bits of a float32, and 3 ms
an object would make it smaller by 14 %."""
_FILE = "pixels.h5"

Observed = Images | Spectra
Rows = Mapping[str, Array | list[bytes]]
"""Array -> its values, or each row of it packed."""


class PixelFile:
    """What one instrument saw of the objects that it has; pickles without the open file."""

    def __init__(self, folder: Path, like: Observed, present: Array) -> None:
        """Nothing is opened before it is read.

        Args:
            folder: that `write_pixels` made.
            like: of no object, with all that objects share.
            present: (n,) bool, the objects that the instrument has.
        """
        self._store, self._like = StackedHDF5(folder / _FILE), like
        self._at = np.cumsum(present) - 1

    def read(self, rows: Array) -> Observed:
        """The objects at `rows`, which the instrument has, in that order.

        Raises:
            DataError: the file is damaged or gone.
        """
        at = self._at[rows]
        values: Any = {key: self._store.read(key, at) for key in _per_row(self._like)}
        return replace(self._like, **values)


def write_pixels(
    folders: Mapping[str, Path],
    dataset: Dataset,
    *,
    shared: bool,
    progress: Callable[[int, int], None],
) -> None:
    """Write instruments of a simulated survey, each into a folder that appears whole or not at all.

    Where another process was first with a folder, its own stays; it holds the same pixels.

    Args:
        folders: instrument -> where it goes.
        dataset: read 64 objects at a time, once for all instruments.
        shared: let all cores simulate side by side; the pixels are the same.
        progress: called with the objects written and their number.

    Raises:
        FailedError: the disk is full or the folder cannot be written to.
    """
    n = len(dataset)
    with ExitStack() as stack:
        files: dict[str, _File] = {}
        for name, folder in folders.items():
            staging = stack.enter_context(staged_folder(folder))
            file = stack.enter_context(h5py.File(staging / _FILE, "w"))
            files[name] = _File(file, like(dataset, name), dataset.inputs[name].have(n))
        needed = SLACK_BYTES + sum(file.n_bytes for file in files.values())
        # HDF5 crashes the process when the disk fills up under it: first see that all will fit.
        if shutil.disk_usage(next(iter(folders.values())).parent).free < needed:
            raise OSError(errno.ENOSPC, f"{needed:,} bytes are needed")
        progress(0, n)
        pieces = [np.arange(i, min(i + ROWS_AT_ONCE, n)) for i in range(0, n, ROWS_AT_ONCE)]
        made = _side_by_side(dataset, list(files), pieces, workers=-1 if shared else 1)
        for rows, piece in zip(pieces, made, strict=True):
            for name, file in files.items():
                file.write(rows, piece[name])
            progress(int(rows[-1]) + 1, n)


def _side_by_side(
    dataset: Dataset, names: Sequence[str], pieces: Sequence[Array], *, workers: int
) -> Iterator[dict[str, Rows]]:
    """What `_made` makes of each piece, in their order; -1 workers = one a core."""
    # Imported here: a survey that is there does without its tenth of a second.
    from joblib import Parallel, delayed

    # The processes stay for the next survey: the first pays a few seconds for them.
    jobs = Parallel(workers, return_as="generator", initializer=end_with_parent)
    yield from jobs(delayed(_made)(dataset, names, rows) for rows in pieces)


def like(dataset: Dataset, name: str) -> Observed:
    """The instrument's data of no object: which arrays there are, and all that objects share."""
    data = dataset.read(np.arange(0), (name,)).inputs[name]
    assert isinstance(data, Images | Spectra)  # all that is simulated
    return data


def _made(dataset: Dataset, names: Sequence[str], rows: Array) -> dict[str, Rows]:
    """The objects at `rows`, instrument by instrument, as they are written."""
    batch = dataset.read(rows, names)
    return {
        name: {
            key: [_pack(row) for row in values] if key in _PACKED else values
            for key, values in _per_row(batch.inputs[name]).items()
        }
        for name in names
    }


def _pack(row: Array) -> bytes:
    """A row as HDF5's filters shuffle and gzip (level 1) leave it."""
    flat = np.ascontiguousarray(row).reshape(-1)
    return zlib.compress(flat.view(np.uint8).reshape(len(flat), -1).T.tobytes(), 1)


def _per_row(data: object) -> dict[str, Array]:
    """The arrays that have a row for each object, by name."""
    named = [f.name for f in fields(data) if f.metadata.get("per_row")]  # type: ignore[arg-type]
    return {name: value for name in named if (value := getattr(data, name)) is not None}


class _File:
    """An instrument's file while it is written."""

    def __init__(self, file: h5py.File, like: Observed, present: Array) -> None:
        self._present, self._end = present, 0
        self._datasets = {
            key: file.create_dataset(
                key,
                shape=(int(present.sum()), *values.shape[1:]),
                dtype=values.dtype,
                **self._filters(values) if key in _PACKED else {},
            )
            for key, values in _per_row(like).items()
        }
        self.n_bytes = sum(dataset.nbytes for dataset in self._datasets.values())
        """Of the rows, were none of them packed."""

    @staticmethod
    def _filters(values: Array) -> dict[str, object]:
        chunks = (1, *values.shape[1:])  # a row is read without the others
        return {"chunks": chunks, "shuffle": True, "compression": "gzip", "compression_opts": 1}

    def write(self, rows: Array, piece: Rows) -> None:
        """Write those of the next `rows` that the instrument has."""
        first, self._end = self._end, self._end + int(self._present[rows].sum())
        for key, values in piece.items():
            dataset = self._datasets[key]
            if isinstance(values, np.ndarray):
                dataset[first : self._end] = values
                continue
            for at, packed in enumerate(values, start=first):
                dataset.id.write_direct_chunk((at, *[0] * (dataset.ndim - 1)), packed)
