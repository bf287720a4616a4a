"""Tables of users' files, a reader a format: Parquet, CSV, FITS and ECSV."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fmb.contract.arrays import Array
from fmb.contract.errors import DataError, did_you_mean
from fmb.files.columns import Unreadable, from_array, from_arrow, from_texts
from fmb.files.damage import DAMAGE, quiet_fits, reason
from fmb.files.endings import ending
from fmb.files.ids import as_ids, parse_ids

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

__all__ = ["TABLE_SUFFIXES", "Table", "is_table", "of_arrow", "of_column", "of_texts", "read_table"]


@dataclass(frozen=True)
class Table:
    """The columns of a file that hold one value a row; see `fmb.files.columns` for their types."""

    path: Path
    columns: Mapping[str, Any]
    """Name -> (n,), in the order of the file."""
    units: Mapping[str, str]
    """Column -> unit, where the file tells it."""
    unread: Mapping[str, str]
    """Column that holds more than a value a row -> what it holds."""
    notes: Sequence[str] = ()
    """What a user should know of how it was read, one line each."""
    typed: bool = True
    """False where the file has texts only, so that what is a number was found by looking."""

    def __len__(self) -> int:
        return len(next(iter(self.columns.values()), ()))

    def column(self, name: str) -> Any:
        """The values of a column, (n,).

        Raises:
            DataError: there is none of this name, or it holds more than a value a row.
        """
        if name in self.unread:
            raise DataError(f"{self.path}: column {name!r} holds {self.unread[name]}")
        if name not in self.columns:
            hint = did_you_mean(name, self.columns)
            raise DataError(f"{self.path}: no column is called {name!r}{hint}")
        return self.columns[name]

    def ids(self, name: str) -> Array:
        """The ids in a column, (n,), int64, uint64 or str, as the file has them.

        Raises:
            DataError: there is no such column, ids are missing, or went through a float.
        """
        values, where = self.column(name), f"{self.path}: {name!r}"
        if hasattr(values, "isna"):  # a column has gaps, or is an array of numpy
            gaps = np.flatnonzero(values.isna())
            raise DataError(f"{where}: {len(gaps)} ids are missing, first in row {gaps[0]}")
        return as_ids(values, where) if self.typed else parse_ids(values.tolist(), where)

    def frame(self) -> "pd.DataFrame":
        """All columns, one row a row of the file."""
        import pandas as pd

        return pd.DataFrame(dict(self.columns), index=range(len(self)))


def is_table(path: Path) -> bool:
    """True when the ending of a path says that it is one of these tables."""
    return ending(path) in TABLE_SUFFIXES


def read_table(path: Path, *, text: Sequence[str] = ()) -> Table:
    """The table in a file; its ending says of which format.

    Args:
        path: Parquet, CSV, FITS or ECSV; CSV and FITS may be packed by gzip.
        text: columns of a CSV file to leave as the texts they are, for instance ids.

    Raises:
        DataError: the file is missing, damaged, or of another format; two columns share a name.
    """
    suffix = ending(path)
    if suffix not in TABLE_SUFFIXES:
        raise DataError(f"{path}: not a table; give {', '.join(TABLE_SUFFIXES)}")
    if not path.exists():
        raise DataError(f"{path}: no such file")
    if path.is_dir():
        raise DataError(f"{path}: is a folder, expected a table")
    try:
        return _READERS[suffix](path, text)
    except DAMAGE as error:
        raise DataError(f"{path}: cannot be read as {suffix}: {reason(error)}") from None


def _table(
    path: Path,
    columns: Iterable[tuple[str, Callable[[], Any]]],
    units: Mapping[str, str],
    **more: Any,
) -> Table:
    """A table of the columns that can be made; `path` and the column's name stand in errors."""
    made: dict[str, Any] = {}
    unread: dict[str, str] = {}
    for name, make in columns:
        if name in made or name in unread:
            raise DataError(f"{path}: two columns are called {name!r}; rename one")
        try:
            made[name] = make()
        except Unreadable as error:
            unread[name] = str(error)
        except DataError as error:
            unread[name] = str(error).removeprefix("holds ")
    return Table(path, made, {n: u for n, u in units.items() if n in made}, unread, **more)


def _read_parquet(path: Path, text: Sequence[str]) -> Table:
    from pyarrow import parquet

    return of_arrow(path, parquet.ParquetFile(path).read())


