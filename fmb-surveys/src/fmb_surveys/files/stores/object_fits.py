"""FITS files of one object each."""

import gzip
import mmap
import re
import threading
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np

from fmb import Array, DataError, ShapeError
from fmb.files import Stated, undamaged
from fmb_surveys.files.stores.fits_arrays import FitsFile, FitsImage
from fmb_surveys.files.stores.fits_columns import TableColumn

__all__ = ["ObjectFITS", "fits_errors", "open_fits", "open_object", "shape_at", "told"]

KEPT_BYTES = 64 * 2**20
"""Of the files that were read last: each array of a batch comes from the same ones."""

_recent = threading.local()


class ObjectFITS:
    """An open file. Arrays joined by `+` are laid end to end, those joined by `&` are bands."""

    def __init__(self, file: FitsFile, path: Path) -> None:
        self._file, self._path = file, path

    def header(self, extension: int | str) -> Mapping[str, Any]:
        """The header of an extension, by number or name; empty where there is none."""
        with fits_errors(self._path):
            return self._file.header(extension) or {}

    def columns(self, extension: int | str) -> Mapping[str, TableColumn]:
        """The columns of a table; none where an extension is none, or not there."""
        with fits_errors(self._path):
            return self._file.columns(extension)

    def images(self) -> list[int]:
        """Numbers of the extensions that are images and not empty."""
        with fits_errors(self._path):
            return self._file.images()

    def shape(self, name: str) -> tuple[int, ...]:
        """Of an image, or of a column: of its single row, or (rows, ...) of a table of several.

        Raises:
            ShapeError: arrays that are joined or stacked do not fit each other.
        """
        with fits_errors(self._path):
            layers = [
                [_of_object(self._file.array(part.strip()).shape) for part in layer.split("+")]
                for layer in name.split("&")
            ]
        shapes = {(*layer[0][:-1], sum(shape[-1] for shape in layer)) for layer in layers}
        fitting = all(shape[:-1] == layer[0][:-1] for layer in layers for shape in layer)
        if len(shapes) > 1 or not fitting:
            raise ShapeError(f"{self._path}: {name!r} puts together arrays of shapes {layers}")
        [shape] = shapes
        return shape if len(layers) == 1 else (len(layers), *shape)

    def kind(self, name: str) -> "np.dtype[Any]":
        """Type of its numbers as they are stored."""
        with fits_errors(self._path):
            return np.result_type(*(array.kind for array in self._arrays(name)))

    def stated(self, name: str) -> Stated:
        """What the headers say of them.

        Raises:
            DataError: of two that are put together they say different things.
        """
        with fits_errors(self._path):
            said = [array.stated for array in self._arrays(name)]
        if any(one != said[0] for one in said):
            raise DataError(f"{self._path}: {name!r} puts together arrays of another unit or scale")
        return said[0]

    def read(self, name: str) -> Array:
        """The array as a whole."""
        with fits_errors(self._path):
            layers = [self._joined(layer) for layer in name.split("&")]
            return layers[0] if len(layers) == 1 else np.stack(layers)

    def _joined(self, layer: str) -> Array:
        parts = [self._file.array(part.strip()).read() for part in layer.split("+")]
        shaped = [part.reshape(_of_object(part.shape)) for part in parts]
        return shaped[0] if len(shaped) == 1 else np.concatenate(shaped, axis=-1)

    def _arrays(self, name: str) -> list[FitsImage | TableColumn]:
        return [self._file.array(part.strip()) for part in re.split("[+&]", name)]


def _of_object(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Without the axis of the rows where a table has one row, which then holds the object."""
    return shape[1:] if len(shape) > 1 and shape[0] == 1 else shape


@contextmanager
def fits_errors(path: Path) -> Iterator[None]:
    """Tells what astropy makes of damaged bytes in one line, and keeps its warnings inside.

    Raises:
        DataError: the file is damaged or cut short.
    """
    import warnings

    from astropy.io.fits.verify import VerifyError

    with warnings.catch_warnings(), undamaged(str(path)):
        warnings.simplefilter("ignore")
        warnings.filterwarnings("error", message="(?s).*truncated")
        try:
            yield
        except (VerifyError, UnboundLocalError) as error:  # the latter is a slip of astropy
            raise ValueError(str(error)) from None
        except UserWarning:
            raise DataError(f"{path}: the FITS file is cut short; copy it again") from None


@contextmanager
def open_object(path: Path) -> Iterator[ObjectFITS]:
    """The file of an object. Small ones that were read last stay in memory.

    Raises:
        DataError: it is missing, unreadable, truncated or no FITS file.
    """
    try:
        status = path.stat()
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}") from None
    kept: OrderedDict[tuple[Any, ...], ObjectFITS] = vars(_recent).setdefault("kept", OrderedDict())
    key = (path, status.st_size, status.st_mtime_ns)
    if key in kept:
        kept.move_to_end(key)
        yield kept[key]
        return
    file = ObjectFITS(open_fits(path), path)
    yield file
    kept[key] = file
    while len(kept) > 1 and sum(size for _, size, _ in kept) > KEPT_BYTES:
        kept.popitem(last=False)


def open_fits(path: Path, mapped: bool = False) -> FitsFile:
    """A FITS file, packed by gzip or not.

    Args:
        path: the file.
        mapped: leave it on disk, so that only what is asked for is read; a file that is packed as
            a whole is unpacked into memory all the same.

    Raises:
        DataError: it is missing, unreadable or no FITS file.
    """
    # Imported here: most surveys are read without astropy.
    from astropy.io import fits

    try:
        with path.open("rb") as stream:
            if mapped and path.stat().st_size:
                content: Any = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
            else:
                content = stream.read()
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}") from None
    with fits_errors(path):
        if content[:2] == b"\x1f\x8b":
            content, mapped = gzip.decompress(content), False
        if content[:9] != b"SIMPLE  =":
            raise DataError(f"{path}: not a FITS file")
        if len(content) % 2880:  # a header that is cut would be no header, and what it heads gone
            raise DataError(f"{path}: the FITS file is cut short; copy it again")
        # Given a path, astropy would hold a file open.
        source = content if mapped else BytesIO(content)
        hdus = fits.open(source, memmap=False, do_not_scale_image_data=True)
        return FitsFile(hdus, content, path)


def shape_at(path: Path, name: str) -> tuple[int, ...]:
    """Shape of an array of a file of which nothing but headers is read.

    Raises:
        DataError: as `open_object`, or there is no such array.
        ShapeError: arrays that are joined or stacked do not fit each other.
    """
    return ObjectFITS(open_fits(path, mapped=True), path).shape(name)


def told(path: Path, kind: str) -> tuple[dict[str, Any], tuple[str, ...]]:
    """What a file says of itself: keys of `[inputs.NAME]`, and lines for people.

    Raises:
        DataError: the file is damaged.
    """
    # Imported here: the readers of trees, which know what headers mean, open files by this module.
    from fmb_surveys.trees.told_fits import told_of_images, told_of_spectra

    return told_of_spectra(path) if kind == "spectra" else told_of_images(path)
