"""Objects that a user's file names, by their ids or by where they are on the sky."""

import logging
from pathlib import Path

import numpy as np
import pandas as pd

from fmb import Array, ConfigError, DataError
from fmb.files import is_table, locate, read_id_file, read_table

__all__ = ["listed_objects", "names_a_file"]

logger = logging.getLogger("fmb.evaluate")

ID_COLUMNS = ("object_id", "id", "source_id", "targetid")
PLACES = (("ra", "dec"), ("ra_deg", "dec_deg"), ("raj2000", "dej2000"))
"""Columns of a position in degrees, in lower case."""


def names_a_file(text: str) -> bool:
    """True when `text` is a file that is there, or ends like one."""
    path = Path(text)
    return path.is_file() or is_table(path) or path.suffix in (".txt", ".ids", ".list", ".lst")


def listed_objects(objects: pd.DataFrame, text: str, within_arcsec: float, run: str) -> Array:
    """Which objects a file names.

    A table with ids names them by id; one with positions only, the nearest object within a radius.

    Args:
        objects: those of a run.
        text: a table (CSV, FITS, ECSV, Parquet), or a text file with an id a line.
        within_arcsec: the radius.
        run: what the run is called, for messages.

    Returns:
        (n,), bool.

    Raises:
        DataError: the file cannot be read, or names no object of the run.
    """
    path = Path(text)
    ids = objects["object_id"].to_numpy()
    named: Array | None = None
    if is_table(path):
        table = read_table(path, text=ID_COLUMNS)
        lower = {str(name).lower(): name for name in table.columns}
        column = next((lower[name] for name in ID_COLUMNS if name in lower), None)
        if column is None:
            return _placed(objects, table.frame(), lower, path, within_arcsec)
        named = table.ids(column)
    else:
        named = read_id_file(path)
    if not len(named):
        raise DataError(f"{path}: holds no ids; write one a line, or a column object_id")
    rows = locate(named, ids)
    if 0 < (lost := int((rows < 0).sum())) < len(named):
        logger.warning("%s: %d of its %d ids are not in run %r", path, lost, len(named), run)
    if not (rows >= 0).any():
        raise DataError(
            f"{path}: none of its {len(named):,} ids is of an object of run {run!r}, for instance"
            f" {named[0]}; is it of this survey?"
        )
    return _once(rows[rows >= 0], len(objects), path)


def _once(rows: Array, n: int, path: Path) -> Array:
    """(n,), bool: True at `rows`; says so where some are named more than once."""
    found = np.zeros(n, dtype=bool)
    found[rows] = True
    if (names := int(np.count_nonzero(found))) < len(rows):
        logger.warning(
            "%s: %d of its rows name %d objects, each counts once", path, len(rows), names
        )
    return found


def _placed(
    objects: pd.DataFrame,
    table: pd.DataFrame,
    lower: dict[str, str],
    path: Path,
    within_arcsec: float,
) -> Array:
    """The nearest object to each position, where it is near enough."""
    from scipy.spatial import cKDTree  # imported here: lists of ids do without

    pair = next(((lower[a], lower[b]) for a, b in PLACES if a in lower and b in lower), None)
    if pair is None:
        raise DataError(
            f"{path}: has neither ids (object_id) nor positions (ra, dec) but"
            f" {', '.join(map(str, list(table)[:6]))}"
        )
    if not {"ra", "dec"} <= set(objects):
        raise ConfigError(f"{path} holds positions, and the run has none; give ids")
    wanted = _unit(table[pair[0]], table[pair[1]])
    here = _unit(objects["ra"], objects["dec"])
    known = np.isfinite(here).all(axis=1)
    chord = 2 * np.sin(np.radians(within_arcsec / 3600) / 2)
    usable = wanted[np.isfinite(wanted).all(axis=1)]
    if not len(usable):
        raise DataError(f"{path}: none of its {len(table):,} rows has a position in degrees")
    if nowhere := len(table) - len(usable):
        told = "%s: %d of its %d rows have no position on the sky"
        logger.warning(told, path, nowhere, len(table))
    distance, at = cKDTree(here[known]).query(usable, distance_upper_bound=chord)
    near = np.isfinite(distance)
    if not near.any():
        raise DataError(
            f"{path}: no object lies within {within_arcsec:g} arcsec of one of its"
            f" {len(table):,} positions"
        )
    if lost := len(usable) - int(near.sum()):
        told = "%s: %d of its %d positions are of no object within %g arcsec"
        logger.warning(told, path, lost, len(usable), within_arcsec)
    return _once(np.flatnonzero(known)[at[near]], len(objects), path)


def _unit(ra: pd.Series, dec: pd.Series) -> Array:
    """(n, 3) unit vectors of positions in degrees; NaN where unknown, or none on the sky."""
    lon, lat = (pd.to_numeric(column, errors="coerce").to_numpy(float) for column in (ra, dec))
    nowhere = (np.abs(lat) > 90) | (lon < -180) | (lon > 360)
    lon, lat = np.radians(lon), np.radians(np.where(nowhere, np.nan, lat))
    return np.column_stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)])
