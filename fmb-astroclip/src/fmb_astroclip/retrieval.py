"""How well an image finds its spectrum, and a spectrum its image, among like objects."""

import math
from collections.abc import Mapping

import numpy as np
import pandas as pd

from fmb import Array, ConfigError, DataError, did_you_mean
from fmb.datasets import group_keys

__all__ = ["match_columns", "median_interval", "partner_ranks", "retrieval"]

REDSHIFT_SCALE = 0.02
"""Difference in redshift, over 1 + z, that counts as much as `MAGNITUDE_SCALE`."""
MAGNITUDE_SCALE = 0.3
_MOST = 2000
"""Objects that are compared at most, so that memory and time have a bound."""
_NEIGHBOURS = 10
"""Objects whose mean redshift is a photometric redshift."""


def match_columns(
    objects: pd.DataFrame, redshift: str | None, magnitude: str | None
) -> tuple[str, str]:
    """The columns in which decoys are matched, "" for what the survey lacks.

    Raises:
        ConfigError: a column that was named is not there.
    """
    columns = [str(name) for name in objects if pd.api.types.is_numeric_dtype(objects[name])]
    for key, name in (("redshift_column", redshift), ("magnitude_column", magnitude)):
        if name is not None and name not in columns:
            hint = did_you_mean(name, columns)
            raise ConfigError(f"train.{key}: no column of numbers is called {name!r}{hint}")
    magnitudes = sorted(_magnitudes(columns), key=lambda name: name != "mag_r")
    return (
        redshift or ("redshift" if "redshift" in columns else ""),
        magnitude or (magnitudes[0] if magnitudes else ""),
    )


def retrieval(
    objects: pd.DataFrame,
    image: Array,
    spectrum: Array,
    *,
    redshift: str,
    magnitude: str,
    k: int,
) -> dict[str, float]:
    """Median rank of the true partner among decoys, both ways, beside two simpler matchers.

    One row a source is kept, 2,000 at most, evenly from all. An object's decoys are the k others
    (all, where there are fewer) nearest to it in dz / (0.02 (1 + z)) and dm / 0.3; without both
    columns they are any k others, drawn once. Each modality's mean is taken away, then partners are
    ranked by cosine: rank 1 = nothing is closer, ties count half.

    `photoz_...` ranks the same candidates by |photometric redshift of the image - redshift of the
    spectrum| alone. That redshift is the mean of the 10 other sources nearest in magnitude and
    colours (all columns of numbers that begin with `mag`, each over its standard deviation): what
    a matcher finds that knows of an image nothing but its redshift. It needs two magnitudes.

    Args:
        objects: one row an object: object_id, catalogue columns.
        image: (n, d), in the order of `objects`.
        spectrum: (n, d).
        redshift: column name, "" = none.
        magnitude: column name, "" = none.
        k: decoys.

    Returns:
        `spectrum_rank` (an image looks for its spectrum) and `image_rank`, each with `_low` and
        `_high`, the 95 % interval of the median; `chance_rank`; `sources`, `decoys`, `matched`
        (0 or 1); when matched, the median distance of decoys `decoy_dz` (over 1 + z) and
        `decoy_dmag`, and `photoz_spectrum_rank`, `photoz_image_rank`, `photoz_scatter` (NMAD).

    Raises:
        DataError: fewer than two sources can be compared.
    """
    rows = _compared(objects, [name for name in (redshift, magnitude) if name])
    chosen = objects.iloc[rows].reset_index(drop=True)
    matched = bool(redshift and magnitude)
    k = min(k, len(rows) - 1)
    figures: dict[str, float] = {"sources": len(rows), "decoys": k, "matched": matched}
    if matched:
        z, m = (chosen[name].to_numpy(float) for name in (redshift, magnitude))
        dz, dm = np.abs(z[:, None] - z) / (1 + z[:, None]), np.abs(m[:, None] - m)
        apart = np.hypot(dz / REDSHIFT_SCALE, dm / MAGNITUDE_SCALE)
    else:
        apart = np.random.default_rng(0).random((len(rows), len(rows)))
    decoys = _nearest(apart, k)
    cosine = _units(image[rows]) @ _units(spectrum[rows]).T
    for name, closeness in (("spectrum_rank", cosine), ("image_rank", cosine.T)):
        ranks = partner_ranks(closeness, decoys)
        low, high = median_interval(ranks)
        figures |= {name: np.median(ranks), f"{name}_low": low, f"{name}_high": high}
    figures["chance_rank"] = (k + 2) / 2  # the median of 1 .. k + 1
    if matched:
        figures["decoy_dz"] = np.median(np.take_along_axis(dz, decoys, 1))
        figures["decoy_dmag"] = np.median(np.take_along_axis(dm, decoys, 1))
        figures |= _photoz(chosen, z, magnitude, decoys)
    return {name: float(value) for name, value in figures.items()}


