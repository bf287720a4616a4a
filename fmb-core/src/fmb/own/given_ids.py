"""Ids of vectors in a file of their own."""

import re
from pathlib import Path

import numpy as np

from fmb.contract.arrays import Array
from fmb.files.damage import DAMAGE, reason
from fmb.files.ids import as_ids, read_id_file
from fmb.messages.errors import DataError

__all__ = ["ids_of", "refuse_heading"]

_INTEGER = re.compile(r"-?[0-9]+")


def ids_of(path: Path) -> Array:
    """(n,) ids of a file, one a line, or of an array in npy.

    Raises:
        DataError: it is missing or damaged, or holds something else.
    """
    if path.suffix != ".npy":
        return read_id_file(path)
    try:
        with path.open("rb") as stream:  # where numpy fails, it leaves a file open
            found = np.lib.format.read_array(stream, allow_pickle=False)
    except DAMAGE as error:
        told = reason(error)
        if "allow_pickle" in told:
            told = "Python's own objects could run code; store text as .astype(str)"
        raise DataError(f"{path}: ids cannot be read: {told}") from None
    return as_ids(found, str(path))


def refuse_heading(ids: Array, path: Path) -> None:
    """Check that the first of as many ids as vectors is no heading, which shifts all others.

    Raises:
        DataError: it is no number, and all others are.
    """
    if ids.dtype.kind != "U" or len(ids) < 2 or _INTEGER.fullmatch(ids[0]):
        return
    if all(_INTEGER.fullmatch(one) for one in ids[1:].tolist()):
        raise DataError(
            f"{path}: the first id, {str(ids[0])!r}, is no number as all others are; if it is a"
            " heading, remove it: then an id is missing"
        )
