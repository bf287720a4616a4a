"""Changed copies: objects with something planted in them, beside the hosts they were made from."""

import numpy as np
import pandas as pd

from fmb.contract.arrays import Array
from fmb.messages.errors import DataError

__all__ = ["changed_copies", "host_texts", "require_hosts"]

HOST = "injected_from"
"""The column with the id of the host; an object without anything planted has its own, or none."""
_NAMED = 5


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


def require_hosts(objects: pd.DataFrame, fitted: pd.DataFrame | None = None) -> list[str]:
    """What is to be said of changed copies before lists are made of them and their hosts.

    A copy whose host is absent is judged as any other: no fit has seen either. A copy of a copy
    would be judged by fits that have seen what it was made of.

    Args:
        objects: those that lists are made of.
        fitted: those of the run whose fits are taken, which may be hosts too; None = no such run.

    Returns:
        A line on copies whose host is absent, where there are any.

    Raises:
        DataError: all objects are copies, or some were made of copies; or as `host_texts`.
    """
    copies = changed_copies(objects)
    if not copies.any():
        return []
    ids, hosts = objects["object_id"].astype("string")[copies], host_texts(objects)[copies]
    if copies.all():
        raise DataError(
            f"all {len(ids):,} objects are changed copies ({HOST} names others), and lists rank the"
            " unchanged: add their hosts"
        )
    nested = hosts.isin(ids)
    if nested.any():
        raise DataError(
            f"{HOST}: {nested.sum():,} of {len(ids):,} changed copies were made of copies"
            f" ({_some(ids[nested])}): name the unchanged object that each goes back to"
        )
    lost = ~hosts.isin(objects["object_id"].astype("string"))
    if fitted is not None:
        lost &= ~hosts.isin(fitted["object_id"].astype("string"))
    if not lost.any():
        return []
    return [
        f"{HOST}: {lost.sum():,} of {len(ids):,} changed copies have no host among these objects"
        f" ({_some(ids[lost])}): they are scored, and compared with no host"
    ]


def _some(ids: pd.Series) -> str:
    return ", ".join(ids[:_NAMED]) + (", ..." if len(ids) > _NAMED else "")
