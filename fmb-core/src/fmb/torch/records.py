"""Vectors that torch saved: a list of records, a dict of arrays, or one matrix; nothing is run."""

import codecs
import pickle
import re
import warnings
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from fmb.contract.arrays import Array
from fmb.files.ids import as_ids, parse_ids
from fmb.messages.errors import DataError
from fmb.torch.plain import as_numbers, beside, is_whole, of_plain
from fmb.vectors.columns import Asked, Column, Kind, kind_of, lay_out
from fmb.vectors.records import catalogue
from fmb.vectors.table import VectorTable, refuse_lengths

__all__ = ["read_records"]

_NUMPY = ("numpy.core.multiarray", "numpy._core.multiarray")
"""What numpy 1 and 2 call the place of what rebuilds their arrays."""
_FEW = 3


def read_records(path: Path, asked: Asked) -> VectorTable:
    """A view for each key whose values are vectors; other keys are ids and catalogue.

    A record that lacks a key has no vector in that view.

    Args:
        path: what `torch.save` wrote of `[{"object_id": ..., "embedding": tensor}, ...]`, of
            `{"object_id": [...], "embedding": (n, d)}`, of one (n, d) tensor, or of
            `{id: vector}` where the ids are integers with gaps.
        asked: which keys are ids and vectors.

    Raises:
        DataError: it names code, is damaged, or holds something else.
    """
    columns = _columns(_loaded(path), path)
    if asked == Asked():
        columns = _by_id(columns, path)
    about = {
        name: Column(_kind(values), f"{values.dtype}, shape {values.shape}")
        for name, values in columns.items()
    }
    layout = lay_out(about, asked, str(path))
    ids = None if layout.ids is None else as_ids(columns[layout.ids], f"{path}: {layout.ids!r}")
    stored = _views(columns, layout.views, str(path))
    n = len(next(iter(stored.values()))) if ids is None else len(ids)
    fits = [name for name in layout.catalog if len(columns[name]) == n]
    other = [f"{name} {columns[name].shape}" for name in layout.catalog if name not in fits]
    catalog, unread = catalogue({name: partial(beside, columns[name]) for name in fits}, n)
    return VectorTable(ids, catalog, stored, left_out=(*layout.left_out, *other, *unread))


def _kind(values: Array) -> Kind:
    return "number" if is_whole(values) else kind_of(values.dtype.kind, values.ndim - 1)


def _views(
    columns: Mapping[str, Array], views: Mapping[str, tuple[str, ...]], where: str
) -> dict[str, Array]:
    """View, named as files can be -> (n, d)."""
    stored: dict[str, Array] = {}
    called: dict[str, str] = {}
    for view, names in views.items():
        plain = re.sub(r"[^\w.-]", "_", view)
        if plain in stored:
            raise DataError(
                f"{where}: {called[plain]!r} and {view!r} would both be the view {plain!r};"
                " rename one"
            )
        called[plain] = view
        if columns[names[0]].ndim == 2:
            stored[plain] = columns[names[0]]
        else:
            refuse_lengths(where, {name: len(columns[name]) for name in names})
            stored[plain] = np.column_stack([as_numbers(columns[name]) for name in names])
    return stored


def _by_id(columns: dict[str, Array], path: Path) -> dict[str, Array]:
    """The same; of `{id: vector}` the ids and the matrix of the vectors.

    Raises:
        DataError: nothing tells ids from names of columns.
    """
    shapes = {values.shape for values in columns.values()}
    floats = all(values.dtype.kind == "f" for values in columns.values())
    if len(columns) < 2 or len(shapes) > 1 or not floats or len(next(iter(shapes))) != 1:
        return columns
    if all(re.fullmatch(r"-?[0-9]+", name) for name in columns):
        ids = parse_ids([*columns], str(path))
        if ids.dtype.kind in "iu" and int(ids.max()) - int(ids.min()) >= len(ids):
            return {"object_id": ids, "vectors": np.stack([*columns.values()])}
    first = next(iter(columns))
    raise DataError(
        f"{path}: {len(columns)} arrays of {next(iter(shapes))[0]} numbers, of which {first!r} may"
        " be an object or a column; save {'object_id': ids, 'embedding': (n, d)}, or say"
        " --vector-columns"
    )


