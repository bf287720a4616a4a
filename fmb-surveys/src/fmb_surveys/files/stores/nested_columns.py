"""What stores of nested Arrow columns share: numbers, texts and pictures, piece by piece."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from fmb import Array
from fmb.files import Stated, stated
from fmb_surveys.files.stores.arrow_arrays import Nested, gather, joined, texts
from fmb_surveys.files.stores.arrow_schema import number_kind, said_of
from fmb_surveys.files.stores.encoded_pictures import is_picture, pictures

__all__ = ["NestedColumns"]


class NestedColumns:
    """A table whose columns may be nested, in pieces that are read one at a time."""

    @property
    def schema(self) -> pa.Schema:
        """Of all pieces."""
        raise NotImplementedError

    @property
    def where(self) -> str:
        """Names the table in messages."""
        raise NotImplementedError

    @property
    def folder(self) -> Path:
        """Where the files are that the table names by relative paths."""
        return Path(self.where)

    def shape(self, name: str) -> tuple[int, ...]:
        """(rows, ...) of an array of numbers or pictures."""
        raise NotImplementedError

    def pieces(self, name: str, rows: Array) -> Iterator[tuple[Array, int, Nested]]:
        """Of each piece: which of `rows` are in it, its first row, and its column."""
        raise NotImplementedError

    def place(self, name: str) -> str:
        """Where `name` is, for messages."""
        return f"{self.where}: {name!r}"

    def kind(self, name: str) -> "np.dtype[Any]":
        """Type of the numbers as they are stored.

        Raises:
            DataError: the column is not there, or has none.
        """
        if is_picture(self.schema, name):
            return np.dtype(np.uint8)
        return number_kind(self.schema, name, self.where)

    def stated(self, name: str) -> Stated:
        """What the file says of the numbers, in the metadata of their field or those around it."""
        return stated(said_of(self.schema, name), self.place(name))

    def read(self, name: str, rows: Array, pad: float = np.nan) -> Array:
        """(m, ...): those rows; of pictures (m, bands, height, width), uint8.

        Raises:
            ShapeError: a row has another shape, or is longer than the longest.
            DataError: a file is damaged, or a picture is.
        """
        rows, shape, place = np.asarray(rows), self.shape(name)[1:], self.place(name)
        parts = self.pieces(name, rows)
        if is_picture(self.schema, name):
            read = [
                (at, pictures(column.leaf, rows[at] - start, shape, pad, place, self.folder))
                for at, start, column in parts
            ]
        else:
            read = [
                (at, gather(column, rows[at] - start, shape, pad, place))
                for at, start, column in parts
            ]
        return joined(read, (len(rows), *shape), self.kind(name))

    def lengths(self, name: str, rows: Array) -> Array | None:
        """(m,) int64: how long the list of each row is, -1 = none; of nested ones the outermost.

        None where lists are no axes, as of a tensor, which is one list of all its numbers.
        """
        rows, depth = np.asarray(rows), len(self.shape(name)) - 1
        made = np.full(len(rows), -1, dtype=np.int64)
        for at, start, column in self.pieces(name, rows):
            if not depth or len(column.levels) != depth:
                return None
            made[at] = column.levels[0][1][rows[at] - start]
        return made

    def texts(self, name: str, rows: Array, size: int) -> Array:
        """(m, size), object: the texts in lists of at most `size`, None beyond their ends."""
        rows = np.asarray(rows)
        read = [
            (at, texts(column, rows[at] - start, size, self.place(name)))
            for at, start, column in self.pieces(name, rows)
        ]
        return joined(read, (len(rows), size), np.dtype(object))
