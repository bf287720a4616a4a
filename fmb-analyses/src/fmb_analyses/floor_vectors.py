"""Vectors without a network: principal components of what was observed, features of a catalogue."""

from collections.abc import Mapping, Sequence
from io import BytesIO
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd

from fmb import Array, DataError, Dataset, Progress, Run, Session, quiet
from fmb.datasets import changed_copies, group_keys
from fmb.request import options_request
from fmb.scoring import assign_folds
from fmb.store import publish
from fmb_analyses.observed_light import BLOCK, noise_scale, read_light
from fmb_analyses.principal import principal_components, turned_to

__all__ = ["catalogue_vectors", "component_vectors", "write_vectors"]

N_COMPONENTS = 100
FOLDS = 5
FIT_OBJECTS = 2500
"""Objects to which components are fitted at most: their products are kept in memory."""
ROLES = ("magnitude", "size", "redshift", "snr")
LOGARITHMIC = ("size", "snr")


def component_vectors(run: Run, progress: Progress = quiet) -> tuple[Array, dict[str, Array]]:
    """100 principal components of the pixels or the spectrum, for each view of a run.

    Light is put on an asinh scale in units of its noise. No object is seen through axes that were
    fitted to it or to its repeats: those of few objects fit these better than others, which would
    make every other one look ordinary. A view of several instruments has the components of the
    components of each, at equal variance.

    Args:
        run: gives the survey, its objects and what each view reads.
        progress: told how far work is.

    Returns:
        (n,) ids, and view -> (n, 100), float32; NaN where an object lacks an instrument.

    Raises:
        DataError: a fit has fewer than 200 objects.
    """
    dataset = _survey(run, progress)
    fold = assign_folds(group_keys(run.objects), FOLDS)
    unchanged = ~changed_copies(run.objects)
    reads = next(iter(run.manifest["models"].values()))["reads"]
    instruments = list(dict.fromkeys(name for view in reads.values() for name in view))
    alone = {name: _components_of(dataset, name, fold, unchanged, progress) for name in instruments}
    views = {}
    for view, given in reads.items():
        parts = [alone[name] for name in given]
        views[view] = parts[0] if len(parts) == 1 else _joined(parts, fold, unchanged)
    return dataset.ids, views


def catalogue_vectors(run: Run, progress: Progress = quiet) -> tuple[Array, dict[str, Array]]:
    """Magnitudes, colours, size, redshift and signal-to-noise, as far as the catalogue has them.

    Args:
        run: gives the catalogue.
        progress: not told: this takes no time.

    Returns:
        (n,) ids, and "catalogue" -> (n, d), float32; NaN where one of them is unknown.

    Raises:
        DataError: the catalogue has fewer than two of them.
    """
    objects = run.objects
    plays = objects.attrs.get("roles", {})
    magnitudes = [c for c in objects if str(c).lower().startswith("mag") and _number(objects[c])]
    columns = {str(name): objects[name] for name in magnitudes}
    for blue, red in pairwise(magnitudes):
        columns[f"{blue}-{red}"] = objects[blue] - objects[red]
    for role in ROLES:
        name = plays.get(role, role)
        if name in objects and name not in columns and _number(objects[name]):
            columns[str(name)] = np.log10(objects[name]) if role in LOGARITHMIC else objects[name]
    if len(columns) < 2:
        raise DataError(
            "the catalogue has no two of magnitudes (mag...), size, redshift, snr"
            f" but {', '.join(map(str, list(objects)[:8]))}"
        )
    table = pd.DataFrame(columns).to_numpy(dtype=np.float32, na_value=np.nan)
    known = np.isfinite(table).all(axis=1, keepdims=True)
    return objects["object_id"].to_numpy(), {"catalogue": np.where(known, table, np.nan)}