def _loaded(path: Path) -> Any:
    """The content of a file, of tensors, numpy arrays and plain values only."""
    plain: list[Any] = [np.ndarray, np.dtype, (codecs.encode, "_codecs.encode")]
    plain += [type(np.dtype(kind)) for kind in ("f2", "f4", "f8", "i4", "i8", "u8", "?", "U", "S")]
    rebuild, scalar = np._core.multiarray._reconstruct, np._core.multiarray.scalar  # type: ignore[attr-defined]
    plain += [(rebuild, f"{place}._reconstruct") for place in _NUMPY]
    plain += [(scalar, f"{place}.scalar") for place in _NUMPY]
    try:
        with torch.serialization.safe_globals(plain), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what is wrong is told in one line, or it is read
            return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        named = re.search(r"(?:GLOBAL|global|Unsupported class|type) ([\w.]+)", str(error))
        what = f" ({named[1]})" if named else ""
        raise DataError(
            f"{path}: names code{what}, of which FMB runs none; save tensors, numbers and text only"
        ) from None
    except (RuntimeError, EOFError, AttributeError, KeyError) as error:
        reason = " ".join(str(error).split())[:150]
        raise DataError(f"{path}: cannot be read: {reason}") from None


def _columns(content: Any, path: Path) -> dict[str, Array]:
    """Key -> (n,) or (n, d)."""
    if isinstance(content, torch.Tensor | np.ndarray):
        return {"vectors": _array(content)}
    if isinstance(content, Mapping) and all(type(key) in (str, int) for key in content):
        columns = {
            str(key): _column(values, path, str(key))
            if isinstance(values, list | tuple)
            else _array(values)
            for key, values in content.items()
        }
        if all(values.ndim for values in columns.values()):
            return columns
        content = [content]
    if not (isinstance(content, Sequence) and content and _are_records(content)):
        raise DataError(f"{path}: expected a list of records, a dict of arrays or one matrix")
    keys = dict.fromkeys(key for record in content for key in record)
    return {key: _column([record.get(key) for record in content], path, key) for key in keys}


def _are_records(content: Sequence[Any]) -> bool:
    return all(isinstance(one, Mapping) and all(isinstance(k, str) for k in one) for one in content)


def _array(value: Any) -> Array:
    if isinstance(value, torch.Tensor):
        tensor = value.detach()
        # numpy has no bfloat16; float32 holds all of its values.
        return (tensor.float() if tensor.dtype == torch.bfloat16 else tensor).numpy()
    return np.asarray(value)


def _column(values: Sequence[Any], path: Path, key: str) -> Array:
    """The values of a key in all records: (n,) of single ones, (n, d) with NaN where one lacks."""
    arrays = [None if value is None else _array(value) for value in values]
    there = [(row, array) for row, array in enumerate(arrays) if array is not None]
    if not there or not there[0][1].ndim:
        return of_plain([None if array is None else array.item() for array in arrays], path, key)
    flat = [(row, array.reshape(-1)) for row, array in there if array.size == max(array.shape)]
    width = there[0][1].size
    wrong = [row for row, array in flat if len(array) != width]
    if wrong or len(flat) < len(there):
        rows = wrong or sorted({row for row, _ in there} - {row for row, _ in flat})
        shown = ", ".join(map(str, rows[:_FEW]))
        raise DataError(
            f"{path}: {key!r} is not one vector of {width} numbers in {len(rows)} records: {shown}"
        )
    kind = np.result_type(np.float32, *{array.dtype for _, array in flat})
    matrix = np.full((len(values), width), np.nan, kind)
    for row, array in flat:
        matrix[row] = array
    return matrix
