"""Numbers as FITS stores them: big-endian, and without a sign only by an offset."""

from dataclasses import replace
from typing import Any

import numpy as np

from fmb import Array
from fmb.files import Stated

__all__ = ["Stored", "native"]


class Stored:
    """What an array of a FITS file is stored as, and what is made of that.

    FITS knows whole numbers of 16 to 64 bits with a sign and of 8 bits without; of the others it
    stores the value less half of their range. Those are read as what they are; any other scale
    and offset is left to who reads, who is told by `stated`.
    """

    def __init__(self, kind: "np.dtype[Any]", told: Stated) -> None:
        """`kind` in the file, and what its header says."""
        plain = kind.newbyteorder("=")
        half = 2 ** (8 * plain.itemsize - 1)
        shift = {"i": half, "u": -half}.get(plain.kind, 0)
        self._shifted = bool(shift) and told.scale == 1.0 and told.offset == shift
        self.kind, self.stated = plain, told
        if self._shifted:
            self.kind = np.dtype(f"{'u' if plain.kind == 'i' else 'i'}{plain.itemsize}")
            missing = tuple(int(value) + shift for value in told.missing)
            self.stated = replace(told, offset=0.0, missing=missing)

    def values(self, stored: Array) -> Array:
        """Numbers of the type `kind`, of the same shape."""
        plain = native(stored)
        if self._shifted:
            sign = self.kind.type(1 << (8 * self.kind.itemsize - 1)) if self.kind.kind == "u" else 0
            plain = plain.view(self.kind)
            return np.asarray(plain ^ (sign or np.iinfo(self.kind).min))
        return plain


def native(stored: Array) -> Array:
    """A copy in the byte order of the machine."""
    return np.array(stored, dtype=stored.dtype.newbyteorder("="), order="C")
