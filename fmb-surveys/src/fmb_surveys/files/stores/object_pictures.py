"""JPEG and PNG pictures of one object each, decoded to the numbers they hold."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np

from fmb import Array, ConfigError, DataError, did_you_mean
from fmb.files import Stated, undamaged

__all__ = ["PICTURE", "ObjectPicture", "open_object", "told"]

PICTURE = "picture"
"""Name of the one array in a picture: (bands, height, width)."""

MAX_PIXELS = 4096 * 4096
"""A picture of one object is smaller; a small file that declares more would fill the memory."""

BANDS = {1: ("grey",), 3: ("R", "G", "B")}
_MODES = {"L": 1, "I;16": 1, "RGB": 3}
_WITH_ALPHA = {"LA": "L", "RGBA": "RGB"}
_SAVE_AS = "save it as grey or RGB"
_PNG = b"\x89PNG\r\n\x1a\n"
_DEPTH, _COLOUR = 24, 25
"""Where a PNG file says its bits a band, and which bands it has."""


class ObjectPicture:
    """A decoded picture."""

    def __init__(self, values: Array, path: Path, alpha: bool) -> None:
        self._values, self._path = values, path
        self.alpha = alpha
        """True when an alpha band, opaque everywhere, was left out."""

    def shape(self, name: str = PICTURE) -> tuple[int, ...]:
        """(bands, height, width)."""
        return tuple(self.read(name).shape)

    def kind(self, name: str = PICTURE) -> "np.dtype[Any]":
        """uint8 or uint16."""
        return self.read(name).dtype

    def stated(self, name: str = PICTURE) -> Stated:
        """How many bits its levels have; what a level is worth stands in no picture."""
        return Stated(unit=f"levels of {8 * self.kind(name).itemsize} bits")

    def read(self, name: str = PICTURE) -> Array:
        """(bands, height, width), uint8 or uint16; row 0 is the top of the picture.

        Raises:
            DataError: a picture holds no array of that name.
        """
        if name != PICTURE:
            hint = did_you_mean(name, [PICTURE])
            raise DataError(
                f"{self._path}: {name!r} is not in a picture, which has {PICTURE!r}{hint}"
            )
        return self._values


@contextmanager
def open_object(path: Path) -> Iterator[ObjectPicture]:
    """The picture of an object, decoded. An orientation that EXIF tells is not applied.

    Raises:
        ConfigError: Pillow is not installed.
        DataError: it is missing, cut short, damaged, too large, or its bands are not grey or RGB of
            8 bits, or grey of 16.
    """
    try:
        path.stat()
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}") from None
    if not path.is_file():  # a pipe could be waited for for ever
        raise DataError(f"{path}: not a regular file, expected a picture")
    try:
        stream = path.open("rb")
    except PermissionError:
        raise DataError(f"{path}: no permission to read it") from None
    with stream, undamaged(str(path)):
        picture = _decoded(stream, path)
    yield picture


def told(path: Path, kind: str = "images") -> tuple[dict[str, Any], tuple[str, ...]]:
    """What a picture says of itself: keys of `[inputs.NAME]`, and lines for people.

    Raises:
        DataError: it is asked for spectra, or as `open_object`.
    """
    if kind != "images":
        raise DataError(f"{path}: a picture holds no {kind}")
    with open_object(path) as picture:
        bands, height, width = picture.shape()
        bits = 8 * picture.kind().itemsize
        lines = [
            f"bands {', '.join(BANDS[bands])}: {height} x {width} pixels of {bits} bits, as in"
            f" {path.name}",
            "unit display: a picture tells no flux scale",
            "row 0 is the top of the picture; an orientation in EXIF is not applied",
        ]
        if picture.alpha:
            lines.append("an alpha band that is opaque everywhere is left out")
    keys = {"flux": PICTURE, "bands": list(BANDS[bands]), "unit": "display"}
    return keys, tuple(lines)


def _decoded(stream: IO[bytes], path: Path) -> ObjectPicture:
    try:
        from PIL import Image, UnidentifiedImageError
    except ModuleNotFoundError:
        raise ConfigError(
            f"{path}: pictures are read by Pillow: pip install 'fmb-surveys[pictures]'"
        ) from None
    head = stream.read(_COLOUR + 1)
    _refuse_depth(head, path)
    stream.seek(0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of sizes beyond ours, and of what is in EXIF
        try:
            image = Image.open(stream, formats=("JPEG", "PNG"))
        except UnidentifiedImageError:
            raise DataError(f"{path}: not a JPEG or PNG picture, or its head is damaged") from None
        except Image.DecompressionBombError:
            raise DataError(
                f"{path}: declares too many pixels for a picture of one object"
            ) from None
        with image:
            _refuse_unlike(image, path)
            image.load()
            values, alpha = _without_alpha(image, path)
    bands = values[None] if values.ndim == 2 else np.moveaxis(values, 2, 0)
    return ObjectPicture(bands, path, alpha)


def _refuse_depth(head: bytes, path: Path) -> None:
    """Refuse a PNG of which Pillow would drop bits."""
    if head.startswith(_PNG) and len(head) > _COLOUR and head[_DEPTH] == 16 and head[_COLOUR]:
        raise DataError(
            f"{path}: 16 bits a band are read of grey PNG files only, others would lose half of"
            " them; write a file a band, or FITS"
        )


def _refuse_unlike(image: Any, path: Path) -> None:
    width, height = image.size
    if width * height > MAX_PIXELS:
        raise DataError(
            f"{path}: declares {width} x {height} pixels, too many for a picture of one object"
        )
    if getattr(image, "n_frames", 1) > 1:
        raise DataError(f"{path}: holds {image.n_frames} pictures, expected one")
    if image.mode == "P":
        raise DataError(f"{path}: colours are numbers of a palette; {_SAVE_AS}")
    if image.mode not in {**_MODES, **_WITH_ALPHA}:
        raise DataError(f"{path}: has bands {image.mode}, expected grey or RGB; {_SAVE_AS}")
    if "transparency" in image.info:
        raise DataError(f"{path}: one of its colours means transparent; {_SAVE_AS}")


def _without_alpha(image: Any, path: Path) -> tuple[Array, bool]:
    """The values, (height, width) or (height, width, 3), and whether there was an alpha band."""
    values = np.asarray(image)
    if image.mode not in _WITH_ALPHA:
        return values, False
    if not (values[..., -1] == 255).all():
        raise DataError(f"{path}: has transparent pixels, which have no value; {_SAVE_AS}")
    return (values[..., 0] if image.mode == "LA" else values[..., :-1]), True
