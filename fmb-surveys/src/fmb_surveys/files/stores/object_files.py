"""Files of one object each, or of one band of one object: a row is an object."""

from collections import Counter
from collections.abc import Sequence
from contextlib import AbstractContextManager
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol, cast

import numpy as np

from fmb import Array, ConfigError, DataError, FmbError, ShapeError, did_you_mean
from fmb.files import Stated
from fmb_surveys.files.stores.origins import origins_of_files

__all__ = ["OPENERS", "ObjectFile", "ObjectFiles", "object_files", "opener_of", "told_by_first"]

OPENERS = {
    ".h5": "fmb_surveys.files.stores.object_hdf5:open_object",
    ".hdf5": "fmb_surveys.files.stores.object_hdf5:open_object",
    ".jpeg": "fmb_surveys.files.stores.object_pictures:open_object",
    ".jpg": "fmb_surveys.files.stores.object_pictures:open_object",
    ".png": "fmb_surveys.files.stores.object_pictures:open_object",
    ".fits": "fmb_surveys.files.stores.object_fits:open_object",
    ".fits.gz": "fmb_surveys.files.stores.object_fits:open_object",
    ".fit": "fmb_surveys.files.stores.object_fits:open_object",
    ".fz": "fmb_surveys.files.stores.object_fits:open_object",
}
"""Ending -> what opens a file of one object."""
FORMATS = {
    "hdf5": "fmb_surveys.files.stores.object_hdf5:open_object",
    "fits": "fmb_surveys.files.stores.object_fits:open_object",
    "specutils": "fmb_surveys.files.stores.object_specutils:open_object",
}
"""Format -> what opens a file of one object, whatever its ending."""


class ObjectFile(Protocol):
    """An open file of one object."""

    def shape(self, name: str) -> tuple[int, ...]:
        """Of an array of numbers."""

    def kind(self, name: str) -> "np.dtype[Any]":
        """Type of its numbers as they are stored."""

    def stated(self, name: str) -> Stated:
        """What the file says of them."""

    def read(self, name: str) -> Array:
        """The array as a whole."""


class Opener(Protocol):
    """Opens a file of one object; raises DataError where it cannot."""

    def __call__(self, path: Path) -> AbstractContextManager[ObjectFile]: ...


