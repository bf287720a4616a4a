"""Arrow files that Hugging Face's `datasets` saves: mapped into memory, read by row."""

import json
import os
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from fmb import Array, DataError
from fmb.order import scrambled
from fmb_surveys.files.stores.arrow_arrays import Nested, present, shape_of
from fmb_surveys.files.stores.arrow_schema import depth_of, field_at
from fmb_surveys.files.stores.encoded_pictures import first_picture, is_picture
from fmb_surveys.files.stores.nested_columns import NestedColumns
from fmb_surveys.files.stores.origins import number_of, state_of
from fmb_surveys.files.stores.places import reading

__all__ = ["ArrowFiles", "splits_of"]


def splits_of(path: Path) -> dict[str, list[Path]]:
    """Split -> its files, in their order; "" where a folder or file has no splits.

    Args:
        path: a folder that `save_to_disk` wrote, of one split or of several, or an .arrow file.

    Raises:
        DataError: the folder is none, or a file it names is missing.
    """
    if path.is_file():
        return {"": [path]}
    if (path / "dataset_dict.json").is_file():
        names = _read_json(path / "dataset_dict.json").get("splits", [])
        if not (isinstance(names, list) and names and all(isinstance(n, str) for n in names)):
            raise DataError(f"{path / 'dataset_dict.json'}: names no splits")
        return {name: _files(path / name) for name in names}
    return {"": _files(path)}


def _files(folder: Path) -> list[Path]:
    listed = _read_json(folder / "state.json").get("_data_files")
    names = [str(one.get("filename") or "") for one in listed or () if isinstance(one, dict)]
    if not all(names) or not names:
        raise DataError(f"{folder / 'state.json'}: names no files of data")
    files = [folder / Path(name).name for name in names]
    for file in files:
        if not file.is_file():
            raise DataError(f"{file}: no such file, named by state.json; copy the folder again")
    return files


def _read_json(file: Path) -> dict[str, Any]:
    try:
        read = json.loads(file.read_bytes())
    except OSError as error:
        raise DataError(f"{file}: cannot be read: {error.strerror}") from None
    except ValueError as error:
        raise DataError(f"{file}: is no JSON: {str(error)[:100]}") from None
    if not isinstance(read, dict):
        raise DataError(f"{file}: is no JSON object")
    return read


class ArrowFiles(NestedColumns):
    """A row is a row of the files of all splits in their order. Pickles without open files."""

    def __init__(self, path: Path, pixels: int | None = None) -> None:
        """Nothing is opened before it is asked for.

        Args:
            path: as for `splits_of`.
            pixels: of the longest spectrum; None = as the column has it.
        """
        self.path, self._pixels = path, pixels
        self._shapes: dict[str, tuple[int, ...]] = {}
        self._table: pa.Table | None = None
        self._process = 0

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_table": None}

    @property
    def table(self) -> pa.Table:
        """All rows, mapped into memory.

        Raises:
            DataError: a file is damaged, or has other columns than the first.
        """
        if self._table is None or self._process != os.getpid():
            self._table, self._process = _mapped(self.files, self.where), os.getpid()
        return self._table

    @cached_property
    def files(self) -> list[Path]:
        """Of all splits."""
        return [file for files in splits_of(self.path).values() for file in files]

    @property
    def schema(self) -> pa.Schema:
        """Of all files."""
        return self.table.schema

    @property
    def where(self) -> str:
        """The folder or file."""
        return str(self.path)

    def shape(self, name: str) -> tuple[int, ...]:
        """(rows, ...): of spectra as long as declared or the longest; of others, the first.

        Raises:
            DataError: there is no such column, or no row has numbers in it.
        """
        if name not in self._shapes:
            self._shapes[name] = self._shape_of(name)
        return (self.table.num_rows, *self._shapes[name])

    def _shape_of(self, name: str) -> tuple[int, ...]:
        field_at(self.schema, name, self.where)
        if is_picture(self.schema, name):
            for column in self._chunks(name):
                first = first_picture(column.leaf, self.place(name), self.folder)
                if first is not None:
                    return first.shape
            raise DataError(f"{self.place(name)}: no row has a picture")
        depth = depth_of(self.schema, name)
        if depth == 0:
            return ()
        if depth == 1:
            longest = self._pixels or max((c.longest for c in self._chunks(name)), default=0)
            shape: tuple[int, ...] | None = (longest,) if longest else None
        else:
            shape = next(filter(None, (shape_of(column) for column in self._chunks(name))), None)
        if shape is None:
            raise DataError(f"{self.place(name)}: no row has numbers there")
        return shape

    def _chunks(self, name: str) -> Iterator[Nested]:
        top, *path = name.split("/")
        return (Nested.of(chunk, path) for chunk in self.table[top].chunks)

    def pieces(self, name: str, rows: Array) -> Iterator[tuple[Array, int, Nested]]:
        """Of each record batch as much as lies between the first and the last of its rows."""
        top, *path = name.split("/")
        chunks = self.table[top].chunks
        starts = np.cumsum([0, *map(len, chunks)])
        chunk_of = np.searchsorted(starts, rows, side="right") - 1
        for number in np.unique(chunk_of).tolist():
            at = np.flatnonzero(chunk_of == number)
            first, last = int(rows[at].min()), int(rows[at].max())
            piece = chunks[number].slice(first - int(starts[number]), last - first + 1)
            with reading(self.where):
                column = Nested.of(piece, path)
            yield at, first, column

    def column(self, name: str) -> Array:
        """(rows,): a column of values, or of a nested one which rows have something there."""
        top, *path = name.split("/")
        kind = field_at(self.schema, name, self.where).type
        chunks = self.table[top].chunks
        if depth_of(self.schema, name) or pa.types.is_struct(kind) or is_picture(self.schema, name):
            return np.concatenate([np.empty(0, bool), *(present(c, path) for c in chunks)])
        leaves = pa.chunked_array([Nested.of(c, path).leaf for c in chunks], kind)
        return np.asarray(leaves.to_numpy())

    def origins(self, rows: Array, digest: str | None, mapping: str) -> Array:
        """(m,), uint64, by the state of each file and the row in it."""
        files = [self.path] if digest is not None and self.path.is_file() else self.files
        states = [digest] if files == [self.path] else [state_of(file) for file in files]
        ends = np.cumsum([_mapped([file], self.where).num_rows for file in files])
        numbers = np.array([number_of(f"{mapping} {state}") for state in states], dtype=np.uint64)
        file_of = np.searchsorted(ends, rows, side="right")
        inside = rows - np.concatenate([[0], ends])[file_of]
        return np.asarray(scrambled(numbers[file_of] ^ scrambled(inside.astype(np.uint64))))


def _mapped(files: list[Path], where: str) -> pa.Table:
    tables: list[pa.Table] = []
    for file in files:
        with reading(str(file)):
            source = pa.memory_map(str(file))
            is_file = source.read(6) == b"ARROW1"
            source.seek(0)
            opened = pa.ipc.open_file(source) if is_file else pa.ipc.open_stream(source)
            tables.append(opened.read_all())
        if not tables[-1].schema.equals(tables[0].schema):
            raise DataError(f"{file}: has other columns than {files[0]}")
    if not tables:
        raise DataError(f"{where}: names no file of data")
    return pa.concat_tables(tables)