def partner_ranks(closeness: Array, decoys: Array) -> Array:
    """Rank of each object's own partner among its decoys' and its own; ties count half.

    Args:
        closeness: (n, n), of object i (row) and the partner of object j.
        decoys: (n, k), int, other objects.

    Returns:
        (n,), float64, 1 .. k + 1.
    """
    own = closeness.diagonal()[:, None]
    others = np.take_along_axis(closeness, decoys, 1)
    ranks: Array = 1 + (others > own).sum(1) + (others == own).sum(1) / 2
    return ranks


def median_interval(values: Array) -> tuple[float, float]:
    """The 95 % interval of the median of the values' distribution, whatever that is.

    Source: the order statistics next to n/2 - 0.98 sqrt(n) and 1 + n/2 + 0.98 sqrt(n); Conover
    1999, Practical Nonparametric Statistics, section 3.2.
    """
    n, half = len(values), 0.98 * math.sqrt(len(values))
    ordered = np.sort(values)
    low, high = round(n / 2 - half), round(n / 2 + 1 + half)
    return float(ordered[max(low, 1) - 1]), float(ordered[min(high, n) - 1])


def _compared(objects: pd.DataFrame, columns: list[str]) -> Array:
    """Positions, ascending: one object a source, with finite numbers in `columns`, not too many."""
    known = np.isfinite(objects[columns].to_numpy(float)).all(axis=1)
    rows = np.flatnonzero(known)
    _, first = np.unique(group_keys(objects.iloc[rows]), return_index=True)
    rows = rows[np.sort(first)]
    if len(rows) < 2:
        told = f" with {' and '.join(columns)}" if columns else ""
        raise DataError(
            f"{len(rows)} source{told} is held out: a partner is found among at least two; take"
            " more objects, or hold out more with --set train.folds=2"
        )
    if len(rows) > _MOST:
        rows = rows[np.linspace(0, len(rows) - 1, _MOST).round().astype(int)]
    return rows


def _nearest(apart: Array, k: int) -> Array:
    """(n, k): the k others of smallest distance, in no order; ties as they come."""
    apart = apart.copy()
    np.fill_diagonal(apart, np.inf)
    return np.argpartition(apart, k - 1, axis=1)[:, :k]


def _units(vectors: Array) -> Array:
    """Unit vectors around the mean of all; an object at the mean itself stays zero."""
    centred = vectors.astype(np.float64)
    centred -= centred.mean(0)
    lengths = np.linalg.norm(centred, axis=1, keepdims=True)
    units: Array = centred / np.where(lengths > 0, lengths, 1)
    return units


def _magnitudes(columns: list[str]) -> list[str]:
    return [name for name in columns if name.lower().startswith("mag")]


def _photoz(objects: pd.DataFrame, z: Array, magnitude: str, decoys: Array) -> Mapping[str, float]:
    """Ranks of a matcher that knows photometric redshifts only; {} with one magnitude."""
    numbers = objects.select_dtypes("number")
    finite = [n for n in _magnitudes([*numbers]) if np.isfinite(numbers[n].to_numpy(float)).all()]
    names = list(dict.fromkeys([magnitude, *finite]))
    if len(names) < 2:
        return {}
    magnitudes = numbers[names].to_numpy(float)
    features = np.column_stack([magnitudes[:, 0], np.diff(magnitudes, axis=1)])
    spread = features.std(0)
    features /= np.where(spread > 0, spread, 1)
    square = (features**2).sum(1)
    apart = square[:, None] + square - 2 * features @ features.T
    photometric = z[_nearest(apart, min(_NEIGHBOURS, len(z) - 1))].mean(1)
    closeness = -np.abs(photometric[:, None] - z)
    error = (photometric - z) / (1 + z)
    return {
        "photoz_spectrum_rank": np.median(partner_ranks(closeness, decoys)),
        "photoz_image_rank": np.median(partner_ranks(closeness.T, decoys)),
        "photoz_scatter": 1.4826 * np.median(np.abs(error - np.median(error))),
    }
