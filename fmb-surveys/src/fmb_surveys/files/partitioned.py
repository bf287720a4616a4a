"""Surveys whose catalogue is a tree of Parquet files: conditions are asked of its footers first."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fmb import Array, Batch, InputInfo
from fmb.conditions import Limit, Where
from fmb.files import Table
from fmb.store import Digests
from fmb_surveys.files.catalog import named_columns, read_catalog, wanted_columns
from fmb_surveys.files.identity import file_identity
from fmb_surveys.files.location import Chosen
from fmb_surveys.files.parquet_catalog import table_of_row_groups
from fmb_surveys.files.reader import FilesDataset, open_survey
from fmb_surveys.files.stores.parquet_index import RowGroups, row_groups
from fmb_surveys.files.survey_toml import CatalogSource, Survey

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["PartitionedDataset"]

_ROUNDING = 2.0**-23
"""Of a number that is compared with floats of 32 bits."""


class PartitionedDataset:
    """A survey in a tree of Parquet files, none of which is opened before it is needed."""

    def __init__(self, survey: Survey, path: Path, known_files: Digests) -> None:
        """Nothing of the tree is opened.

        Args:
            survey: its description.
            path: the survey.toml.
            known_files: remembers fingerprints.
        """
        self._survey, self._path, self._known_files = survey, path, known_files
        self.described = list(survey.described)
        self.identity: Mapping[str, Any] = file_identity(survey, path.parent, known_files)
        self.inputs: Mapping[str, InputInfo] = _Inputs(self)

    @cached_property
    def whole(self) -> FilesDataset:
        """All objects."""
        return open_survey(self._survey, self._path, self._known_files)

    @property
    def ids(self) -> Array:
        """(n,), in the order of the files."""
        return self.whole.ids

    @property
    def catalog(self) -> "pd.DataFrame":
        """One row an object."""
        return self.whole.catalog

    @property
    def warnings(self) -> list[str]:
        """What a user must know, one line each."""
        return self.whole.warnings

    def __len__(self) -> int:
        return len(self.whole)

    def read(self, rows: Array, inputs: Collection[str] | None = None) -> Batch:
        """The objects at `rows`, in that order."""
        return self.whole.read(rows, inputs)

    def select(self, where: str, columns: Sequence[str] | None) -> FilesDataset:
        """The objects that satisfy a condition, in the order of the files.

        Row groups whose footers rule out every row are not opened. Of the others the columns in
        the condition are read, and the rest of the catalogue where a row satisfies it.

        Raises:
            SelectionError: it is no condition on these columns.
            DataError: a file is damaged, or ids repeat.
        """
        folder = self._path.parent
        source = self._survey.catalog
        groups = row_groups(folder / self._survey.catalog_file)
        chosen = _chosen(source, groups, Where(where), columns)
        return open_survey(self._survey, self._path, self._known_files, chosen=chosen)


class _Inputs(Mapping[str, InputInfo]):
    """The inputs of a survey; only their names are known before it is opened."""

    def __init__(self, dataset: PartitionedDataset) -> None:
        self._dataset = dataset

    def __getitem__(self, name: str) -> InputInfo:
        return self._dataset.whole.inputs[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._dataset._survey.inputs)

    def __len__(self) -> int:
        return len(self._dataset._survey.inputs)


def _chosen(
    source: CatalogSource, groups: RowGroups, condition: Where, columns: Sequence[str] | None
) -> Chosen:
    """The rows that satisfy a condition, with their catalogue."""
    path = Path(groups.where)
    possible = _possible(source, groups, condition)
    asked = _restricted(source, groups, condition.columns)
    ids, table = read_catalog(asked, path, _table(groups, asked, possible))
    keep, _ = condition.evaluate(table, ids)
    starts = groups.starts
    rows = np.concatenate([np.arange(starts[g], starts[g + 1]) for g in possible])[keep]
    # Of one, so that a condition that nothing satisfies has a catalogue with its columns.
    holding = np.unique(np.searchsorted(starts, rows, side="right") - 1).tolist() or possible[:1]
    ids, catalog = read_catalog(source, path, _table(groups, source, holding))
    read = np.concatenate([np.arange(starts[g], starts[g + 1]) for g in holding])
    at = np.searchsorted(read, rows)
    attrs, catalog = catalog.attrs, catalog.iloc[at].reset_index(drop=True)
    catalog = catalog.astype(_with_gaps(catalog, source, groups))
    if columns is not None:
        catalog = catalog[list(columns)]
    catalog.attrs = attrs
    return Chosen(ids[at], catalog, rows, int(starts[-1]))


def _with_gaps(catalog: "pd.DataFrame", source: CatalogSource, groups: RowGroups) -> dict[str, str]:
    """Column -> its type with gaps, where rows that were not chosen have some."""
    kinds = {"int64": "Int64", "uint64": "UInt64", "bool": "boolean"}
    found: dict[str, str] = {}
    for name, column in _names(source, groups).items():
        nulls = groups.told(column, "nulls")
        if name in catalog and (nulls is None or nulls.any()):
            kind = str(catalog[name].dtype)
            found.update({name: kinds[kind]} if kind in kinds else {})
            text = str(groups.schema.field(column).type) in ("string", "large_string")
            others = nulls is not None and nulls.sum() < groups.starts[-1]
            if kind == "object" and text and others:  # no chosen row has any
                found[name] = "str"
    return found


def _table(groups: RowGroups, source: CatalogSource, wanted: Sequence[int]) -> Table:
    return table_of_row_groups(groups, named_columns(source), wanted)


def _names(source: CatalogSource, groups: RowGroups) -> dict[str, str]:
    """Column of the catalogue -> of the files; also of the ids, which conditions may name."""
    return {**wanted_columns(source, groups.schema.names), "object_id": source.id}


def _restricted(
    source: CatalogSource, groups: RowGroups, columns: Collection[str]
) -> CatalogSource:
    """The source with the columns that a condition names; all, where one of these is unknown."""
    known = _names(source, groups)
    if not set(columns) <= set(known):
        return source
    named = {"ra", "dec", "redshift", "label", "group"}
    kept: dict[str, Any] = {name: None for name in named if name not in columns}
    others = {n: known[n] for n in columns if n not in named and n != "object_id"}
    units = {name: unit for name, unit in source.units.items() if name in columns}
    return source.model_copy(update={**kept, "columns": others, "units": units, "roles": {}})


def _possible(source: CatalogSource, groups: RowGroups, condition: Where) -> list[int]:
    """Row groups that may hold a row to be kept; at least one, which checks the condition."""
    keep = np.ones(len(groups), dtype=bool)
    known = _names(source, groups)
    for limit in condition.limits:
        column = known.get(limit.column)
        if column is not None and not _converted(source, groups, limit.column, column):
            keep &= _may_hold(groups, column, limit)
    found: list[int] = np.flatnonzero(keep & (groups.table["rows"].to_numpy() > 0)).tolist()
    return found or [0]


def _converted(source: CatalogSource, groups: RowGroups, name: str, column: str) -> bool:
    """True for positions that may be in another unit than the files have."""
    said = groups.schema.field(column).metadata or {} if column in groups.schema.names else {}
    unit = source.units.get(name) or said.get(b"unit", b"").decode(errors="replace")
    return name in ("ra", "dec") and unit not in ("", "deg")


def _may_hold(groups: RowGroups, column: str, limit: Limit) -> Array:
    """(row groups,) bool: False where the footers rule out every row."""
    names = [f"{column}:{end}" for end in ("min", "max")]
    if not set(names) <= set(groups.table.column_names):
        return np.ones(len(groups), dtype=bool)
    rounding = _ROUNDING if str(groups.schema.field(column).type) == "float" else 0.0
    ends = (groups.table[name].to_pylist() for name in names)
    return np.array(
        [_pair_may_hold(limit, low, high, rounding) for low, high in zip(*ends, strict=True)]
    )


def _pair_may_hold(limit: Limit, low: Any, high: Any, rounding: float) -> bool:
    if low is None or high is None or low != low or high != high:
        return True
    if rounding:
        low, high = low - abs(low) * rounding, high + abs(high) * rounding
    return limit.may_hold(low, high)
