"""Which rows are one source: repeats are never split between folds and are ranked once."""

import numpy as np
import pandas as pd

from fmb.contract.arrays import Array
from fmb.datasets.copies import HOST, host_texts

__all__ = ["group_keys"]

RADIUS_ARCSEC = 1.0
"""Rows nearer than this are one source."""


def group_keys(objects: pd.DataFrame) -> Array:
    """A key for each row; rows of one source share it.

    Rows belong together when they share a value of the column `group`, when one is a changed copy
    of the other (`injected_from`), or when their positions `ra`, `dec` (degrees) are within
    1 arcsec, directly or through other rows. The key is the smallest id of the source, so it does
    not depend on the order of the rows.

    Returns:
        Shape (n,), of the kind of the ids.
    """
    n, ids = len(objects), objects["object_id"].to_numpy()
    pairs = [_same_value(objects["group"])] if "group" in objects else []
    if HOST in objects:
        pairs.append(_same_value(host_texts(objects)))
    if {"ra", "dec"} <= set(objects):
        pairs.append(_same_place(objects["ra"].to_numpy(float), objects["dec"].to_numpy(float)))
    links = np.concatenate(pairs) if pairs else np.empty((0, 2), dtype=np.int64)
    if not len(links):
        return ids if ids.dtype.kind != "O" else ids.astype(np.str_)
    label = _components(links, n)
    order = np.argsort(ids, kind="stable")
    first = np.full(label.max(initial=-1) + 1, -1)
    first[label[order[::-1]]] = order[::-1]
    keys: Array = ids[first[label]]
    return keys if keys.dtype.kind != "O" else keys.astype(np.str_)


def _components(links: Array, n: int) -> Array:
    """(n,), int: which connected part of the graph of `links` (k, 2) a row is in."""
    # Imported here: a survey without repeats does without scipy.
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    graph = coo_array((np.ones(len(links), bool), (links[:, 0], links[:, 1])), shape=(n, n))
    return np.asarray(connected_components(graph, directed=False)[1])


def _same_value(column: pd.Series) -> Array:
    """Pairs (row, first row with the same value); missing and empty values pair with nobody."""
    text = column.astype("string").fillna("")
    rows = np.flatnonzero((text != "").to_numpy())
    codes, _ = pd.factorize(text.to_numpy()[rows])
    _, first = np.unique(codes, return_index=True)
    return np.column_stack([rows, rows[first[codes]]]).astype(np.int64).reshape(-1, 2)


def _same_place(ra: Array, dec: Array) -> Array:
    known = np.flatnonzero(np.isfinite(ra) & np.isfinite(dec))
    lon, lat = np.radians(ra[known]), np.radians(dec[known])
    unit = np.column_stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)])
    chord = 2 * np.sin(np.radians(RADIUS_ARCSEC / 3600) / 2)
    from scipy.spatial import cKDTree  # imported here: only surveys with positions need it

    pairs = cKDTree(unit).query_pairs(chord, output_type="ndarray") if len(known) else []
    return known[np.asarray(pairs, dtype=np.int64).reshape(-1, 2)]
