"""A table that leaves FMB: its columns where they lie, gathered a block of rows at a time."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from fmb import Array

__all__ = ["Column", "Exported", "Field", "Part", "is_text", "masked", "with_gaps"]

ROWS_AT_ONCE = 1 << 14
"""Rows of a block: some megabytes of 40 columns."""

Column = pd.Series | Callable[[Array], pd.Series]
"""(n,) of all objects, or what makes the values of the objects at some positions."""


@dataclass(frozen=True)
class Field:
    """What a reader is told of a column."""

    about: str = ""
    unit: str = ""
    ucd: str = ""
    """Unified content descriptor of the International Virtual Observatory Alliance, 1.5."""

    def of(self, short: str, given: Sequence[str]) -> "Field":
        """The same of one of several lists, with the roles that it is given."""
        roles = f" given {', '.join(given)}" if given else ""
        return replace(self, about=f"{self.about}; list {short}{roles}")


@dataclass(frozen=True)
class Part:
    """Some rows of the table: objects in an order, with columns."""

    columns: Mapping[str, Column]
    rows: Array
    """(m,), int64: positions of the objects, as they follow each other in the table."""

    def taken(self, name: str, start: int, stop: int) -> pd.Series | None:
        """The values of a column in rows of this part, None where it has no such column."""
        column, rows = self.columns.get(name), self.rows[start:stop]
        if column is None:
            return None
        values = column(rows) if callable(column) else column.iloc[rows]
        return _decoded(values).reset_index(drop=True)


@dataclass(frozen=True)
class Exported:
    """A table and what a reader is told of each of its columns."""

    parts: Sequence[Part]
    fields: Mapping[str, Field]

    @classmethod
    def of_table(cls, table: pd.DataFrame, fields: Mapping[str, Field]) -> "Exported":
        """A table that is there as a whole."""
        columns = {str(name): values for name, values in table.items()}
        return cls([Part(columns, np.arange(len(table)))], fields)

    def __len__(self) -> int:
        return sum(len(part.rows) for part in self.parts)

    @property
    def names(self) -> list[str]:
        """Its columns in order."""
        return list(dict.fromkeys(name for part in self.parts for name in part.columns))

    @property
    def table(self) -> pd.DataFrame:
        """All of it at once."""
        return pd.concat(self.blocks(), ignore_index=True)

    def blocks(self, size: int = ROWS_AT_ONCE) -> Iterator[pd.DataFrame]:
        """Its rows some at a time, each column of one type throughout; one block at least."""
        for part in self.parts:
            for start in range(0, len(part.rows), size):
                stop = min(start + size, len(part.rows))
                yield self._block(part, start, stop)
        if not len(self):
            yield self._block(self.parts[0], 0, 0)

    def _block(self, part: Part, start: int, stop: int) -> pd.DataFrame:
        columns = {}
        for name, kind in self._kinds.items():
            values = part.taken(name, start, stop)
            if values is None:
                values = pd.Series([None] * (stop - start), dtype="object")
            columns[name] = values if values.dtype == kind else values.astype(kind)
        return pd.DataFrame(columns, index=range(stop - start))

    @cached_property
    def _kinds(self) -> dict[str, Any]:
        """Column -> its type, in which gaps have a place where a part is without the column."""
        kinds = {}
        for name in self.names:
            found = [part.taken(name, 0, 1) for part in self.parts]
            there = [one for one in found if one is not None]
            kind = there[0].dtype if len(there) == 1 else pd.concat(there).dtype
            kinds[name] = kind if len(there) == len(found) else with_gaps(kind)
        return kinds


def with_gaps(kind: Any) -> Any:
    """The type of pandas that has gaps besides the values of a type."""
    if not isinstance(kind, np.dtype) or kind.kind not in "biu":
        return kind
    return pd.Series([], dtype=kind).convert_dtypes().dtype


def is_text(values: pd.Series) -> bool:
    """True for a column of neither numbers nor truth values."""
    kinds = (pd.api.types.is_bool_dtype, pd.api.types.is_numeric_dtype)
    return not any(is_kind(values.dtype) for is_kind in kinds)


def masked(values: pd.Series) -> np.ma.MaskedArray[Any, Any]:
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


def _decoded(values: pd.Series) -> pd.Series:
    """A column of bytes as the text that they are; all others as they are."""
    if values.dtype != object or pd.api.types.infer_dtype(values, skipna=True) != "bytes":
        return values
    return values.str.decode("utf-8", errors="backslashreplace")
