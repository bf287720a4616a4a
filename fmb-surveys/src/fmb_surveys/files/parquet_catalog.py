"""The catalogue in a tree of Parquet files: its columns of values, of all row groups or of some."""

from collections.abc import Sequence
from pathlib import Path

from fmb import DataError, did_you_mean
from fmb.files import Table, of_arrow
from fmb_surveys.files.stores.arrow_schema import depth_of, leaves
from fmb_surveys.files.stores.parquet_index import RowGroups, read_columns

__all__ = ["table_of_row_groups"]


def table_of_row_groups(
    groups: RowGroups, names: Sequence[str] | None, wanted: Sequence[int] | None = None
) -> Table:
    """Columns of the rows of a tree, in their order.

    Args:
        groups: of the tree.
        names: of columns; None = all that hold a value a row.
        wanted: positions of row groups, ascending; None = all.

    Raises:
        DataError: there is no such column, or a file is damaged.
    """
    schema = groups.schema
    if names is None:
        names = [n for n, _ in leaves(schema) if "/" not in n and depth_of(schema, n) == 0]
    for name in names:
        if name not in schema.names:
            hint = did_you_mean(name, schema.names)
            raise DataError(f"{groups.where}: no column is called {name!r}{hint}")
    table = read_columns(groups, list(dict.fromkeys(names)), wanted)
    return of_arrow(Path(groups.where), table)
