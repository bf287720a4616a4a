"""A table as the bytes of a file: FITS, ECSV, CSV or Parquet, with exact integers and text."""

import gzip
import io
import json
import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from fmb import ConfigError, DataError, did_you_mean
from fmb_surveys.export.provenance import provenance_lines
from fmb_surveys.export.table import Exported, Field

__all__ = ["FORMATS", "file_bytes", "format_of"]

FORMATS = ("fits", "csv", "parquet", "ecsv")
_ZIPPED = ("fits", "csv", "ecsv")


def format_of(path: Path, wanted: str | None) -> str:
    """The format of a file: `wanted`, else what its ending says; `.gz` may follow.

    Raises:
        ConfigError: there is no such format, the ending says none, or it has no `.gz`.
    """
    if wanted not in (None, *FORMATS):
        raise ConfigError(f"no format is called {wanted!r}{did_you_mean(str(wanted), FORMATS)}")
    ending = path.with_suffix("").suffix if path.suffix == ".gz" else path.suffix
    name = wanted or ending.removeprefix(".")
    if name not in FORMATS:
        hint = did_you_mean(name, FORMATS)
        raise ConfigError(f"{path}: its ending is no format; add --format{hint}")
    if path.suffix == ".gz" and name not in _ZIPPED:
        raise ConfigError(f"{path}: {name} is compressed within; leave .gz out")
    return name


def file_bytes(
    name: str, exported: Exported, told: Mapping[str, Any], *, zipped: bool = False
) -> bytes:
    """The whole file.

    Args:
        name: one of `FORMATS`.
        exported: any columns, and what to tell of each.
        told: provenance; a CSV has no place for it, nor for what is told of columns.
        zipped: compress it with gzip, without a time in it.

    Raises:
        DataError: FITS cannot hold a text, which is ASCII there.
    """
    make = {"fits": _fits, "csv": _csv, "parquet": _parquet, "ecsv": _ecsv}[name]
    body = make(exported.table, exported.fields, told)
    return gzip.compress(body, mtime=0) if zipped else body


def _csv(table: pd.DataFrame, fields: Mapping[str, Field], told: Mapping[str, Any]) -> bytes:
    return table.to_csv(index=False, lineterminator="\n").encode()


def _parquet(table: pd.DataFrame, fields: Mapping[str, Field], told: Mapping[str, Any]) -> bytes:
    import pyarrow as pa
    import pyarrow.parquet as pq

    texts = {str(c): _masked(v).filled("") for c, v in table.items() if _is_text(v)}
    bare = table.assign(**texts)  # astropy cannot read a missing text
    bare.attrs = {}
    arrow = pa.Table.from_pandas(bare, preserve_index=False)
    schema = arrow.schema
    for at, column in enumerate(schema.names):
        kept = {key: value for key, value in vars(fields[column]).items() if value}
        schema = schema.set(at, schema.field(at).with_metadata(kept))
    meta = {**(schema.metadata or {}), b"fmb": json.dumps(dict(told), sort_keys=True).encode()}
    buffer = io.BytesIO()
    pq.write_table(arrow.cast(schema.with_metadata(meta)), buffer)
    return buffer.getvalue()


def _ecsv(table: pd.DataFrame, fields: Mapping[str, Field], told: Mapping[str, Any]) -> bytes:
    from astropy.table import Table

    out = Table(meta=json.loads(json.dumps(dict(told))))
    for column, values in table.items():
        field = fields[str(column)]
        out[str(column)] = _masked(values)
        if _is_text(values):
            _refuse_outer_blanks(str(column), out[str(column)])
        out[str(column)].description = field.about or None
        out[str(column)].unit = _unit(field.unit)
        if field.ucd:
            out[str(column)].meta["ucd"] = field.ucd
    text = io.StringIO()
    out.write(text, format="ascii.ecsv")
    return text.getvalue().encode()


def _fits(table: pd.DataFrame, fields: Mapping[str, Field], told: Mapping[str, Any]) -> bytes:
    from astropy.io import fits
    from astropy.table import Table

    out = Table()
    for column, values in table.items():
        if not str(column).isascii():
            raise DataError(
                f"the name of column {column!r} is not ASCII, which is all FITS can hold; choose"
                " --format ecsv or parquet"
            )
        out[str(column)] = _for_fits(str(column), _masked(values))
    hdu = fits.table_to_hdu(out)
    for n, column in enumerate(out.colnames, 1):
        field = fields[column]
        unit, about = _fits_unit(field.unit), field.about
        if field.unit and not unit:  # every reader would warn of it
            about = f"{about} [{field.unit}]".lstrip()
        for key, text in (("TUNIT", unit), ("TCOMM", about), ("TUCD", field.ucd)):
            if text:
                hdu.header[f"{key}{n}"] = _ascii(text)
    hdu.name = "FMB"
    hdu.header["FMBRUN"] = _ascii(told["run"])
    hdu.header["FMBVERS"] = told["fmb"]
    hdu.header["FMBSURV"] = told["survey_digest"]
    for line in provenance_lines(told):
        for part in textwrap.wrap(_ascii(line), 72):
            hdu.header.add_comment(part)
    buffer = io.BytesIO()
    fits.HDUList([fits.PrimaryHDU(), hdu]).writeto(buffer)
    return buffer.getvalue()


