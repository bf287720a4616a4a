"""Vectors of a run: the digests of its objects, and where their vectors are."""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from fmb.contract.arrays import Array
from fmb.contract.names import VectorName
from fmb.contract.vector_view import VectorView
from fmb.files.ids import locate
from fmb.messages.errors import StoreError
from fmb.own.vector_file import reopen, still_there
from fmb.plan.tensor_files import TENSOR_FILES
from fmb.runs.folder import RunFolder
from fmb.store.atomic import publish, read_json
from fmb.store.digests import Digests
from fmb.store.keys import array_key
from fmb.store.tensors import map_tensors, tensor_bytes
from fmb.store.vector_store import VectorStore
from fmb.store.views import view_of
from fmb.vectors.asked import OwnVectors

__all__ = ["keep_shown", "read_inputs", "run_vectors", "shown_vectors", "write_inputs"]

logger = logging.getLogger(__name__)


def write_inputs(path: Path, inputs: Array) -> None:
    """Keep (n, 16) digests of a run's objects, by which their vectors are found for ever."""
    publish(path, tensor_bytes({"input": inputs}))


def read_inputs(path: Path) -> Array:
    """The (n, 16) digests that `write_inputs` kept."""
    return np.asarray(map_tensors(path)["input"])


def keep_shown(path: Path, view: VectorView, rows: Array) -> None:
    """Keep the vectors of the objects at `rows`, so that a copied run has them."""
    chosen = view.select(rows)
    arrays = {"row": rows[chosen.rows], "embedding": chosen.values, "n": np.array([view.n])}
    publish(path, tensor_bytes(arrays))


def shown_vectors(name: VectorName, path: Path, comparable: str) -> VectorView:
    """The vectors that a run keeps itself: those of the objects shown.

    Raises:
        StoreError: it keeps none.
    """
    arrays = map_tensors(path)
    rows = np.asarray(arrays["row"])
    identity = {"shown": array_key(arrays["embedding"])}
    at, n = np.arange(len(rows)), int(arrays["n"][0])
    return VectorView(name, identity, n, rows, [arrays["embedding"]], at, comparable)


def run_vectors(
    folder: RunFolder, name: VectorName, entry: Mapping[str, Any], ids: Array, home: Path
) -> VectorView:
    """The vectors that an entry of a manifest describes.

    Where they are no longer, or a run was copied without its workspace, those of the objects
    shown, which the run keeps itself; that is logged.

    Args:
        folder: of the run.
        name: of the vectors.
        entry: what the manifest says of them.
        ids: (n,) ids of the run's objects.
        home: the workspace.

    Raises:
        StoreError: they are gone, or are not what they were.
    """
    try:
        if "folder" not in entry:
            return _own_vectors(name, entry, ids, home)
        place = home / "embeddings" / entry["folder"]
        store = VectorStore(place, read_json(place / "key.json"), entry["versions"])
        inputs = read_inputs(folder.vectors(name))
        return view_of(name, store, inputs, entry["comparable"])
    except StoreError as error:
        changed = "own" in entry and still_there(OwnVectors(**entry["own"]))
        if changed or not folder.shown(name).exists():
            raise
        shown = shown_vectors(name, folder.shown(name), entry["comparable"])
        told = "%s: only the vectors of the %d objects shown are here, of %d; run again to make all"
        logger.warning(told, error, len(shown), shown.n)
        return shown


def _own_vectors(name: VectorName, entry: Mapping[str, Any], ids: Array, home: Path) -> VectorView:
    """A user's own vectors, from the file they stay in."""
    if "own" not in entry:
        raise StoreError(f"the vectors {name} came with the survey; the run does not keep them")
    dataset = reopen(OwnVectors(**entry["own"]), entry, Digests(home), TENSOR_FILES)
    return dataset.vectors[name].select(locate(ids, dataset.ids))
