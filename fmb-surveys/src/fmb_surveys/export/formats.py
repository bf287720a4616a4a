"""A table as the parts of a file, with exact integers and text, whatever its format."""

import zlib
from collections.abc import Iterator, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from fmb import ConfigError, did_you_mean
from fmb_surveys.export.exported import Exported

__all__ = ["FORMATS", "file_parts", "format_of"]

_WRITERS = {
    "fits": "fmb_surveys.export.fits_file:fits_parts",
    "votable": "fmb_surveys.export.votable_file:votable_parts",
    "csv": "fmb_surveys.export.text_files:csv_parts",
    "parquet": "fmb_surveys.export.parquet_file:parquet_parts",
    "ecsv": "fmb_surveys.export.text_files:ecsv_parts",
}
FORMATS = tuple(_WRITERS)
_ZIPPED = ("fits", "votable", "csv", "ecsv")
_ENDINGS = {"vot": "votable", "xml": "votable"}
_GZIP = 31
"""Window of zlib with which it writes the header and the end of gzip, without a time."""


def format_of(path: Path, wanted: str | None) -> str:
    """The format of a file: `wanted`, else what its ending says; `.gz` may follow.

    Raises:
        ConfigError: there is no such format, the ending says none, or it has no `.gz`.
    """
    if wanted not in (None, *FORMATS):
        raise ConfigError(f"no format is called {wanted!r}{did_you_mean(str(wanted), FORMATS)}")
    ending = path.with_suffix("").suffix if path.suffix == ".gz" else path.suffix
    word = ending.removeprefix(".")
    name = wanted or _ENDINGS.get(word, word)
    if name not in FORMATS:
        hint = did_you_mean(name, FORMATS)
        raise ConfigError(f"{path}: its ending is no format; add --format{hint}")
    if path.suffix == ".gz" and name not in _ZIPPED:
        raise ConfigError(f"{path}: {name} is compressed within; leave .gz out")
    return name


def file_parts(
    name: str, exported: Exported, told: Mapping[str, Any], *, zipped: bool = False
) -> Iterator[bytes]:
    """The file in parts, made as they are taken: a block of rows is in memory at a time.

    Args:
        name: one of `FORMATS`.
        exported: any columns, and what to tell of each.
        told: provenance; a CSV has no place for it, nor for what is told of columns.
        zipped: compress it with gzip, without a time in it.

    Raises:
        DataError: the format cannot hold a text; before the first part.
    """
    # Imported here: of five formats one is written.
    module, function = _WRITERS[name].split(":")
    parts: Iterator[bytes] = getattr(import_module(module), function)(exported, told)
    return _zipped(parts) if zipped else parts


def _zipped(parts: Iterator[bytes]) -> Iterator[bytes]:
    packer = zlib.compressobj(wbits=_GZIP)
    for part in parts:
        yield packer.compress(part)
    yield packer.flush()
