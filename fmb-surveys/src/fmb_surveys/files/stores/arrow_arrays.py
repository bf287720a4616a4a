"""Arrays of numbers out of nested Arrow columns, at some rows, without a Python list on the way."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from fmb import Array, DataError, ShapeError
from fmb_surveys.files.stores.arrow_schema import is_list

__all__ = ["Nested", "gather", "joined", "one_array", "present", "shape_of", "texts"]


@dataclass(frozen=True)
class Nested:
    """A column taken apart: for each level of lists, where each begins in what is below it."""

    levels: tuple[tuple[Array, Array], ...]
    """Starts and lengths, int64; length -1 = null. The first level has one list a row."""
    leaf: pa.Array
    """What the innermost lists hold."""

    @classmethod
    def of(cls, array: pa.Array, path: Sequence[str] = ()) -> "Nested":
        """Take a column apart along a path.

        Args:
            array: of any nesting of lists and structs.
            path: names of fields of the structs, outermost first.
        """
        levels, names = [], list(path)
        while True:
            kind = array.type
            if isinstance(kind, pa.BaseExtensionType):
                array = array.storage
            elif pa.types.is_dictionary(kind):
                array = array.dictionary_decode()
            elif pa.types.is_struct(kind) and names:
                # Unlike field(), flatten() knows that nothing is in a null struct.
                array = array.flatten()[kind.get_field_index(names.pop(0))]
            elif is_list(kind):
                (starts, lengths), array = _level(array), array.values
                if lengths.max(initial=0) > 0:
                    used = lengths > 0  # of a slice, what is below is a slice too
                    low = int(starts[used].min())
                    array = array.slice(low, int((starts + lengths)[used].max()) - low)
                    starts = starts - low
                levels.append((starts, lengths))
            else:
                return cls(tuple(levels), array)

    @property
    def longest(self) -> int:
        """Length of the longest innermost list; 0 where there is none."""
        return int(self.levels[-1][1].max(initial=0)) if self.levels else 0


def _level(array: pa.Array) -> tuple[Array, Array]:
    kind, n = array.type, len(array)
    if pa.types.is_fixed_size_list(kind):
        starts = (array.offset + np.arange(n, dtype=np.int64)) * kind.list_size
        lengths = np.full(n, kind.list_size, dtype=np.int64)
    elif hasattr(array, "sizes"):  # views, whose lists lie anywhere
        starts = array.offsets.to_numpy().astype(np.int64)
        lengths = array.sizes.to_numpy().astype(np.int64)
    else:
        offsets = array.offsets.to_numpy().astype(np.int64)
        starts, lengths = offsets[:-1], np.diff(offsets)
    if array.null_count:
        lengths = np.where(array.is_valid().to_numpy(zero_copy_only=False), lengths, -1)
    return starts, lengths


def shape_of(nested: Nested) -> tuple[int, ...] | None:
    """Shape of the first row that has numbers; None where none has."""
    if not nested.levels:
        return ()
    for row in np.flatnonzero(nested.levels[0][1] > 0):
        shape, at = [], int(row)
        for starts, lengths in nested.levels:
            if lengths[at] <= 0:
                break
            shape.append(int(lengths[at]))
            at = int(starts[at])
        else:
            return tuple(shape)
    return None


def present(array: pa.Array, path: Sequence[str] = ()) -> Array:
    """(n,) bool: rows with something in them: no null, no empty list, no struct of only those."""
    nested = Nested.of(array, path)
    if nested.levels:
        return np.asarray(nested.levels[0][1] > 0)
    leaf = nested.leaf
    if pa.types.is_struct(leaf.type) and leaf.type.num_fields:
        return np.asarray(np.logical_or.reduce([present(child) for child in leaf.flatten()]))
    return np.asarray(leaf.is_valid().to_numpy(zero_copy_only=False))


def gather(nested: Nested, rows: Array, shape: tuple[int, ...], pad: float, where: str) -> Array:
    """Numbers of some rows as one array.

    Args:
        nested: the column.
        rows: (m,), positions in it.
        shape: of one row; innermost lists may be shorter, and so may the outermost of three or
            more levels, which are bands.
        pad: stands for what a row is shorter by, for nulls and for rows without a value.
        where: names the column in messages.

    Returns:
        (m, *shape), of the type of the file, or float64 where `pad` does not fit into that.

    Raises:
        ShapeError: a row has more numbers, or another shape.
        DataError: these are no numbers.
    """
    at, depth = np.asarray(rows, dtype=np.int64), len(nested.levels)
    if depth == 0 or depth > len(shape):
        if depth or shape:
            raise ShapeError(f"{where} has lists in {depth} levels, expected {len(shape)}")
        return _copied(nested.leaf, at, np.ones_like(at), 1, pad, where)[:, 0]
    # A tensor of fixed shape is one list of all its numbers.
    sizes = (*shape[: depth - 1], math.prod(shape[depth - 1 :]))
    for level, size in enumerate(sizes[:-1]):
        begin, length = _taken(nested.levels[level], at)
        allowed = (length <= size) if level == 0 and depth > 2 else np.isin(length, (-1, 0, size))
        _refuse(~allowed, length, size, shape, where)
        below = begin[:, None] + np.arange(size)
        below[np.arange(size) >= length[:, None]] = -1
        at = below.ravel()
    begin, length = _taken(nested.levels[-1], at)
    ragged = depth == 1 == len(shape)
    fits = (length <= sizes[-1]) if ragged else np.isin(length, (-1, 0, sizes[-1]))
    _refuse(~fits, length, sizes[-1], shape, where)
    return _copied(nested.leaf, begin, length, sizes[-1], pad, where).reshape(len(rows), *shape)


def _taken(level: tuple[Array, Array], at: Array) -> tuple[Array, Array]:
    """Starts and lengths of the lists at some positions; -1 = none."""
    starts, lengths = level
    if not len(starts):
        return np.zeros(len(at), dtype=np.int64), np.full(len(at), -1, dtype=np.int64)
    return starts[at], np.where(at >= 0, lengths[at], -1)


def _refuse(wrong: Array, length: Array, size: int, shape: tuple[int, ...], where: str) -> None:
    if np.any(wrong):
        found = int(length[np.flatnonzero(wrong)[0]])
        longest = f"; set pixels = {found} or more" if len(shape) == 1 else ""
        raise ShapeError(f"{where} has a list of {found} where shape {shape} has {size}{longest}")


def _copied(
    leaf: pa.Array, begin: Array, length: Array, size: int, pad: float, where: str
) -> Array:
    """(lists, size): the numbers of each list, then padding."""
    length = np.maximum(length, 0)
    used = np.flatnonzero(length)
    low = int(begin[used].min(initial=len(leaf)))
    high = int((begin[used] + length[used]).max(initial=low))
    flat = _numbers(leaf.slice(low, high - low), pad, where)
    if (length == size).all():
        made = np.empty((len(length), size), dtype=flat.dtype)
    else:
        flat = _able_to_hold(flat, pad)
        made = np.full((len(length), size), pad, dtype=flat.dtype)
    if not len(used):
        return made
    out = made.reshape(-1)
    # Lists that follow each other in the file and fill their places are one copy.
    joined = (begin[used][1:] == begin[used][:-1] + size) & (np.diff(used) == 1)
    joined &= length[used][:-1] == size
    first = np.flatnonzero(np.concatenate([[True], ~joined]))
    last = np.append(first[1:], len(used)) - 1
    for a, b in zip(used[first].tolist(), used[last].tolist(), strict=True):
        start, count = int(begin[a]) - low, (b - a) * size + int(length[b])
        out[a * size : a * size + count] = flat[start : start + count]
    return made


def _able_to_hold(values: Array, pad: float) -> Array:
    fits = values.dtype.kind == "f" or math.isfinite(pad)
    return values if fits else values.astype(np.float64)


def _numbers(leaf: pa.Array, pad: float, where: str) -> Array:
    """The numbers of an array, not copied where they lie as numpy has them; nulls are `pad`."""
    kind, types = leaf.type, pa.types
    if types.is_null(kind):
        return np.full(len(leaf), pad)
    if not (types.is_integer(kind) or types.is_floating(kind) or types.is_boolean(kind)):
        raise DataError(f"{where} holds {kind}, expected numbers")
    if not leaf.null_count:
        return np.asarray(leaf.to_numpy(zero_copy_only=False))
    gaps = leaf.is_null().to_numpy(zero_copy_only=False)
    if types.is_floating(kind):
        values = np.array(leaf.to_numpy(zero_copy_only=False))
    else:
        filled = pc.fill_null(leaf, pa.scalar(0, pa.int8()).cast(kind))
        values = _able_to_hold(np.array(filled.to_numpy(zero_copy_only=False)), pad)
    values[gaps] = pad
    return values


def texts(nested: Nested, rows: Array, size: int, where: str) -> Array:
    """(m, size), object: the texts in the lists of some rows, None where a list is shorter.

    Raises:
        ShapeError: a list is longer.
        DataError: these are no texts, or in no list.
    """
    kind = nested.leaf.type
    known = pa.types.is_string(kind) or pa.types.is_large_string(kind) or kind == pa.string_view()
    if not known or len(nested.levels) != 1:
        raise DataError(f"{where} holds {kind}, expected a list of texts")
    begin, length = _taken(nested.levels[0], np.asarray(rows, dtype=np.int64))
    _refuse(length > size, length, size, (size, 0), where)
    at = begin[:, None] + np.arange(size)
    at[np.arange(size) >= length[:, None]] = -1
    have = np.flatnonzero(at.ravel() >= 0)
    found = np.full(at.size, None, dtype=object)
    coded = nested.leaf.take(pa.array(at.ravel()[have])).dictionary_encode()
    words = np.array([*coded.dictionary.to_pylist(), None], dtype=object)
    codes = coded.indices.to_numpy(zero_copy_only=False) if len(have) else np.empty(0, np.int64)
    found[have] = words[np.nan_to_num(codes, nan=-1).astype(np.int64)]
    return found.reshape(at.shape)


def one_array(chunks: pa.ChunkedArray) -> pa.Array:
    """The chunks of a column as one array."""
    if chunks.num_chunks == 1:
        return chunks.chunk(0)
    return pa.concat_arrays(chunks.chunks) if chunks.num_chunks else pa.array([], chunks.type)


def joined(
    parts: Iterable[tuple[Array, Array]], shape: tuple[int, ...], kind: "np.dtype[Any]"
) -> Array:
    """One array of rows that were read in parts.

    Args:
        parts: positions of rows, and what they hold.
        shape: of all of them.
        kind: of an array without rows.
    """
    read = list(parts)
    if len(read) == 1 and len(read[0][0]) == shape[0] and bool((np.diff(read[0][0]) == 1).all()):
        return read[0][1]
    made = np.empty(shape, dtype=np.result_type(*(own.dtype for _, own in read)) if read else kind)
    for at, own in read:
        made[at] = own
    return made
