"""Tables of any format, each value as its file has it: integers exact, gaps as gaps."""

from pathlib import Path
from typing import TYPE_CHECKING

from fmb.contract.errors import DataError

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

__all__ = ["TABLE_SUFFIXES", "read_table"]

TABLE_SUFFIXES = (".parquet", ".csv", ".fits", ".fit", ".ecsv")


def read_table(path: Path, *, text: tuple[str, ...] = ()) -> tuple["pd.DataFrame", dict[str, str]]:
    """A table with exact integers: columns with gaps become nullable integers, not floats.

    Args:
        path: Parquet, CSV, FITS or ECSV by its ending.
        text: columns of a CSV file to leave as text.

    Returns:
        The one-dimensional columns, and column -> unit where the file tells it.

    Raises:
        DataError: the file is missing or cannot be read.
    """
    if not path.exists():
        raise DataError(f"{path}: no such file")
    suffix = path.suffix.lower()
    if suffix not in TABLE_SUFFIXES:
        raise DataError(f"{path}: not a table; give {', '.join(TABLE_SUFFIXES)}")
    readers = {".parquet": _read_parquet, ".csv": _read_csv}
    try:
        if suffix in readers:
            return _from_arrow(readers[suffix](path, text))
        return _read_astropy(path)
    except (OSError, ValueError) as error:  # pyarrow's and astropy's errors are of these kinds
        reason = " ".join(str(error).split())[:200]
        raise DataError(f"{path}: cannot be read as {suffix}: {reason}") from None


def _read_parquet(path: Path, text: tuple[str, ...]) -> "pa.Table":
    from pyarrow import parquet

    return parquet.read_table(path)


def _read_csv(path: Path, text: tuple[str, ...]) -> "pa.Table":
    import pyarrow as pa
    from pyarrow import csv

    kinds = {name: pa.string() for name in text}
    return csv.read_csv(path, convert_options=csv.ConvertOptions(column_types=kinds))


def _from_arrow(table: "pa.Table") -> tuple["pd.DataFrame", dict[str, str]]:
    import pandas as pd
    import pyarrow as pa

    frame = table.to_pandas()
    units = {}
    for field in table.schema:
        column = table[field.name]
        if pa.types.is_integer(field.type) and column.null_count:
            exact = column.to_pandas(integer_object_nulls=True)
            kind = "UInt64" if pa.types.is_unsigned_integer(field.type) else "Int64"
            frame[field.name] = pd.array(exact.tolist(), dtype=kind)
        unit = (field.metadata or {}).get(b"unit", b"").decode()
        if unit:
            units[field.name] = unit
    return frame, units


def _read_astropy(path: Path) -> tuple["pd.DataFrame", dict[str, str]]:
    from astropy.table import Table

    table = Table.read(path, format="ascii.ecsv" if path.suffix.lower() == ".ecsv" else "fits")
    flat = table[[name for name in table.colnames if table[name].ndim == 1]]
    flat.convert_bytestring_to_unicode()
    units = {name: str(flat[name].unit) for name in flat.colnames if flat[name].unit is not None}
    return flat.to_pandas(), units