class ObjectFiles:
    """One file an object, or one a band of it, all with arrays of the same names."""

    def __init__(
        self, files: Sequence[tuple[Path | None, ...]], opener: str, pixels: int | None = None
    ) -> None:
        """Nothing is opened before it is read.

        Args:
            files: of each row, those of its bands in order, None where one is missing, or one that
                has all.
            opener: "module:function" of an `Opener`.
            pixels: of the longest spectrum, where they are not all as long.
        """
        self.files, self._opener, self._pixels = tuple(files), opener, pixels
        self._first_file = next(file for row in self.files for file in row if file)
        self._first: dict[str, tuple[tuple[int, ...], np.dtype[Any], Stated]] = {}

    def place(self, name: str) -> str:
        """Where `name` is, for messages."""
        return f"{self._first_file} and {len(self.files) - 1} more: {name!r}"

    def shape(self, name: str) -> tuple[int, ...]:
        """Shape of the first object's array, with the number of objects before it."""
        bands = () if len(self.files[0]) == 1 else (len(self.files[0]),)
        shape = self._padded(self._of_first(name)[0])
        return (len(self.files), *bands, *(_flat(shape) if bands else shape))

    def kind(self, name: str) -> "np.dtype[Any]":
        """Type of the numbers as the first file stores them."""
        return self._of_first(name)[1]

    def stated(self, name: str) -> Stated:
        """What the first file says of the numbers; `read` holds the others to it."""
        return self._of_first(name)[2]

    def read(self, name: str, rows: Array, pad: float = np.nan) -> Array:
        """(m, ...): one entry an object; `pad` in a band whose file is missing.

        Raises:
            ShapeError: a file's array has another shape than that of the first.
            DataError: a file says something else of its numbers than the first.
        """
        shape = self.shape(name)[1:]
        made = []
        for row in rows:
            bands = [self._band(path, name, pad) for path in self.files[row]]
            made.append(np.stack(bands).reshape(shape) if len(bands) > 1 else bands[0])
        return np.stack(made) if made else np.empty((0, *shape))

    def _band(self, path: Path | None, name: str, pad: float) -> Array:
        if path is not None:
            return self._whole(path, name, pad)
        return np.full(self._padded(self._of_first(name)[0]), pad)

    def column(self, name: str) -> Array:
        """Files of single objects hold no column of all.

        Raises:
            ConfigError: always.
        """
        raise ConfigError(f"{self.place(name)}: a file an object holds no column of all objects")

    def origins(self, rows: Array, digest: str | None, mapping: str) -> Array:
        """(m,), uint64, by path, size and time of change of each object's files."""
        there = (tuple(f for f in self.files[row] if f) for row in rows)
        return origins_of_files(there, mapping)

    def broken(self, names: Sequence[str]) -> dict[int, str]:
        """Row -> why its files cannot be read beside the others; all files are read for it.

        The first row of those that most are like is what others are held to from then on.

        Args:
            names: of the arrays that are needed.
        """
        reasons: dict[int, str] = {}
        looks: dict[int, tuple[Any, ...]] = {}
        for row, paths in enumerate(self.files):
            try:
                looks[row] = tuple(self._look(path, names) for path in paths)
            except FmbError as error:
                reasons[row] = str(error)
        if not looks:
            return reasons
        usual = Counter(looks.values()).most_common(1)[0][0]
        first = next(row for row, look in looks.items() if look == usual)
        self._first_file = next(path for path in self.files[first] if path)
        self._first.clear()
        for row in (row for row, look in looks.items() if look != usual):
            try:
                for name in names:
                    self.read(name, np.array([row]))
            except FmbError as error:
                reasons[row] = str(error)
        return reasons

    def _look(self, path: Path | None, names: Sequence[str]) -> tuple[Any, ...]:
        """Shape and meaning of each array in a file, which is read whole to see that it can be."""
        if path is None:
            return ()
        with self._open(path) as file:
            return tuple((file.read(name).shape, file.stated(name)) for name in names)

    def _of_first(self, name: str) -> tuple[tuple[int, ...], "np.dtype[Any]", Stated]:
        if name not in self._first:
            with self._open(self._first_file) as file:
                self._first[name] = file.shape(name), file.kind(name), file.stated(name)
        return self._first[name]

    def _padded(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        return shape if self._pixels is None or len(shape) != 1 else (self._pixels,)

    def _open(self, path: Path) -> AbstractContextManager[ObjectFile]:
        module, _, name = self._opener.partition(":")
        return cast(Opener, getattr(import_module(module), name))(path)

    def _whole(self, path: Path | None, name: str, pad: float) -> Array:
        if path is None:  # of a band that the object does not have no pixel has a value
            return np.full(self._padded(self._of_first(name)[0]), np.nan, np.float32)
        with self._open(path) as file:
            values, written = file.read(name), file.stated(name)
        first = self._first_file
        if written != self.stated(name):
            raise DataError(
                f"{path}: {name!r} has another unit, scale or missing value than in {first};"
                " write all files alike"
            )
        expected = self._padded(self._of_first(name)[0])
        missing = expected[0] - len(values) if values.ndim == 1 and expected != values.shape else 0
        if self._pixels is not None and missing > 0:
            fits = values.dtype.kind == "f" or np.isfinite(pad)
            values = values if fits else values.astype(np.float64)
            return np.pad(values, (0, missing), constant_values=pad)
        if values.shape != expected:
            longest = "" if missing >= 0 else f"; set pixels = {len(values)} or more"
            raise ShapeError(
                f"{path}: {name!r} has shape {values.shape}, in {first} it has {expected}{longest}"
            )
        return values


def _flat(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Without a band axis of one."""
    return shape[1:] if len(shape) == 3 and shape[0] == 1 else shape


def object_files(
    files: Sequence[tuple[Path | None, ...]], pixels: int | None = None, asked: str = ""
) -> ObjectFiles:
    """The files of objects.

    Args:
        files: of each row, as `ObjectFiles` has them.
        pixels: of the longest spectrum, where they are not all as long.
        asked: their format; "" = by the ending of the first.

    Raises:
        ConfigError: there is no such format.
        DataError: nothing opens files of this ending.
    """
    if asked and asked not in FORMATS:
        hint = did_you_mean(asked, FORMATS)
        raise ConfigError(f"no format of single objects is called {asked!r}{hint}")
    first = next(path for row in files for path in row if path)
    return ObjectFiles(files, FORMATS[asked] if asked else opener_of(first), pixels)


def told_by(path: Path, kind: str) -> tuple[dict[str, Any], tuple[str, ...]]:
    """What a file of one object says of itself: keys of `[inputs.NAME]`, and lines for people.

    The module of its opener has a function `told` that takes the same, or files of that kind say
    nothing.

    Args:
        path: the file.
        kind: "images" or "spectra".

    Raises:
        FmbError: nothing opens it, it is damaged, or it cannot be of this kind.
    """
    module = import_module(opener_of(path).partition(":")[0])
    tell = getattr(module, "told", None)
    return tell(path, kind) if tell else ({}, ())


def told_by_first(
    files: Sequence[Path], kind: str, skip_bad: bool = False
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """What the first of some files of one object each says of itself; see `told_by`.

    Args:
        files: of one format, at least one.
        kind: "images" or "spectra".
        skip_bad: pass over those that cannot be read.

    Raises:
        FmbError: as `told_by`, of the first file.
    """
    for path in files if skip_bad else ():
        try:
            return told_by(path, kind)
        except FmbError:
            continue
    return told_by(files[0], kind)


def opener_of(path: Path) -> str:
    """What opens a file by its ending, as "module:function".

    Raises:
        DataError: nothing does.
    """
    name = path.name.lower()
    opener = next((opener for end, opener in OPENERS.items() if name.endswith(end)), None)
    if opener is None:
        raise DataError(f"{path}: no reader opens such files; one of {', '.join(OPENERS)}")
    return opener
