"""Vectors of a run's objects, mapped from where they are stored."""

import numpy as np

from fmb.contract.arrays import Array
from fmb.contract.names import VectorName
from fmb.contract.vector_view import VectorView
from fmb.messages.errors import StoreError
from fmb.store.keys import array_key
from fmb.store.vector_store import VectorStore

__all__ = ["view_of"]


def view_of(name: VectorName, store: VectorStore, inputs: Array, comparable: str) -> VectorView:
    """The stored vectors of objects by what was read of them.

    Args:
        name: of the vectors.
        store: where they are.
        inputs: (n, 16), uint8: digests; zeros where an object has no input.
        comparable: what they can be compared with.

    Raises:
        StoreError: some have been removed.
    """
    stored = store.find(inputs)
    lost = int((~stored.there & inputs.any(axis=1)).sum())
    if lost:
        raise StoreError(
            f"{lost} of the vectors of {name} are no longer in {store.folder}; run again to make"
            " them anew"
        )
    rows = np.flatnonzero(stored.at >= 0)
    identity = {"key": store.digest, "made": stored.made, "inputs": array_key(inputs[rows])}
    return VectorView(
        name, identity, len(inputs), rows, stored.matrices, stored.at[rows], comparable
    )
