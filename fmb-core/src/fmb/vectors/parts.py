"""Files of vectors laid end to end: their ids, their catalogue, and a matrix a view."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from fmb.contract.arrays import Array
from fmb.files.end_to_end import end_to_end
from fmb.messages.errors import DataError
from fmb.vectors.table import VectorTable

__all__ = ["Gathered", "gather", "refuse_repeats"]

_SHOWN = 3


@dataclass(frozen=True, eq=False)
class Gathered:
    """The objects of all files, and their vectors where they lie or in memory."""

    ids: Array
    catalog: pd.DataFrame
    views: Mapping[str, Sequence[Array]]
    """View -> matrices that make it, end to end."""
    rows: Mapping[str, Array]
    """View -> (m,), int64, ascending: which objects have a vector."""
    notes: Sequence[str] = ()


def gather(
    paths: Sequence[Path], tables: Sequence[VectorTable], ids: Array | None
) -> tuple[Array, pd.DataFrame, dict[str, tuple[int, int]]]:
    """Ids, catalogue, and view -> (n, d) of files laid end to end.

    Args:
        paths: of the files.
        tables: what each holds.
        ids: (n,) of all objects, from elsewhere; None = those of the files, else 0 .. n - 1.

    Raises:
        DataError: the files do not fit together, or to the ids, or an id repeats.
    """
    first = tables[0]
    for path, table in zip(paths, tables, strict=True):
        _same(paths[0], first, path, table)
    lengths = [_objects(path, table) for path, table in zip(paths, tables, strict=True)]
    total = sum(lengths)
    if ids is None and first.ids is not None:
        ids = _end_to_end([table.ids for table in tables if table.ids is not None])
    elif ids is None:
        ids = np.arange(total)
    elif len(ids) != total:
        first_id = repr(ids[0].item())  # which may be a heading
        raise DataError(f"{paths[0]}: {total} vectors for {len(ids)} ids, the first {first_id}")
    if total == 0:
        raise DataError(f"{paths[0]}: no objects")
    refuse_repeats(ids, paths, lengths)
    frames = [table.catalog for table in tables]
    catalog = frames[0] if len(frames) == 1 else end_to_end(frames, paths)
    attrs, catalog = frames[0].attrs, catalog.drop(columns="object_id", errors="ignore")
    catalog = pd.concat([pd.DataFrame({"object_id": ids}), catalog], axis=1)
    catalog.attrs = dict(attrs)
    return ids, catalog, {view: (total, shape[1]) for view, shape in first.shapes.items()}


def _end_to_end(parts: Sequence[Array]) -> Array:
    """Ids of several files; as text where they are of two kinds: none goes through a float."""
    kinds = {part.dtype.kind for part in parts}
    return np.concatenate([part.astype(np.str_) for part in parts] if len(kinds) > 1 else parts)


def _objects(path: Path, table: VectorTable) -> int:
    """How many objects a file has.

    Raises:
        DataError: its matrices do not have as many rows as it has ids.
    """
    counts = {view: shape[0] for view, shape in table.shapes.items()}
    n = next(iter(counts.values())) if table.ids is None else len(table.ids)
    for view, shape in table.shapes.items():
        if shape[0] != n:
            raise DataError(f"{path}: {view!r} has shape {shape} for {n} ids")
    return n


def _same(first: Path, of_first: VectorTable, path: Path, table: VectorTable) -> None:
    """Refuse a file that is no part of the same table as the first."""
    widths = [{view: shape[1] for view, shape in t.shapes.items()} for t in (of_first, table)]
    if widths[0] != widths[1]:
        told = [", ".join(f"{view} of {d}" for view, d in one.items()) for one in widths]
        raise DataError(f"{path}: vectors {told[1]}, but {first} has {told[0]}")
    columns = [set(t.catalog.columns) for t in (of_first, table)]
    if other := sorted(columns[0] ^ columns[1]):
        raise DataError(f"{path}: column {other[0]!r} is in only one of this file and {first}")
    if (of_first.ids is None) != (table.ids is None):
        raise DataError(f"{path}: only one of this file and {first} has ids")


def refuse_repeats(ids: Array, paths: Sequence[Path], lengths: Sequence[int]) -> None:
    """Check that every object stands in one row of one file.

    Raises:
        DataError: counts the ids that repeat and says where the first stands.
    """
    order = np.argsort(ids, kind="stable")
    listed = ids[order]
    same = np.flatnonzero(listed[1:] == listed[:-1])
    if not len(same):
        return
    repeated = np.unique(listed[same])
    worst = listed[same[np.argmin(order[same])]]
    starts = np.concatenate([[0], np.cumsum(lengths)])
    rows = np.flatnonzero(ids == worst)[:_SHOWN]
    places = []
    for row in rows.tolist():
        part = int(np.searchsorted(starts, row, side="right")) - 1
        file = f"{paths[part].name} row " if len(paths) > 1 else "row "
        places.append(f"{file}{row - starts[part]}")
    raise DataError(
        f"{paths[0] if len(paths) == 1 else paths[0].parent}: {len(repeated):,} ids stand in more"
        f" than one row, first {worst} ({', '.join(places)}); give every object its own id"
    )
