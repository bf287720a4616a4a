"""Which rows are one source: repeats are never split between folds and are ranked once."""

import numpy as np
import pandas as pd

from fmb.contract.arrays import Array
from fmb.datasets.copies import HOST, host_texts

__all__ = ["RADIUS_ARCSEC", "group_keys", "near_pairs", "nearest_place"]

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
        pairs.append(_same_place(objects))
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


def nearest_place(objects: pd.DataFrame, others: pd.DataFrame, arcsec: float) -> Array:
    """(n,), int64: the row of `others` that lies nearest to each object, -1 where none is near.

    Args:
        objects: n rows with `ra`, `dec` in degrees, which may be unknown.
        others: as `objects`.
        arcsec: no further than this.
    """
    found = np.full(len(objects), -1, dtype=np.int64)
    (own, places), (known, theirs) = (_on_sphere(table) for table in (objects, others))
    if len(own) and len(known):
        from scipy.spatial import cKDTree  # imported here: as in `_same_place`

        distance, at = cKDTree(theirs).query(places)
        near = distance <= _chord(arcsec)
        found[own[near]] = known[at[near]]
    return found


def near_pairs(
    objects: pd.DataFrame, others: pd.DataFrame, arcsec: float
) -> tuple[Array, Array, Array]:
    """All pairs of an object and another one that lie near each other on the sky.

    Args:
        objects: n rows with `ra`, `dec` in degrees, which may be unknown.
        others: as `objects`.
        arcsec: no further than this.

    Returns:
        Rows of `objects`, rows of `others`, and their separations in arcsec, each (k,).
    """
    (own, places), (known, theirs) = (_on_sphere(table) for table in (objects, others))
    if not len(own) or not len(known):
        return np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0)
    from scipy.spatial import cKDTree  # imported here: as in `_same_place`

    near = cKDTree(places).sparse_distance_matrix(
        cKDTree(theirs), _chord(arcsec), output_type="ndarray"
    )
    apart = np.degrees(2 * np.arcsin(np.minimum(near["v"] / 2, 1))) * 3600
    return own[near["i"]], known[near["j"]], apart


def _on_sphere(objects: pd.DataFrame) -> tuple[Array, Array]:
    """Rows with a position on the sky, and these as unit vectors (m, 3)."""
    ra, dec = (objects[column].to_numpy(float) for column in ("ra", "dec"))
    known = np.flatnonzero((ra >= -180) & (ra <= 360) & (np.abs(dec) <= 90))
    lon, lat = np.radians(ra[known]), np.radians(dec[known])
    return known, np.column_stack(
        [np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)]
    )


def _chord(arcsec: float) -> float:
    return float(2 * np.sin(np.radians(arcsec / 3600) / 2))


def _same_place(objects: pd.DataFrame) -> Array:
    known, unit = _on_sphere(objects)
    from scipy.spatial import cKDTree  # imported here: only surveys with positions need it

    chord = _chord(RADIUS_ARCSEC)
    pairs = cKDTree(unit).query_pairs(chord, output_type="ndarray") if len(known) else []
    return known[np.asarray(pairs, dtype=np.int64).reshape(-1, 2)]
