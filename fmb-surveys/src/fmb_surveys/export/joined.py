"""Columns of other tables beside those of a run, joined by the ids of its objects."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from fmb import Array, ConfigError, DataError, Run, did_you_mean
from fmb.files import as_ids, locate, read_table, refuse_duplicates
from fmb.terminal import counted
from fmb_surveys.export.equal_columns import adds_nothing
from fmb_surveys.export.exported import Column, Exported, Field, Part, with_gaps

__all__ = ["analyses_of", "analysis_columns", "beside", "joined_columns"]

_NAMED = 5
"""Columns that a line names."""

Found = tuple[dict[str, Column], dict[str, Field]]


def beside(exported: Exported, found: Found, ending: str, tell: Callable[[str], None]) -> Exported:
    """A table with further columns; one called like another gets `ending` at its name.

    One that has no other value than that of its name adds nothing and is left out.

    Names that differ only in case are alike: readers of FITS do not tell them apart.

    Args:
        exported: the table.
        found: columns of all objects, and what to tell of them.
        ending: for instance "_joined".
        tell: is told of names that were changed, and of columns that are left out.
    """
    there = {name.lower(): name for name in exported.names}
    taken = set(there)
    columns, fields, equal = {}, dict(exported.fields), []
    for name, column in found[0].items():
        other = there.get(name.lower())
        if other is not None and adds_nothing(exported, other, column, found[1][name].unit):
            equal.append(name)
            continue
        own = name
        while own.lower() in taken:
            own += ending
        taken.add(own.lower())
        if own != name:
            tell(f"column {name!r} becomes {own!r}: there is one of this name")
        columns[own], fields[own] = column, found[1][name]
    if equal:
        more = f" and {len(equal) - _NAMED} more" if len(equal) > _NAMED else ""
        tell(
            f"{counted(len(equal), 'column')} left out, equal to what is there under the same"
            f" name: {', '.join(equal[:_NAMED])}{more}"
        )
    parts = [Part({**part.columns, **columns}, part.rows) for part in exported.parts]
    return replace(exported, parts=parts, fields=fields)


def joined_columns(path: Path, on: str, ids: Array, tell: Callable[[str], None]) -> Found:
    """The columns of a file, for each object those of the row with its id.

    Args:
        path: any table that `fmb.files` reads.
        on: its column of ids.
        ids: (n,) of the objects.
        tell: is told how many objects have no row, and which columns are left out.

    Raises:
        ConfigError: the file has no such column.
        DataError: it cannot be read, two rows share an id, or no object has a row.
    """
    table = read_table(path, text=[on])
    if on not in table.columns and on not in table.unread:
        raise ConfigError(
            f"{path}: no column is called {on!r}{did_you_mean(on, table.columns)}; name that of"
            " the ids with --join-on"
        )
    theirs = table.ids(on)
    refuse_duplicates(theirs, f"{path}: {on!r}")
    where = locate(ids, theirs)
    if not (where >= 0).any():
        raise DataError(
            f"{path}: {on!r} has no id of this run, such as {ids[0]}; name the column of its ids"
            " with --join-on"
        )
    if without := int((where < 0).sum()):
        tell(f"{without:,} of {len(ids):,} objects have no row in {path.name}: gaps")
    for name, what in table.unread.items():
        tell(f"column {name!r} of {path.name} is left out: it holds {what}")
    columns = {name: values for name, values in table.columns.items() if name != on}
    fields = {n: Field(f"of {path.name}", table.units.get(n, "")) for n in columns}
    return _aligned(columns, where), fields


def analysis_columns(run: Run, tell: Callable[[str], None]) -> Found:
    """Columns of those tables of analyses of a run that have one row an object.

    Args:
        run: with `fmb analyze` or `--analysis` done.
        tell: is told which tables are left out.
    """
    ids = run.objects["object_id"].to_numpy()
    columns: dict[str, Column] = {}
    fields: dict[str, Field] = {}
    for label, name, table in analyses_of(run):
        why = _not_of_objects(table, ids)
        if why:
            tell(f"table {name!r} of {label!r} is left out: {why}")
            continue
        where = locate(ids, as_ids(table["object_id"].to_numpy(), f"{label}.{name}"))
        units = table.attrs.get("units", {})
        own = {str(c): table[c] for c in table if c != "object_id"}
        told = {c: Field(f"{name} of analysis {label}", units.get(c, "")) for c in own}
        columns |= {f"{label}_{c}": column for c, column in _aligned(own, where).items()}
        fields |= {f"{label}_{c}": one for c, one in told.items()}
    if not columns:
        tell("no analysis of this run has a row an object; see `fmb analyze --help`")
    return columns, fields


def analyses_of(run: Run) -> Iterator[tuple[str, str, pd.DataFrame]]:
    """The tables of analyses of a run: label, name, table."""
    for path in sorted((run.folder.path / "analyses").glob("*.parquet")):
        label, _, name = path.stem.rpartition(".")
        yield label, name, run.table(label, name)


def _not_of_objects(table: pd.DataFrame, ids: Array) -> str:
    """Why a table cannot stand beside the objects, "" where it can."""
    if "object_id" not in table:
        return "it has no object_id"
    if table["object_id"].duplicated().any():
        return "it has several rows for an object"
    return ""


def _aligned(columns: Mapping[str, Any], where: Array) -> dict[str, Column]:
    """Columns by the rows of a table, as columns by object: a gap where `where` is -1."""
    whole = bool((where >= 0).all())
    aligned: dict[str, Column] = {}
    for name, values in columns.items():
        held = pd.Series(values).reset_index(drop=True)
        held = held if whole else held.astype(with_gaps(held.dtype))
        aligned[name] = partial(_taken, held, where)
    return aligned


def _taken(held: pd.Series, where: Array, rows: Sequence[int]) -> pd.Series:
    at = where[rows]
    taken = held.take(np.maximum(at, 0)).reset_index(drop=True)
    return taken if (at >= 0).all() else taken.mask(at < 0)
