"""Nested columns of a Parquet file, or of a tree of them such as HATS, row group by row group."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from pyarrow import parquet

from fmb import Array, DataError
from fmb.order import scrambled
from fmb_surveys.files.stores.arrow_arrays import Nested, one_array, present, shape_of
from fmb_surveys.files.stores.arrow_schema import depth_of, field_at
from fmb_surveys.files.stores.encoded_pictures import first_picture, is_picture
from fmb_surveys.files.stores.nested_columns import NestedColumns
from fmb_surveys.files.stores.origins import number_of
from fmb_surveys.files.stores.parquet_index import RowGroups, parquet_file, read_columns, row_groups

__all__ = ["ParquetTree"]


class ParquetTree(NestedColumns):
    """A row is a row of the files in their order. Pickles without open files.

    Of each array the row group read last stays in memory, so that rows in their order read each
    once.
    """

    def __init__(self, path: Path, pixels: int | None = None) -> None:
        """Nothing is opened before it is asked for.

        Args:
            path: a Parquet file, a folder of them, or the table of their row groups.
            pixels: of the longest spectrum, where they are not all as long.
        """
        self.path, self._pixels = path, pixels
        self._kept: dict[str, tuple[int, Nested]] = {}
        self._shapes: dict[str, tuple[int, ...]] = {}
        self._footer: tuple[str, parquet.FileMetaData] | None = None
        self.reads = 0
        """Row groups that were read so far, one for each array."""

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_kept": {}, "_footer": None}

    @cached_property
    def groups(self) -> RowGroups:
        """The row groups of all files."""
        return row_groups(self.path)

    @property
    def schema(self) -> pa.Schema:
        """That all files have."""
        return self.groups.schema

    @property
    def where(self) -> str:
        """The file or folder."""
        return self.groups.where

    def shape(self, name: str) -> tuple[int, ...]:
        """(rows, ...): of spectra as long as declared or as the footers tell; of others, the first.

        Raises:
            DataError: there is no such column, or no row has numbers in it.
        """
        if name not in self._shapes:
            self._shapes[name] = self._shape_of(name)
        return (int(self.groups.starts[-1]), *self._shapes[name])

    def _shape_of(self, name: str) -> tuple[int, ...]:
        field_at(self.schema, name, self.where)
        if is_picture(self.schema, name):
            return self._picture_shape(name)
        depth = depth_of(self.schema, name)
        if depth == 1 and (size := self._pixels or self.groups.length(name)):
            return (size,)
        if self._is_plain(name):
            return ()
        for group in range(len(self.groups)):
            shape = self._first_shape(group, name)
            if shape is not None:
                return shape if len(shape) > 1 else (self.longest(name),)
        raise DataError(f"{self.place(name)}: no row has numbers there")

    def _picture_shape(self, name: str) -> tuple[int, ...]:
        for group in range(len(self.groups)):
            column = Nested.of(self._read(group, name), name.split("/")[1:]).leaf
            first = first_picture(column, self.place(name), self.folder)
            if first is not None:
                return first.shape
        raise DataError(f"{self.place(name)}: no row has a picture")

    def longest(self, name: str) -> int:
        """Numbers of the longest row of a column of lists; reads all of it, once."""
        path = name.split("/")[1:]
        return max(
            (Nested.of(self._read(group, name), path).longest for group in range(len(self.groups))),
            default=0,
        )

    def column(self, name: str) -> Array:
        """(rows,): a column of values, or of a nested one which rows have something there."""
        if self._is_plain(name):
            table = read_columns(self.groups, [name.split("/")[0]])
            array = Nested.of(table.column(0).combine_chunks(), name.split("/")[1:]).leaf
            return np.asarray(array.to_numpy(zero_copy_only=False))
        return self.present_at(name, np.arange(int(self.groups.starts[-1])))

    def present_at(self, name: str, rows: Array) -> Array:
        """(m,) bool: which rows have something in a column; one of values is yes or no.

        No row group is read of which the footer says that nothing is missing.
        """
        if self._is_plain(name):
            return np.asarray(self.column(name)[rows] != 0)
        made, nulls = np.ones(len(rows), dtype=bool), self.groups.told(name, "nulls")
        group_of, path = self._groups_of(rows), name.split("/")[1:]
        for group in np.unique(group_of).tolist():
            if nulls is None or nulls[group]:
                at = np.flatnonzero(group_of == group)
                made[at] = present(self._read(group, name), path)[
                    rows[at] - self.groups.starts[group]
                ]
        return made

    def extremes(self, name: str) -> tuple[float, float] | None:
        """Smallest and largest number of a column where the footers tell them, else None."""
        low, high = self.groups.told(name, "min"), self.groups.told(name, "max")
        return None if low is None or high is None else (float(low.min()), float(high.max()))

    def origins(self, rows: Array, digest: str | None, mapping: str) -> Array:
        """(m,), uint64, by the state of the file, the row group, and how they are read.

        Rows of one row group have one origin, so that they are read together: the id of a row is
        in the same file. Where the catalogue is another file, in the same order, the row counts.
        """
        groups = self.groups
        states = groups.table["state"].to_pylist()
        if len(set(groups.files)) == 1 and digest is not None:
            states = [digest] * len(groups)
        texts = zip(states, groups.table["group"].to_pylist(), strict=True)
        numbers = np.array(
            [number_of(f"{mapping} {state} {group}") for state, group in texts], dtype=np.uint64
        )
        made = numbers[self._groups_of(rows)]
        elsewhere = json.loads(mapping)[-1].get("same_order", False)
        return (
            np.asarray(scrambled(made ^ scrambled(rows.astype(np.uint64)))) if elsewhere else made
        )

    def _is_plain(self, name: str) -> bool:
        """True for a column that holds a value a row."""
        kind = field_at(self.schema, name, self.where).type
        nested = depth_of(self.schema, name) or pa.types.is_struct(kind)
        return not nested and not is_picture(self.schema, name)

    def _groups_of(self, rows: Array) -> Array:
        return np.searchsorted(self.groups.starts, rows, side="right") - 1

    def pieces(self, name: str, rows: Array) -> Iterator[tuple[Array, int, Nested]]:
        """Of each row group: which of `rows` are in it, its first row, and its column."""
        group_of = self._groups_of(rows)
        for group in np.unique(group_of).tolist():
            at = np.flatnonzero(group_of == group)
            yield at, int(self.groups.starts[group]), self._column(group, name)

    def _column(self, group: int, name: str) -> Nested:
        known = self._kept.get(name)
        if known is None or known[0] != group:
            self._kept.pop(name, None)  # before the next is read: two would not fit
            column = Nested.of(self._read(group, name), name.split("/")[1:])
            self._kept[name] = known = group, column
        return known[1]

    def _read(self, group: int, name: str) -> pa.Array:
        """The top column of an array as far as it leads to it, of one row group."""
        self.reads += 1
        with self._file(group) as (file, number):
            columns = self._leaf_path(file, name)
            table = file.read_row_group(number, columns=columns, use_threads=False)
        return one_array(table.column(0))

    def _first_shape(self, group: int, name: str) -> tuple[int, ...] | None:
        """Shape of the first row of a row group with numbers, without decoding the rest."""
        with self._file(group) as (file, number):
            columns = self._leaf_path(file, name)
            for batch in file.iter_batches(1, [number], columns, use_threads=False):
                shape = shape_of(Nested.of(batch.column(0), name.split("/")[1:]))
                if shape is not None:
                    return shape
        return None

    @contextmanager
    def _file(self, group: int) -> "Iterator[tuple[parquet.ParquetFile, int]]":
        """The open file of a row group, and its number there; footers are read once in a row."""
        place, number = self.groups.files[group], self.groups.table["group"][group].as_py()
        known = self._footer[1] if self._footer and self._footer[0] == place else None
        with parquet_file(place, known) as file:
            self._footer = place, file.metadata
            yield file, number

    def _leaf_path(self, file: "parquet.ParquetFile", name: str) -> list[str]:
        columns = self.groups.columns
        inside = [at for leaf, at in columns.items() if f"{leaf}/".startswith(f"{name}/")]
        return [file.schema.column(at).path for at in inside]
