"""Parquet files whose nested columns hold spectra and images, one or a folder of them."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from fmb import DataError, Dataset
from fmb_surveys.files.described import Description, TreeConfig, open_tree
from fmb_surveys.files.stores.parquet_index import RowGroups, index_table, row_groups
from fmb_surveys.files.stores.parquet_tree import ParquetTree
from fmb_surveys.files.stores.store import PARTITIONS
from fmb_surveys.files.survey_toml import is_survey
from fmb_surveys.trees.catalog_columns import catalog_keys, refuse_missing
from fmb_surveys.trees.nested_columns import FoundInput, find_inputs, scalar_columns

__all__ = ["Told", "describe", "describe_row_groups", "is_parquet", "open_parquet"]


@dataclass(frozen=True)
class Told:
    """What is known of a tree besides its columns."""

    name: str = ""
    catalog: Mapping[str, str] = field(default_factory=dict)
    """Keys of `[catalog]`."""
    hidden: Collection[str] = ()
    """Columns that belong to no object."""
    lines: tuple[str, ...] = ()
    """What was taken from where."""


def is_parquet(path: Path) -> bool:
    """Whether a file or folder is Parquet and nothing that describes itself otherwise."""
    from fmb_surveys.trees.hats import is_hats

    return not is_survey(path) and not is_hats(path)


def open_parquet(
    source: str,
    config: TreeConfig,
    *,
    cache: Path,
    progress: Callable[[int, int], None] | None = None,
) -> Dataset:
    """The survey in a Parquet file or a folder of them; arguments as for `open_tree`.

    Raises:
        FmbError: as `open_tree`.
    """
    return open_tree(source, config, describe, "parquet", cache=cache)


def describe(path: Path, config: TreeConfig) -> Description:
    """What the footers and the schema of Parquet files tell of them.

    Raises:
        DataError: a file is damaged, no column holds an input, or something needed is not told.
    """
    return describe_row_groups(row_groups(path), config, Told())


def describe_row_groups(groups: RowGroups, config: TreeConfig, told: Told) -> Description:
    """What row groups and their schema tell; no pixels are read where the footers tell enough.

    Raises:
        DataError: as `describe`.
    """
    found = find_inputs(groups.schema)
    if not found:
        raise DataError(
            f"{groups.where}: no column holds images or spectra, as a struct with flux and lambda"
            " or with flux and band; a table of vectors goes to --embeddings"
        )
    if not groups.starts[-1]:
        raise DataError(f"{groups.where}: has no rows")
    store = ParquetTree(Path(groups.where))
    store.groups = groups
    for one in found:
        _complete(one, store, config.inputs.get(one.name, {}))
    refuse_missing(found, groups.where, config.inputs)
    columns = scalar_columns(groups.schema)
    catalog, lines = catalog_keys(
        columns, groups.where, config.catalog, told=told.catalog, hidden=told.hidden
    )
    place = {"file": PARTITIONS, "format": "parquet"}
    survey = {
        "name": told.name or Path(groups.where).name.split(".")[0],
        "catalog": {"file": PARTITIONS, **catalog},
        "inputs": {one.name: {**place, **one.keys} for one in found},
    }
    taken = [*told.lines, *lines, *(f"{one.name}: {line}" for one in found for line in one.taken)]
    return Description(survey=survey, tables={PARTITIONS: index_table(groups)}, taken=tuple(taken))


def _complete(found: FoundInput, store: ParquetTree, said: Mapping[str, Any]) -> None:
    """Add what the numbers tell: length, bands, scale, and which rows have the input."""
    flux = found.keys["flux"]
    names = [flux] if isinstance(flux, str) else flux
    nulls = [store.groups.told(name, "nulls") for name in names]
    if any(one is None or one.any() for one in nulls):
        found.keys["present"] = flux
    if found.keys["kind"] == "spectra" and "pixels" not in said:
        exact = store.groups.length(names[0])
        found.keys["pixels"] = exact or store.longest(names[0])
        by = "footers" if exact else "the longest row"
        found.taken.append(f"pixels: {found.keys['pixels']}, by {by} of {names[0]}")
    if "band_names" in found.keys:
        _take_bands(found, store, said)
    if found.scale:
        _take_scale(found, store, said)


def _take_bands(found: FoundInput, store: ParquetTree, said: Mapping[str, Any]) -> None:
    name = found.keys["band_names"]
    if "bands" in said:
        return
    size = store.groups.length(name) or store.longest(name)
    first = store.texts(name, np.arange(1), size)[0]
    found.keys["bands"] = [band for band in first.tolist() if band is not None]
    found.taken.append(f"bands: {', '.join(found.keys['bands'])}, by {name} of the first row")


def _take_scale(found: FoundInput, store: ParquetTree, said: Mapping[str, Any]) -> None:
    """Take the pixel scale, as the shortest number that the type of the file has for it.

    Raises:
        DataError: the rows have several, or the user says another.
    """
    ends = store.extremes(found.scale)
    if ends is None:
        return
    low, high = (float(str(np.asarray(end).astype(store.kind(found.scale)))) for end in ends)
    if low != high:
        raise DataError(
            f"{store.place(found.scale)}: pixels of {low:g} to {high:g} arcsec; images of one input"
            " have one scale"
        )
    given = said.get("pixel_scale_arcsec")
    if given is not None and abs(float(given) - low) > 1e-3 * low:
        raise DataError(
            f"{store.place(found.scale)} is {low:g} arcsec by what the file says,"
            f" {float(given):g} by pixel_scale_arcsec; correct the one that is wrong"
        )
    if given is None:
        found.keys["pixel_scale_arcsec"] = low
        found.taken.append(f"pixel_scale_arcsec: {low:g}, by {found.scale}")
