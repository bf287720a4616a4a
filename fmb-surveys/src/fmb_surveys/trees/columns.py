"""Columns of a catalogue put together from the tables of many files."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from fmb import Array, DataError
from fmb.files import as_ids, locate, refuse_duplicates
from fmb_surveys.files.stores.fits_columns import TableColumn
from fmb_surveys.trees.found import readable_unit

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["agreed_units", "arrow_table", "matched", "put_together", "units_of"]


def put_together(parts: Sequence[Mapping[str, Array]]) -> dict[str, Array]:
    """Columns of several tables one below the other; masked, or None, where a table has none.

    Args:
        parts: name -> (rows,) of each; all columns of a table have as many.

    Returns:
        In the order in which names first come.
    """
    names = dict.fromkeys(name for part in parts for name in part)
    made: dict[str, Array] = {}
    for name in names:
        like = next(part[name] for part in parts if name in part)
        columns = [part.get(name, _nothing(like, len(next(iter(part.values()))))) for part in parts]
        values = np.concatenate([np.ma.getdata(column) for column in columns])
        if like.dtype.kind == "O":
            made[name] = values
            continue
        gaps = np.concatenate([np.ma.getmaskarray(column) for column in columns])
        made[name] = np.ma.MaskedArray(values, gaps) if gaps.any() else values
    return made


def _nothing(like: Array, n: int) -> Array:
    if like.dtype.kind == "O":
        return np.full(n, None, dtype=object)
    return np.ma.MaskedArray(np.zeros(n, like.dtype), True)


def matched(
    stored: Mapping[str, Array], stored_ids: Array, ids: Array, where: str
) -> dict[str, Array]:
    """Columns of another table for the objects of `ids`; masked where it has none of them.

    Raises:
        DataError: an id is in several of its rows; `where` names them.
    """
    known = as_ids(stored_ids, where)
    refuse_duplicates(known, where)
    rows = locate(as_ids(ids, where), known)
    made = {}
    for name, values in stored.items():
        if values.dtype.kind == "O":
            made[name] = values[rows]
            made[name][rows < 0] = None
        else:
            gaps = np.ma.getmaskarray(values)[rows] | (rows < 0)
            made[name] = np.ma.MaskedArray(np.ma.getdata(values)[rows], gaps)
    return made


def units_of(columns: Mapping[str, TableColumn]) -> dict[str, str]:
    """Name -> unit of the columns of numbers whose header tells one that astropy knows."""
    numbers = {name: column for name, column in columns.items() if not column.is_text}
    units = {name: readable_unit(column.stated.unit) for name, column in numbers.items()}
    return {name: unit for name, unit in units.items() if unit}


def agreed_units(said: Mapping[Any, Mapping[str, str]]) -> dict[str, str]:
    """Name -> unit where files tell one.

    Args:
        said: file -> name -> unit.

    Raises:
        DataError: two files tell different ones.
    """
    made: dict[str, tuple[Any, str]] = {}
    for file, units in said.items():
        for name, unit in units.items():
            first, told = made.setdefault(name, (file, unit))
            if told != unit:
                raise DataError(
                    f"{name} is in {told!r} in {first} and in {unit!r} in {file}: read them as two"
                    " surveys"
                )
    return {name: unit for name, (_, unit) in made.items()}


def arrow_table(columns: Mapping[str, Array], **metadata: str) -> "pa.Table":
    """Columns as a table, with gaps where they are masked or None."""
    import pyarrow as pa

    arrays = {
        name: pa.array(np.ma.getdata(values), mask=_mask(values), from_pandas=False)
        for name, values in columns.items()
    }
    return pa.table(arrays).replace_schema_metadata(metadata)


def _mask(values: Array) -> Array | None:
    if values.dtype.kind == "O":
        return np.array([value is None for value in values.tolist()], dtype=bool)
    return np.ma.getmaskarray(values) if np.ma.is_masked(values) else None
