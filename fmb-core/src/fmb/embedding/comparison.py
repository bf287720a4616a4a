"""Vectors of another version are compared with the present one's before they are used."""

import logging
from collections.abc import Sequence

import numpy as np

from fmb.contract.arrays import Array
from fmb.contract.names import VectorName
from fmb.embedding.inventory import Inventory
from fmb.embedding.loading import model_job
from fmb.messages.errors import FailedError
from fmb.store.cuts import Group
from fmb.store.keys import derive_seed
from fmb.store.vector_store import Comparison, VectorStore, Versions
from fmb.terminal.progress import stage

__all__ = ["compare_versions", "verify"]

logger = logging.getLogger(__name__)

OBJECTS = 8
"""Objects that are encoded again."""
TOLERANCE = {"float32": 1e-5}
"""Largest difference that counts as none, in units of the largest component."""
LOW_PRECISION = 1e-2


def compare_versions(inventory: Inventory) -> None:
    """Compare vectors of versions that nobody has compared with the present ones.

    Where they agree they are used like one's own; where they differ they are left alone, and
    computed anew.

    Raises:
        FmbError: the model cannot be loaded or run.
    """
    for name, store in inventory.stores.items():
        for versions in store.unchecked():
            with stage(inventory.plan.progress, f"compare versions of {name}"):
                outcome = _compare(inventory, name, store.made_by(versions))
            if outcome is None:
                continue  # nothing that is asked for is of this version
            store.compared(outcome)
            if not outcome.same:
                logger.warning(
                    "%s: %s give other vectors than %s (by %.2g of the largest component) under one"
                    " revision: they are computed anew; its author should raise `revision`",
                    name,
                    _text(store.versions),
                    _text(versions),
                    outcome.worst,
                )


def verify(inventory: Inventory) -> None:
    """Encode a few objects again and compare them with what is stored.

    Raises:
        FailedError: they differ.
    """
    for name, store in inventory.stores.items():
        with stage(inventory.plan.progress, f"compare vectors of {name}"):
            outcome = _compare(inventory, name, store)
        if outcome is not None and not outcome.same:
            raise FailedError(
                f"{name}: {outcome.objects} objects encoded again differ by {outcome.worst:.2g} of"
                f" the largest component from the stored vectors; remove {store.folder.name!r} with"
                " `fmb cache remove` to compute them anew"
            )


def _compare(inventory: Inventory, name: VectorName, other: VectorStore) -> Comparison | None:
    """Some vectors of a store beside the same made now; None where it has none that are asked."""
    everybody = np.arange(inventory.n)
    stored = other.find(inventory.digests(name.view, everybody))
    rows = np.flatnonzero(stored.at >= 0)
    if not len(rows):
        return None
    rng = np.random.default_rng(derive_seed(0, "comparison", other.digest))
    chosen = np.sort(rng.permutation(rows)[:OBJECTS])
    before = np.concatenate([_at(stored.matrices, at) for at in stored.at[chosen].tolist()])
    again = _encode(inventory, name, chosen)
    scale = float(np.abs(before).max()) or 1.0
    fits = before.shape == again.shape
    worst = float(np.abs(before - again).max()) / scale if fits else float("inf")
    tolerance = TOLERANCE.get(inventory.plan.request.run.precision, LOW_PRECISION)
    versions = inventory.stores[name].versions
    return Comparison(other.versions, versions, worst <= tolerance, len(chosen), min(worst, 1e9))


def _at(matrices: Sequence[Array], place: int) -> Array:
    """(1, d): one row of matrices laid end to end."""
    for matrix in matrices:
        if place < len(matrix):
            return np.asarray(matrix[place : place + 1])
        place -= len(matrix)
    raise IndexError(place)


def _encode(inventory: Inventory, name: VectorName, rows: Array) -> Array:
    """Vectors (k, d) of `rows` made now, in their order."""
    from fmb.torch.embed_loop import Together, embed  # loads torch

    groups: list[Group] = [(slots, own[np.isin(own, rows)]) for slots, own in inventory.groups()]
    batches = (Together(own, slots) for slots, own in groups if len(own))
    made: dict[int, Array] = {}
    for encoded in embed(model_job(inventory.plan, inventory.model), batches):
        at, vectors = encoded.vectors.get((name.embedder, name.view), ((), ()))
        made.update(zip(encoded.rows[np.asarray(at, dtype=int)].tolist(), vectors, strict=True))
    if len(made) != len(rows):
        return np.empty((0, 0), dtype=np.float32)  # what had a vector has none now
    return np.stack([made[row] for row in rows.tolist()])


def _text(versions: Versions) -> str:
    return " and ".join(f"{name} {version}" for name, version in sorted(versions.items()))
