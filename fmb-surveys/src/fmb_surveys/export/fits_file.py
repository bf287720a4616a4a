"""A table as a FITS file, a block of rows at a time."""

import io
import textwrap
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from fmb import Array, DataError
from fmb_surveys.export.column_facts import Facts, facts_of
from fmb_surveys.export.exported import Exported, Field, masked
from fmb_surveys.export.provenance import provenance_lines
from fmb_surveys.export.unit_words import about_with_unit, unit_word

__all__ = ["fits_parts"]

_LETTERS = {"u1": "B", "i2": "I", "i4": "J", "i8": "K", "f4": "E", "f8": "D"}
_BLOCK = 2880
"""Bytes of which a FITS file is a multiple."""

_CARD = 68
"""Characters of the longest text that needs no continuation, of which LONGSTRN warns readers."""


@dataclass(frozen=True)
class _Column:
    """How the values of a column lie in the file."""

    form: str
    stored: str
    """Type of numpy, in the order of bytes of FITS."""
    encode: Callable[[np.ma.MaskedArray[Any, Any]], Array]
    zero: int | None = None
    null: int | None = None


def fits_parts(exported: Exported, told: Mapping[str, Any]) -> Iterator[bytes]:
    """The file, its header first.

    Raises:
        DataError: a text or the name of a column cannot be held by FITS.
    """
    columns = {name: _column(facts) for name, facts in facts_of(exported).items()}
    yield _header(columns, exported.fields, told, len(exported))
    kind = np.dtype([(f"c{n}", column.stored) for n, column in enumerate(columns.values())])
    written = 0
    for block in exported.blocks():
        rows = np.zeros(len(block), dtype=kind)
        for n, (name, column) in enumerate(columns.items()):
            rows[f"c{n}"] = column.encode(masked(block[name]))
        body = rows.tobytes()
        written += len(body)
        yield body
    yield bytes(-written % _BLOCK)


def _column(facts: Facts) -> _Column:
    """How FITS has a column, unknown integers under a value that no other has.

    FITS knows no missing truth value, no 8-bit integer with a sign, and astropy cannot read a
    missing integer without a sign: these take a wider integer, or text where there is none.
    """
    if not facts.name.isascii():
        raise DataError(
            f"the name of column {facts.name!r} is not ASCII, which is all FITS can hold; choose"
            " --format ecsv or parquet"
        )
    kind, size = facts.kind.kind, facts.kind.itemsize
    if kind == "U":
        return _text(facts)
    if kind == "f":
        stored = "f8" if size == 8 else "f4"
        return _Column(_LETTERS[stored], f">{stored}", lambda values: values.filled(np.nan))
    if kind == "b" and not facts.missing:
        return _Column("L", "u1", lambda values: np.where(values.data, ord("T"), ord("F")))
    if kind == "u" and size > 1 and not facts.missing:
        return _without_sign(size)
    if kind in "ub" and size == 8 and facts.high > np.iinfo(np.int64).max:
        width = len(str(facts.high))
        return _Column(f"{width}A", f"S{width}", _digits)
    if kind in "ub" and facts.missing:
        size = min(8, 2 * size)
    elif kind == "i":
        # The lowest number stands for a gap; where it is a value, a wider one does.
        lowest = facts.missing and facts.low == np.iinfo(facts.kind).min
        size = min(8, max(2, size) * (2 if lowest and size > 1 else 1))
    return _whole(facts, size)


def _whole(facts: Facts, size: int) -> _Column:
    stored = "u1" if facts.kind.kind == "u" and size == 1 else f"i{size}"
    if not facts.missing:
        return _Column(_LETTERS[stored], f">{stored}", lambda values: values.data)
    null = facts.unused() if size == 8 else int(np.iinfo(stored).min)
    return _Column(
        _LETTERS[stored],
        f">{stored}",
        lambda values: np.ma.asarray(values.astype(stored)).filled(null),
        null=null,
    )


def _without_sign(size: int) -> _Column:
    """As numbers with a sign and an offset, which is how FITS has those without."""
    flip = 1 << (8 * size - 1)
    return _Column(
        _LETTERS[f"i{size}"],
        f">i{size}",
        lambda values: (values.data ^ values.dtype.type(flip)).view(f"i{size}"),
        zero=flip,
    )


def _digits(values: np.ma.MaskedArray[Any, Any]) -> Array:
    return np.where(np.ma.getmaskarray(values), "", values.data.astype(str)).astype("S")


def _text(facts: Facts) -> _Column:
    if facts.not_ascii is not None:
        raise DataError(
            f"column {facts.name!r}: {facts.not_ascii!r} is not ASCII, which is all FITS can hold;"
            " choose --format ecsv or parquet"
        )
    if facts.trailing is not None:
        raise DataError(
            f"column {facts.name!r}: {facts.trailing!r} ends in a blank, which FITS drops;"
            " choose --format csv or parquet"
        )
    width = max(1, facts.width)
    return _Column(f"{width}A", f"S{width}", lambda values: values.filled("").astype("S"))


def _header(
    columns: Mapping[str, _Column], fields: Mapping[str, Field], told: Mapping[str, Any], rows: int
) -> bytes:
    """The empty first unit and the header of the table."""
    from astropy.io import fits

    described = [
        fits.Column(name=name, format=one.form, bzero=one.zero, null=one.null)
        for name, one in columns.items()
    ]
    hdu = fits.BinTableHDU.from_columns(described, nrows=0)
    hdu.header["NAXIS2"] = rows
    for n, name in enumerate(columns, 1):
        field = fields[name]
        unit = unit_word(field.unit, "fits")
        about = about_with_unit(field.about, field.unit, unit)
        for key, text in (("TUNIT", unit), ("TCOMM", about), ("TUCD", field.ucd)):
            if len(text) > _CARD:
                hdu.header["LONGSTRN"] = "OGIP 1.0"
            if text:
                hdu.header[f"{key}{n}"] = _ascii(text)
    hdu.name = "FMB"
    hdu.header["FMBRUN"] = _ascii(told["run"])
    hdu.header["FMBVERS"] = told["fmb"]
    hdu.header["FMBSURV"] = told["survey_digest"]
    for line in provenance_lines(told):
        for part in textwrap.wrap(_ascii(line), 72):
            hdu.header.add_comment(part)
    first = io.BytesIO()
    fits.HDUList([fits.PrimaryHDU()]).writeto(first)
    return first.getvalue() + str(hdu.header.tostring()).encode()


def _ascii(text: str) -> str:
    return text.encode("ascii", "replace").decode()