def _is_text(values: pd.Series) -> bool:
    kinds = (pd.api.types.is_bool_dtype, pd.api.types.is_numeric_dtype)
    return not any(is_kind(values.dtype) for is_kind in kinds)


def _masked(values: pd.Series) -> np.ma.MaskedArray[Any, Any]:
    """A column as numpy has it, masked where unknown; floats keep their NaN."""
    unknown = values.isna().to_numpy(dtype=bool)
    kind = values.dtype
    if pd.api.types.is_bool_dtype(kind):
        found = values.fillna(False).to_numpy(dtype=bool)
    elif pd.api.types.is_float_dtype(kind):
        known = values.to_numpy(dtype=np.dtype(str(kind).lower()), na_value=np.nan)
        return np.ma.MaskedArray(known)
    elif pd.api.types.is_integer_dtype(kind):
        found = values.fillna(0).to_numpy(dtype=np.dtype(str(kind).lower()))
    else:
        found = values.astype("string").fillna("").to_numpy(dtype=np.str_)
    return np.ma.MaskedArray(found, mask=unknown if unknown.any() else np.ma.nomask)


def _for_fits(column: str, values: np.ma.MaskedArray[Any, Any]) -> Any:
    """A column that FITS has, unknown integers under a value that no other has.

    FITS knows no missing truth value, no 8-bit integer with a sign (astropy writes it as truth
    values), and astropy cannot read a missing integer without a sign: these take a wider integer.
    """
    from astropy.table import Column, MaskedColumn

    missing, kind = bool(np.ma.is_masked(values)), values.dtype
    if kind.kind == "U":
        return Column(_ascii_texts(column, values.filled("")))
    if kind.kind == "i" and kind.itemsize == 1:
        values = np.ma.asarray(values.astype(np.int16))
    elif missing and kind.kind in "ub":
        if kind.itemsize == 8 and values.max() > np.iinfo(np.int64).max:
            return Column(np.where(values.mask, "", values.data.astype(str)))
        values = np.ma.asarray(values.astype(f"i{min(8, 2 * kind.itemsize)}"))
    if not missing or kind.kind == "f":
        return Column(values.data)
    own = set(values.compressed().tolist())
    null = next(v for v in range(np.iinfo(values.dtype).min, 0) if v not in own)
    return MaskedColumn(values.data, mask=values.mask, fill_value=null)


def _ascii_texts(column: str, texts: Any) -> Any:
    for text in np.unique(texts):
        if not text.isascii():
            raise DataError(
                f"column {column!r}: {str(text)!r} is not ASCII, which is all FITS can hold;"
                " choose --format ecsv or parquet"
            )
        if text != text.rstrip():
            raise DataError(
                f"column {column!r}: {str(text)!r} ends in a blank, which FITS drops;"
                " choose --format csv or parquet"
            )
    return texts.astype("S") if texts.dtype.itemsize else texts.astype("S1")


def _refuse_outer_blanks(column: str, texts: Any) -> None:
    """Refuse text that ECSV would give back without its first or last blank.

    Raises:
        DataError: names the column and the text.
    """
    for text in np.unique(np.ma.filled(texts, "").astype(str)):
        if text != text.strip():
            raise DataError(
                f"column {column!r}: {str(text)!r} begins or ends with a blank, which ECSV drops;"
                " choose --format csv or parquet"
            )


def _ascii(text: str) -> str:
    return text.encode("ascii", "replace").decode()


def _fits_unit(text: str) -> str:
    """The unit as the FITS standard writes it; "" where it does not know it.

    A magnitude system is left to the comment: the standard has magnitudes only.
    """
    from astropy import units

    unit = _unit(text)
    if isinstance(unit, units.UnrecognizedUnit):
        return ""
    if isinstance(unit, units.function.FunctionUnitBase):
        unit = unit.function_unit
    try:
        return str(unit.to_string("fits")) if unit is not None else ""
    except ValueError:
        return ""


def _unit(text: str) -> Any:
    """A unit as astropy has it; one it does not know stays text."""
    from astropy import units

    return units.Unit(text, parse_strict="silent") if text else None
