"""A list as a map that Embedding Atlas shows: places, neighbours and pictures of its objects."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from fmb import Array, ConfigError, ListName, Progress, Run, StoreError, quiet
from fmb.files import as_ids, locate
from fmb_surveys.export.exported import Exported, Field, Part
from fmb_surveys.export.joined import analyses_of
from fmb_surveys.export.parquet_file import Taken, plain_table
from fmb_surveys.export.projection import nearest, two_components
from fmb_surveys.export.provenance import provenance
from fmb_surveys.export.table import long_table
from fmb_surveys.export.thumbnails import thumbnails

__all__ = ["Atlas", "atlas_of", "atlas_parts"]


@dataclass(frozen=True)
class Atlas:
    """What the file holds."""

    exported: Exported
    """A row an object, strangest first, with `x` and `y`."""
    neighbours: tuple[Array, Array]
    """(n, k) rows and distances."""
    pictures: list[bytes | None]
    made: str
    """What x and y are, and of which vectors."""


def atlas_of(run: Run, name: ListName, k: int, progress: Progress = quiet) -> Atlas:
    """The objects of a list with their places in a plane.

    Args:
        run: with vectors.
        name: the list; of a list of several views the first view is taken.
        k: neighbours of each, by the distance of their vectors.
        progress: is told of how many objects the neighbours are found.

    Raises:
        ConfigError: fewer than three objects have a vector.
        StoreError: the vectors are gone.
    """
    view = run.vectors(name.vectors[0])
    exported = long_table(run, [name], None)
    (part,) = exported.parts
    rows = part.rows[view.valid[part.rows]]
    if len(rows) < 3 or view.width < 2:
        raise ConfigError(f"{name}: {len(rows)} objects of {view.width} numbers make no map")
    at = np.searchsorted(view.rows, rows)
    values = view.values[at]
    places, made = _places(run, view.name.stem, rows, values)
    columns = {**part.columns}
    fields = {**exported.fields, "x": Field(f"first axis: {made}"), "y": Field("second axis")}
    for axis, column in zip(("x", "y"), places.T, strict=True):
        if axis in columns:
            columns[f"catalog_{axis}"] = columns.pop(axis)
            fields[f"catalog_{axis}"] = exported.fields[axis]
        spread = np.full(len(run.objects), np.nan)
        spread[rows] = column
        columns[axis] = pd.Series(spread)
    shown = replace(exported, parts=[Part(columns, rows)], fields=fields)
    pictures = _pictures(run, run.objects["object_id"].to_numpy()[rows])
    return Atlas(shown, nearest(values, k, progress), pictures, made)


def atlas_parts(atlas: Atlas, run: Run, name: ListName) -> Iterator[bytes]:
    """The Parquet file.

    `neighbors` has zero-based rows of this file and distances, `image` a PNG file, both as
    structures, which is how Embedding Atlas reads them.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    told = {**provenance(run, [name]), "atlas": atlas.made}
    stream, writer, start = Taken(), None, 0
    for block in atlas.exported.blocks():
        table = plain_table(block)
        stop = start + len(block)
        table = table.append_column("neighbors", _neighbours(*atlas.neighbours, start, stop))
        if any(one is not None for one in atlas.pictures):
            table = table.append_column("image", _images(atlas.pictures[start:stop]))
        if writer is None:
            meta = {b"fmb": json.dumps(told, sort_keys=True).encode()}
            writer = pq.ParquetWriter(stream, table.schema.with_metadata(meta))
        writer.write_table(table.cast(pa.schema(writer.schema)))
        yield stream.take()
        start = stop
    if writer is not None:
        writer.close()
    yield stream.take()


def _places(run: Run, view: str, rows: Array, values: Array) -> tuple[Array, str]:
    """(n, 2) of an analysis that made a map of all these objects, else two components."""
    ids = run.objects["object_id"].to_numpy()[rows]
    for label, table_name, table in analyses_of(run):
        if {"object_id", "x", "y"} <= set(table):
            at = locate(ids, as_ids(table["object_id"].to_numpy(), f"{label}.{table_name}"))
            if (at >= 0).all():
                places = table[["x", "y"]].to_numpy(dtype=np.float64)[at]
                return places, f"table {table_name} of analysis {label}"
    places, shares = two_components(values)
    percent = " and ".join(f"{share:.1%}" for share in shares)
    return places, f"two principal components of {view}, {percent} of its variance"


def _pictures(run: Run, ids: Array) -> list[bytes | None]:
    if not run.has_cutouts:
        return [None] * len(ids)
    kept = []
    for one in run.lists:
        try:
            kept.append(run.cutouts(one, len(run.objects)))
        except StoreError:
            continue
    made: list[bytes | None] = [None] * len(ids)
    for batch in kept:
        made = [a or b for a, b in zip(made, thumbnails(batch, ids), strict=True)]
    return made


def _neighbours(rows: Array, distances: Array, start: int, stop: int) -> Any:
    import pyarrow as pa

    width = rows.shape[1]
    ends = pa.array(np.arange(0, (stop - start) * width + 1, width, dtype=np.int32))
    lists = [
        pa.ListArray.from_arrays(ends, pa.array(one[start:stop].ravel()))
        for one in (rows, distances)
    ]
    return pa.StructArray.from_arrays(lists, names=["ids", "distances"])


def _images(pictures: list[bytes | None]) -> Any:
    import pyarrow as pa

    kind = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    return pa.array([one and {"bytes": one, "path": None} for one in pictures], type=kind)
