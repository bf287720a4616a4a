"""What a model could read of an object, as a number that tells it from anything else."""

from collections.abc import Mapping
from dataclasses import fields
from hashlib import blake2b

import numpy as np

from fmb.contract.arrays import Array
from fmb.contract.inputs import Columns, Images, Spectra
from fmb.store.keys import canonical_json

__all__ = ["WIDTH", "input_digests", "joined"]

WIDTH = 16
"""Bytes of a digest."""


def input_digests(data: Images | Spectra | Columns) -> Array:
    """(n, 16), uint8: a digest of all that one instrument's record holds of each object.

    Every field counts, after units and widening: pixels, ivar, mask, bands, wavelengths, PSF, unit
    ... The id, the catalogue and the other objects do not.
    """
    nobody = data.take(np.arange(0))
    plain, arrays = {}, {}
    for field in fields(data):
        value = getattr(data, field.name)
        if not isinstance(value, np.ndarray):
            plain[field.name] = value
        elif len(getattr(nobody, field.name)) == 0:  # a row an object
            arrays[field.name] = np.ascontiguousarray(value)
        else:  # a wavelength grid that all objects share counts like a grid of their own
            arrays[field.name] = np.broadcast_to(value, (len(data), *value.shape))
    shapes = {name: [a.dtype.str, list(a.shape[1:])] for name, a in arrays.items()}
    head = canonical_json([type(data).__name__, plain, shapes]).encode()
    digests = np.empty((len(data), WIDTH), dtype=np.uint8)
    for row in range(len(data)):
        digest = blake2b(head, digest_size=WIDTH)
        for name in sorted(arrays):
            digest.update(arrays[name][row])
        digests[row] = np.frombuffer(digest.digest(), dtype=np.uint8)
    return digests


def joined(digests: Mapping[str, Array]) -> Array:
    """(n, 16), uint8: one digest of several inputs; of a single one it is that input's own.

    Args:
        digests: slot -> (n, 16), in the order in which a view reads them.
    """
    first, *others = digests.values()
    if not others:
        return first
    together = np.concatenate([first, *others], axis=1)
    parts = (blake2b(row.tobytes(), digest_size=WIDTH).digest() for row in together)
    return np.frombuffer(b"".join(parts), dtype=np.uint8).reshape(-1, WIDTH)
