"""Further catalogues: columns of other tables, taken over by a key that both have."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from fmb import Array, Config, DataError
from fmb.files import Table, as_ids, locate, read_table

__all__ = ["JoinSource", "Joined", "Key", "join_table", "keys_of", "refuse_repeats", "taken"]

_SHOWN = 3


class Key(Config):
    """What a row of one table and its partner in another are equal in."""

    left: str
    """Column of the survey's own catalogue, of one that was joined before, or the ids."""
    right: str
    """Column of the table that is joined."""


class JoinSource(Config):
    """Table `[catalog.join.NAME]`: a further catalogue, at most one row of it an object."""

    file: str
    """Parquet, CSV, FITS or ECSV."""
    on: str | Key
    """The column of this name in both, or {left = "...", right = "..."}."""
    columns: str | tuple[str, ...] | dict[str, str] = "all"
    """"all" or names, which become NAME_column; or {name = "column"}, named as they say."""

    @property
    def key(self) -> Key:
        """The two columns."""
        return Key(left=self.on, right=self.on) if isinstance(self.on, str) else self.on


@dataclass(frozen=True, eq=False)
class Joined:
    """What objects have of a further catalogue."""

    values: Mapping[str, Any]
    """Name -> (n,) in the order of the objects, missing where one has no row."""
    units: Mapping[str, str]
    """As the file tells them."""
    notes: tuple[str, ...]


def join_table(name: str, source: JoinSource, path: Path, left: Any, where: str) -> Joined:
    """The columns of a table, one row an object.

    Args:
        name: of the join.
        source: what is said of it.
        path: of the table.
        left: (n,) the key of each object, of integers or text, which may be missing.
        where: names that column in messages.

    Raises:
        DataError: the file or a column is missing, keys are floats, repeat in the table, or are
            equal for no object.
    """
    table = read_table(path)
    right = f"{path}: {source.key.right!r}"
    keys, rows = keys_of(table.column(source.key.right), right)
    refuse_repeats(keys, right)
    own, objects = keys_of(left, where)
    found = locate(own, keys)
    if not (found >= 0).any():
        first = f"the first here is {own[0]}, there {keys[0]}" if len(own) and len(keys) else ""
        raise DataError(f"{right} is equal to {where} for no object{first and f': {first}'}")
    at = np.full(len(left), -1, dtype=np.int64)
    at[objects] = np.where(found >= 0, rows[found], -1)
    named = _named(name, source, table)
    told = {one: table.units[column] for one, column in named.items() if column in table.units}
    values = {one: taken(table.column(column), at) for one, column in named.items()}
    return Joined(values, told, tuple(_counts(name, path, at, own[found < 0], len(table))))


def refuse_repeats(keys: Array, where: str) -> None:
    """Check that no key stands twice; `where` names their column.

    Raises:
        DataError: one does; names the first few.
    """
    unique, count = np.unique(keys, return_counts=True)
    repeated = unique[count > 1]
    if len(repeated):
        some = ", ".join(map(str, repeated[:_SHOWN].tolist()))
        raise DataError(
            f"{where}: {len(repeated):,} keys stand in more than one row, for instance {some};"
            " keep one row of each"
        )


def _named(name: str, source: JoinSource, table: Table) -> dict[str, str]:
    """Name in the catalogue -> column of the table."""
    if isinstance(source.columns, dict):
        return source.columns
    chosen = table.columns if source.columns == "all" else source.columns
    return {f"{name}_{column}": column for column in chosen if column != source.key.right}


def keys_of(values: Any, where: str) -> tuple[Array, Array]:
    """The keys that are there, (m,), int64, uint64 or str, and the row of each, (m,).

    Args:
        values: (n,), as a table has them.
        where: names the column in messages.

    Raises:
        DataError: they are floats, or neither integers nor text.
    """
    import pandas as pd  # imported here: as in `read_catalog`

    column = pd.Series(values)
    gaps = column.isna() | (column.eq("") if column.dtype == object else False)
    rows = np.flatnonzero(~gaps.to_numpy(dtype=bool))
    kept = column.iloc[rows]
    if isinstance(kept.dtype, pd.api.extensions.ExtensionDtype) and kept.dtype.kind in "iu":
        return as_ids(kept.to_numpy(dtype=f"{kept.dtype.kind}8"), where), rows
    return as_ids(kept.to_numpy(), where), rows


def taken(values: Any, at: Array) -> Any:
    """The values of a column in those rows, missing at -1; whole numbers keep all their digits.

    Args:
        values: (m,), of numpy or pandas.
        at: (n,) int64.
    """
    import pandas as pd

    if (at >= 0).all():
        return values[at]
    if isinstance(values, np.ndarray) and values.dtype.kind in "iu":
        values = pd.arrays.IntegerArray(values, np.zeros(len(values), dtype=bool))
    elif isinstance(values, np.ndarray) and values.dtype.kind == "b":
        values = pd.arrays.BooleanArray(values, np.zeros(len(values), dtype=bool))
    return pd.api.extensions.take(values, at, allow_fill=True)


def _counts(name: str, path: Path, at: Array, lost: Array, n_rows: int) -> list[str]:
    """What of the one is not in the other."""
    notes, missing = [], int((at < 0).sum())
    if missing:
        some = ", ".join(map(str, lost[:_SHOWN].tolist()))
        notes.append(
            f"join {name}: {missing:,} of {len(at):,} objects have no row in {path.name}"
            f"{some and f', for instance {some}'}"
        )
    if left_over := n_rows - len(np.unique(at[at >= 0])):
        notes.append(
            f"join {name}: {left_over:,} of {n_rows:,} rows of {path.name} are of no object"
        )
    return notes