def write_vectors(path: Path, ids: Array, views: Mapping[str, Array]) -> None:
    """An npz file that `--embeddings` takes; it appears whole.

    Raises:
        FailedError: the disk is full or the folder cannot be written to.
    """
    body = BytesIO()
    named = {"object_id": ids if ids.dtype.kind in "iu" else ids.astype(np.str_)}
    np.savez(body, **{**named, **views})  # type: ignore[arg-type]  # numpy: any may be allow_pickle
    publish(path, body.getvalue())


def _survey(run: Run, progress: Progress) -> Dataset:
    """The survey of a run, opened as the run opened it."""
    kept = run.manifest["request"]
    request = options_request({}, {key: kept[key] for key in ("format", "run", "data", "model")})
    dataset = Session.open(progress).plan(request, steps=("embed",)).dataset
    if not np.array_equal(dataset.ids, run.objects["object_id"].to_numpy()):
        raise DataError(f"the survey has changed since run {run.name!r}: make it anew")
    return dataset


def _some(rows: Array) -> Array:
    """At most 2,500 of the rows, evenly spread over the order of ids."""
    at = np.linspace(0, len(rows) - 1, min(FIT_OBJECTS, len(rows))).astype(int)
    chosen: Array = rows[at]
    return chosen


def _axes_of(light: Array, fold: Array) -> list[tuple[Array, Array]]:
    """Of each fold the centre (d,) and axes (d, 100) fitted to the others, all in one frame."""
    fits: list[tuple[Array, Array]] = []
    for number in range(FOLDS):
        others = fold != number
        if others.sum() < 2 * N_COMPONENTS:
            raise DataError(
                f"{others.sum()} objects for a fit of {N_COMPONENTS} components, which needs"
                f" {2 * N_COMPONENTS}"
            )
        centre, axes = principal_components(light[others], N_COMPONENTS)
        if fits:
            axes = axes @ turned_to(axes, fits[0][1])
        fits.append((centre, axes))
    return fits


def _components_of(
    dataset: Dataset, instrument: str, fold: Array, unchanged: Array, progress: Progress
) -> Array:
    """(n, 100), float32: components of what one instrument observed; NaN where it did not."""
    rows = np.flatnonzero(dataset.inputs[instrument].have(len(dataset.ids)))
    sample = _some(rows[unchanged[rows]])
    light = np.concatenate([x for _, x in read_light(dataset, instrument, sample)])
    noise = noise_scale(light)
    fits = _axes_of(np.arcsinh(light / noise), fold[sample])
    del light
    found = np.full((len(dataset.ids), N_COMPONENTS), np.nan, dtype=np.float32)
    for done, (chosen, x) in enumerate(read_light(dataset, instrument, rows)):
        progress(f"components of {instrument}", done * BLOCK, len(rows))
        found[chosen] = _projected(np.arcsinh(x / noise), fold[chosen], fits)
    progress(f"components of {instrument}", len(rows), len(rows))
    return found


def _joined(parts: Sequence[Array], fold: Array, unchanged: Array) -> Array:
    """(n, 100), float32: components of several blocks side by side, at equal variance."""
    scaled = [part / np.sqrt(np.nanvar(part[unchanged], axis=0).sum()) for part in parts]
    joined = np.concatenate(scaled, axis=1)
    rows = np.flatnonzero(np.isfinite(joined).all(axis=1))
    sample = _some(rows[unchanged[rows]])
    fits = _axes_of(joined[sample], fold[sample])
    found = np.full((len(joined), N_COMPONENTS), np.nan, dtype=np.float32)
    found[rows] = _projected(joined[rows], fold[rows], fits)
    return found


def _projected(x: Array, fold: Array, fits: Sequence[tuple[Array, Array]]) -> Array:
    """Rows (m, d) through the axes of their folds: (m, 100)."""
    found = np.empty((len(x), N_COMPONENTS), dtype=np.float32)
    for number, (centre, axes) in enumerate(fits):
        inside = fold == number
        found[inside] = (x[inside] - centre) @ axes
    return found


def _number(values: pd.Series) -> bool:
    return pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values)
