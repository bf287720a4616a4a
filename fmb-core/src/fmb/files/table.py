"""What the reader of any format makes of a table."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fmb.contract.arrays import Array
from fmb.files.columns import Unreadable
from fmb.files.ids import as_ids, parse_ids
from fmb.messages.errors import DataError, did_you_mean

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Table", "table_of"]


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


def table_of(
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
