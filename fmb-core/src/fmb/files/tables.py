"""Tables of users' files by their endings; FITS and ECSV, which astropy reads."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fmb.files.arrow_tables import read_csv, read_parquet
from fmb.files.columns import Unreadable, from_array
from fmb.files.damage import DAMAGE, quiet_fits, reason
from fmb.files.endings import ending
from fmb.files.table import Table, table_of
from fmb.messages.errors import DataError

if TYPE_CHECKING:
    pass

__all__ = ["TABLE_SUFFIXES", "is_table", "of_column", "read_table"]


def is_table(path: Path) -> bool:
    """True when the ending of a path says that it is one of these tables."""
    return ending(path) in TABLE_SUFFIXES


def read_table(path: Path, *, text: Sequence[str] = (), extension: str = "") -> Table:
    """The table in a file; its ending says of which format.

    Args:
        path: Parquet, CSV, FITS or ECSV; CSV and FITS may be packed by gzip.
        text: columns of a CSV file to leave as the texts they are, for instance ids.
        extension: of a FITS file, by name or number; "" = its first table.

    Raises:
        DataError: the file is missing, damaged, or of another format, or has no such extension;
            two columns share a name.
    """
    suffix = ending(path)
    if suffix not in TABLE_SUFFIXES:
        raise DataError(f"{path}: not a table; give {', '.join(TABLE_SUFFIXES)}")
    if not path.exists():
        raise DataError(f"{path}: no such file")
    if path.is_dir():
        raise DataError(f"{path}: is a folder, expected a table")
    if not path.is_file():  # a pipe could be waited for for ever
        raise DataError(f"{path}: not a regular file; write the table to one")
    if extension and _READERS[suffix] is not _read_fits:
        raise DataError(f"{path}: has no extensions, as FITS has; leave {extension!r} out")
    try:
        if extension:
            return _read_fits(path, text, extension)
        return _READERS[suffix](path, text)
    except DAMAGE as error:
        raise DataError(f"{path}: cannot be read as {suffix}: {reason(error)}") from None


def _read_fits(path: Path, text: Sequence[str], extension: str = "") -> Table:
    from astropy.io import fits
    from astropy.table import Table as AstropyTable

    # Given a path, astropy leaves the file open where it fails.
    with path.open("rb") as stream, quiet_fits(path), fits.open(stream, memmap=False) as hdus:
        tables = [hdu for hdu in hdus if isinstance(hdu, fits.BinTableHDU | fits.TableHDU)]
        tables = [hdu for hdu in tables if not isinstance(hdu, fits.CompImageHDU)]
        if not tables:
            raise DataError(f"{path}: holds no table; images are no catalogue")
        numbers = {id(hdu): at for at, hdu in enumerate(hdus)}
        names = [hdu.name or "without a name" for hdu in tables]
        asked = [
            hdu
            for hdu in tables
            if extension in (str(numbers[id(hdu)]), "") or hdu.name == extension.upper()
        ]
        if not asked:
            raise DataError(f"{path}: has no table {extension!r}; it has {', '.join(names)}")
        number = numbers[id(asked[0])]
    several = len(names) > 1 and not extension
    notes = [f"{path.name} holds {len(names)} tables; the first, {names[0]}, is read"] * several
    with path.open("rb") as stream, quiet_fits(path):
        # What it would take for gaps besides TNULL: NaN, which is one as it is, and empty text.
        table = AstropyTable.read(stream, format="fits", hdu=number, mask_invalid=False)
    return _of_astropy(path, table, notes)


def _read_ecsv(path: Path, text: Sequence[str]) -> Table:
    from astropy.table import Column
    from astropy.table import Table as AstropyTable

    with quiet_fits(path):
        read = partial(AstropyTable.read, path, format="ascii.ecsv")
        table = read()
        columns = [table[name] for name in table.colnames]
        words = [c for c in columns if isinstance(c, Column) and c.dtype.kind == "U"]
        # An empty text is no gap, but astropy must be told the columns of which that holds.
        empty = [column.name for column in words if np.any(getattr(column, "mask", False))]
        if empty:
            table = read(fill_exclude_names=empty)
    return _of_astropy(path, table)


def _of_astropy(path: Path, table: Any, notes: Sequence[str] = ()) -> Table:
    units = {
        name: str(unit)
        for name in table.colnames
        if (unit := getattr(table[name], "unit", None)) is not None
    }

    columns = [(name, partial(of_column, table[name])) for name in table.colnames]
    return table_of(path, columns, units, notes=tuple(notes))


def of_column(column: Any) -> Any:
    """A column of astropy as `fmb.files.columns` has it.

    Raises:
        Unreadable: it holds more than a value a row.
        DataError: bytes that are no text (UTF-8).
    """
    from astropy.table import Column

    if not isinstance(column, Column):  # positions, times: several numbers a row
        raise Unreadable(f"{type(column).__name__} objects")
    if column.ndim != 1:
        raise Unreadable(f"arrays of shape {column.shape[1:]}")
    mask = getattr(column, "mask", None)
    return from_array(np.asarray(column.filled() if mask is not None else column), mask)


_READERS: dict[str, Callable[[Path, Sequence[str]], Table]] = {
    ".parquet": read_parquet,
    ".csv": read_csv,
    ".csv.gz": read_csv,
    ".fits": _read_fits,
    ".fit": _read_fits,
    ".fits.gz": _read_fits,
    ".fz": _read_fits,
    ".ecsv": _read_ecsv,
}
TABLE_SUFFIXES = tuple(_READERS)
"""Endings of the files that `read_table` takes."""