def of_arrow(path: Path, table: "pa.Table") -> Table:
    """The table that Arrow holds, which has types and perhaps units.

    Raises:
        DataError: two columns share a name.
    """
    units = {
        field.name: unit.decode(errors="replace")
        for field in table.schema
        if (unit := (field.metadata or {}).get(b"unit", b""))
    }
    columns = [
        *_ranges(table),
        *(
            (name, lambda at=at: from_arrow(table.column(at)))
            for at, name in enumerate(table.column_names)
        ),
    ]
    return _table(path, columns, units)


def _ranges(table: "pa.Table") -> Iterator[tuple[str, Callable[[], Any]]]:
    """Columns that pandas writes as three numbers: a named index of evenly spaced integers."""
    for index in (table.schema.pandas_metadata or {}).get("index_columns", ()):
        if isinstance(index, Mapping) and index.get("kind") == "range" and index.get("name"):
            spaced = (int(index[key]) for key in ("start", "stop", "step"))
            yield index["name"], partial(np.arange, *spaced)


def _read_csv(path: Path, text: Sequence[str]) -> Table:
    import pyarrow as pa
    from pyarrow import csv

    parse = csv.ParseOptions(newlines_in_values=True)
    texts = csv.ConvertOptions(column_types=dict.fromkeys(_header(path, parse), pa.string()))
    return of_texts(path, csv.read_csv(path, parse_options=parse, convert_options=texts), text)


def of_texts(path: Path, table: "pa.Table", text: Sequence[str] = ()) -> Table:
    """The table that a file without types holds: columns of strings in, numbers where they are.

    Args:
        path: of the file, for messages.
        table: of strings, without nulls.
        text: columns to leave as the texts they are.

    Raises:
        DataError: two columns share a name.
    """
    columns = []
    for at, name in enumerate(table.column_names):
        column = table.column(at)
        if not name.strip():  # the index of pandas, or a comma at the end of each line
            continue
        plain = name in text or name.strip() in text
        make = from_arrow if plain else from_texts
        columns.append((name.strip(), lambda make=make, column=column: make(column)))
    return _table(path, columns, {}, typed=False)


def _header(path: Path, parse: Any) -> list[str]:
    """Names of the columns of a CSV file.

    Raises:
        DataError: they are not divided by commas, or the file is no text of UTF-8.
    """
    from pyarrow import csv

    with csv.open_csv(path, parse_options=parse) as reader:
        names = list(reader.schema.names)
    if len(names) == 1:
        other = [mark for mark in (";", "\t", "|") if mark in names[0]]
        if other:
            raise DataError(
                f"{path}: its columns are divided by {other[0]!r}; write commas, or Parquet"
            )
    return names


def _read_fits(path: Path, text: Sequence[str]) -> Table:
    from astropy.io import fits

    # Given a path, astropy leaves the file open where it fails.
    with path.open("rb") as stream, quiet_fits(path), fits.open(stream, memmap=False) as hdus:
        tables = [hdu for hdu in hdus if isinstance(hdu, fits.BinTableHDU | fits.TableHDU)]
        tables = [hdu for hdu in tables if not isinstance(hdu, fits.CompImageHDU)]
        if not tables:
            raise DataError(f"{path}: holds no table; images are no catalogue")
        number = next(at for at, hdu in enumerate(hdus) if hdu is tables[0])
        names = [hdu.name or "without a name" for hdu in tables]
    notes = (
        [f"{path.name} holds {len(names)} tables; the first, {names[0]}, is read"]
        if len(names) > 1
        else []
    )
    with path.open("rb") as stream:
        return _of_astropy(path, stream, format="fits", hdu=number, notes=notes)


def _read_ecsv(path: Path, text: Sequence[str]) -> Table:
    return _of_astropy(path, path, format="ascii.ecsv")


def _of_astropy(path: Path, source: Any, *, notes: Sequence[str] = (), **how: Any) -> Table:
    from astropy.table import Table as AstropyTable

    with quiet_fits(path):
        table = AstropyTable.read(source, **how)
    units = {
        name: str(unit)
        for name in table.colnames
        if (unit := getattr(table[name], "unit", None)) is not None
    }

    columns = [(name, partial(of_column, table[name])) for name in table.colnames]
    return _table(path, columns, units, notes=tuple(notes))


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
    ".parquet": _read_parquet,
    ".csv": _read_csv,
    ".csv.gz": _read_csv,
    ".fits": _read_fits,
    ".fit": _read_fits,
    ".fits.gz": _read_fits,
    ".ecsv": _read_ecsv,
}
TABLE_SUFFIXES = tuple(_READERS)
"""Endings of the files that `read_table` takes."""
