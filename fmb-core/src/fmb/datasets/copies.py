"""Changed copies: objects with something planted in them, beside the hosts they were made from."""

import numpy as np
import pandas as pd

from fmb.contract.arrays import Array
from fmb.messages.errors import DataError

__all__ = ["changed_copies", "host_texts"]

HOST = "injected_from"
"""The column with the id of the host; an object without anything planted has its own, or none."""


def host_texts(objects: pd.DataFrame) -> pd.Series:
    """The id, as text, of the host of each object; of an unchanged object its own.

    Raises:
        DataError: hosts are decimals, which lose digits of ids.
    """
    own = objects["object_id"].astype("string")
    if HOST not in objects:
        return own
    if pd.api.types.is_float_dtype(objects[HOST]) and objects[HOST].notna().any():
        raise DataError(
            f"column {HOST!r} holds decimals, which lose digits of ids; write integers or text"
        )
    host = objects[HOST].astype("string")
    return host.where(host.notna() & (host != ""), own)


def changed_copies(objects: pd.DataFrame) -> Array:
    """(n,) bool: True for a changed copy of another object, its host.

    Raises:
        DataError: as `host_texts`.
    """
    if HOST not in objects:
        return np.zeros(len(objects), dtype=bool)
    changed = host_texts(objects) != objects["object_id"].astype("string")
    return changed.to_numpy(dtype=bool)
