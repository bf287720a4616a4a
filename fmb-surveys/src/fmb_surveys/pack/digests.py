"""Digests of what was observed of single objects, to tell whether a copy is the same."""

import hashlib

import numpy as np

from fmb import Array, Columns, Images, Spectra
from fmb_surveys.files.writer import arrays_of

__all__ = ["DIGEST_BYTES", "object_digests"]

DIGEST_BYTES = 16


def object_digests(data: Images | Spectra | Columns) -> Array:
    """(n, 16), uint8: of all arrays of each object, with their names, types and shapes.

    Numbers that are not numbers count by their bits, so nothing is the same that is read otherwise.
    """
    arrays = {name: np.ascontiguousarray(values) for name, values in arrays_of(data).items()}
    if isinstance(data, Spectra) and data.wavelength_aa.ndim == 1:
        arrays["wavelength"] = np.broadcast_to(
            data.wavelength_aa, (len(data), *data.wavelength_aa.shape)
        )
    unit = " ".join(data.units or ()) if isinstance(data, Columns) else data.unit
    made = np.empty((len(data), DIGEST_BYTES), dtype=np.uint8)
    for row in range(len(data)):
        digest = hashlib.blake2b(unit.encode(), digest_size=DIGEST_BYTES)
        for name, values in sorted(arrays.items()):
            digest.update(f"{name} {values.dtype} {values.shape[1:]}".encode())
            digest.update(np.ascontiguousarray(values[row]).data)
        made[row] = np.frombuffer(digest.digest(), dtype=np.uint8)
    return made
