"""Parts of a Multimodal Universe tree that are whole and alike, and what is wrong with the rest."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pyarrow as pa

from fmb import DataError, FmbError
from fmb.files import attributes, find_dataset, open_file, read_rows, stated, undamaged, whole

__all__ = ["kinds_of", "part_table", "refuse_unlike", "sound_parts"]

ROWS_AT_ONCE = 256

_SAME_IN_ROWS = ("image_band", "image_scale")

_WORDS = {
    "b": "yes or no",
    "f": "numbers with fractions",
    "i": "whole numbers",
    "u": "numbers without a sign",
}

Kinds = Mapping[str, tuple[int, str]]
"""Dataset -> how many axes it has, and what it holds, in words."""


def kinds_of(file: h5py.File, n: int) -> Kinds:
    """What the datasets of a file are.

    Args:
        file: open.
        n: its objects.

    Raises:
        DataError: a dataset has another number of rows, or cannot be read.
    """
    with undamaged(str(file.filename)):
        names = list(file)
    found = {name: find_dataset(file, name) for name in names}
    for name, dataset in found.items():
        if dataset.shape[:1] != (n,):
            where = f"{file.filename}: {name!r}"
            raise DataError(f"{where} has shape {dataset.shape} for {n} objects")
    return {
        name: (dataset.ndim, _WORDS.get(dataset.dtype.kind, "text"))
        for name, dataset in found.items()
    }


def refuse_unlike(path: Path, kinds: Kinds, first: Path, of_first: Kinds) -> None:
    """Refuse two files of which one has a dataset that the other lacks or has of another kind.

    Raises:
        DataError: names the dataset and both files.
    """
    for lacking, has, where, other in (
        (kinds, of_first, path, first),
        (of_first, kinds, first, path),
    ):
        missing = [name for name in has if name not in lacking]
        if missing:
            raise DataError(
                f"{where}: {missing[0]!r} is not there, but in {other}; write all files alike"
            )
    for name, (axes, word) in kinds.items():
        if (axes, word) != of_first[name]:
            first_axes, expected = of_first[name]
            raise DataError(
                f"{path}: {name!r} holds {word} (axes: {axes}), expected {expected} (axes:"
                f" {first_axes}) as in {first}; write all files alike"
            )


def sound_parts(files: Sequence[Path]) -> tuple[list[Path], tuple[str, ...]]:
    """The files that can be read and are like most others, and a line for each of the rest.

    Every number of every file is read for it.

    Raises:
        DataError: not one file can be read.
    """
    looks: dict[Path, dict[str, Any]] = {}
    reasons: dict[Path, str] = {}
    for path in files:
        try:
            looks[path] = _look(path)
        except FmbError as error:
            reasons[path] = str(error)
    if not looks:
        raise DataError(f"every part is broken, the first by this: {reasons[files[0]]}")
    frozen = {path: tuple(sorted(look.items())) for path, look in looks.items()}
    usual = dict(Counter(frozen.values()).most_common(1)[0][0])
    for path, look in looks.items():
        unlike = [name for name in {**usual, **look} if usual.get(name) != look.get(name)]
        if unlike:
            reasons[path] = f"{path}: {unlike[0]!r} is not as in most parts"
    lines = tuple(f"part left out: {reasons[path]}" for path in files if path in reasons)
    return [path for path in files if path not in reasons], lines


def _look(path: Path) -> dict[str, Any]:
    """Dataset -> what must be the same in all parts; spectra may be of other lengths."""
    with open_file(path) as file:
        n = len(find_dataset(file, "object_id"))
        with undamaged(str(path)):
            names = list(file)
        return {name: _of_dataset(file, name, n) for name in names}


def _of_dataset(file: h5py.File, name: str, n: int) -> tuple[Any, ...]:
    dataset = find_dataset(file, name)
    where = f"{file.filename}: {name!r}"
    if dataset.shape[:1] != (n,):
        raise DataError(f"{where} has shape {dataset.shape} for {n} objects")
    if name in _SAME_IN_ROWS:
        return (str(np.unique(whole(dataset), axis=0).tolist()),)
    if dataset.dtype.kind in "fiub":
        for start in range(0, n, ROWS_AT_ONCE):
            read_rows(dataset, np.arange(start, min(start + ROWS_AT_ONCE, n)))
    tail = dataset.shape[1:] if dataset.ndim > 2 else (dataset.ndim,)
    return (tail, dataset.dtype.kind, str(stated(attributes(dataset), where)))


def part_table(files: Sequence[Path]) -> pa.Table:
    """The files as a table, with size and time of change, by which their survey is told."""
    states = [path.stat() for path in files]
    return pa.table(
        {
            "file": [str(path) for path in files],
            "size": [state.st_size for state in states],
            "changed": [state.st_mtime_ns for state in states],
        }
    )
