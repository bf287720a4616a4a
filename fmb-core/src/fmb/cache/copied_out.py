"""Vectors of a run in a file of their own, with their ids and what made them."""

import io
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from fmb.contract.arrays import Array
from fmb.contract.names import VectorName
from fmb.messages.errors import ConfigError, did_you_mean
from fmb.runs.run import Run
from fmb.store.atomic import ensure_folder, publish
from fmb.store.keys import canonical_json
from fmb.store.tensors import pack_ids

__all__ = ["ENDINGS", "copy_out"]


def copy_out(run: Run, path: Path, name: VectorName, rows: Array | None = None) -> int:
    """Write vectors, one row an object that has one, in the order of ids.

    Args:
        run: which has them.
        path: .safetensors, .npz or .parquet.
        name: of the vectors.
        rows: (k,), of the run's objects, ascending; None = all.

    Returns:
        How many vectors were written.

    Raises:
        ConfigError: the ending is none of these, or none of the objects has a vector.
        StoreError: the vectors are gone.
    """
    if path.suffix not in ENDINGS:
        hint = did_you_mean(path.suffix, ENDINGS)
        raise ConfigError(f"{path}: name a file that ends in {', '.join(ENDINGS)}{hint}")
    view = run.vectors(name)
    at = np.arange(len(view.rows)) if rows is None else np.flatnonzero(np.isin(view.rows, rows))
    if not len(at):
        raise ConfigError(f"none of these objects has a vector {name} in run {run.name!r}")
    ids = run.objects["object_id"].to_numpy()[view.rows[at]]
    ids = ids.astype(str) if ids.dtype.kind not in "iu" else ids
    body = ENDINGS[path.suffix](ids, view.values[at], _card(run, name, view.identity))
    ensure_folder(path.absolute().parent)
    publish(path, body)
    return len(at)


def _card(run: Run, name: VectorName, identity: Mapping[str, Any]) -> dict[str, Any]:
    entry = run.manifest["vectors"][run.vector_names.index(name)]
    return {
        "format": "fmb-vectors/1",
        "run": run.name,
        "survey": dict(run.manifest["dataset"]),
        "name": dict(entry["name"]),
        "model": dict(run.manifest["models"].get(name.model, {})),
        "identity": dict(identity),
        "notes": [note.text for note in run.notes],
    }


def _safetensors(ids: Array, values: Array, card: Mapping[str, Any]) -> bytes:
    from safetensors.numpy import save

    arrays = {**pack_ids(ids), "embedding": np.ascontiguousarray(values)}
    return save(arrays, metadata={"fmb": canonical_json(card)})


def _npz(ids: Array, values: Array, card: Mapping[str, Any]) -> bytes:
    stream = io.BytesIO()
    np.savez(stream, object_id=ids, embedding=values, card=np.array(canonical_json(card)))
    return stream.getvalue()


def _parquet(ids: Array, values: Array, card: Mapping[str, Any]) -> bytes:
    import pyarrow as pa
    import pyarrow.parquet as pq

    flat = pa.array(np.ascontiguousarray(values).reshape(-1))
    vectors = pa.FixedSizeListArray.from_arrays(flat, values.shape[1])
    table = pa.table({"object_id": pa.array(ids), "embedding": vectors})
    meta = {b"fmb": json.dumps(dict(card), sort_keys=True).encode()}
    stream = io.BytesIO()
    pq.write_table(table.replace_schema_metadata(meta), stream)
    return stream.getvalue()


ENDINGS: dict[str, Callable[[Array, Array, Mapping[str, Any]], bytes]] = {
    ".safetensors": _safetensors,
    ".npz": _npz,
    ".parquet": _parquet,
}
