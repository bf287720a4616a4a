"""Vectors that torch saved: a list of records, a dict of arrays, or one matrix; nothing is run."""

import codecs
import pickle
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from fmb.contract.arrays import Array
from fmb.contract.errors import DataError
from fmb.files.ids import as_ids
from fmb.vectors.columns import Asked, Column, kind_of, lay_out
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
            `{"object_id": [...], "embedding": (n, d)}` or of one (n, d) tensor.
        asked: which keys are ids and vectors.

    Raises:
        DataError: it names code, is damaged, or holds something else.
    """
    columns = _columns(_loaded(path), path)
    about = {
        name: Column(kind_of(values.dtype.kind, values.ndim - 1), f"of shape {values.shape}")
        for name, values in columns.items()
    }
    layout = lay_out(about, asked, str(path))
    ids = None if layout.ids is None else as_ids(columns[layout.ids], f"{path}: {layout.ids!r}")
    n = len(next(iter(columns.values())))
    known = {name: columns[name] for name in layout.catalog if len(columns[name]) == n}
    stored = {
        re.sub(r"[^\w.-]", "_", view): columns[names[0]]
        if columns[names[0]].ndim == 2
        else _side_by_side({name: columns[name] for name in names}, str(path))
        for view, names in layout.views.items()
    }
    catalog = pd.DataFrame(known, index=range(n)).infer_objects()
    return VectorTable(ids, catalog, stored, left_out=layout.left_out)


def _side_by_side(columns: Mapping[str, Array], where: str) -> Array:
    refuse_lengths(where, {name: len(values) for name, values in columns.items()})
    return np.column_stack([*columns.values()])


def _loaded(path: Path) -> Any:
    """The content of a file, of tensors, numpy arrays and plain values only."""
    plain: list[Any] = [np.ndarray, np.dtype, (codecs.encode, "_codecs.encode")]
    plain += [type(np.dtype(kind)) for kind in ("f2", "f4", "f8", "i4", "i8", "u8", "?", "U", "S")]
    rebuild, scalar = np._core.multiarray._reconstruct, np._core.multiarray.scalar  # type: ignore[attr-defined]
    plain += [(rebuild, f"{place}._reconstruct") for place in _NUMPY]
    plain += [(scalar, f"{place}.scalar") for place in _NUMPY]
    try:
        with torch.serialization.safe_globals(plain):
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
    if isinstance(content, Mapping) and all(isinstance(key, str) for key in content):
        columns = {key: _array(values) for key, values in content.items()}
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
        plain = [None if array is None else array.item() for array in arrays]
        kinds = {type(one) for one in plain}
        return np.asarray(plain, dtype=None if len(kinds) == 1 else object)
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
