"""Folders that Hugging Face's `datasets` saves (`save_to_disk`): images, spectra and catalogue."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa

from fmb import DataError, Dataset
from fmb_surveys.files.described import Description, TreeConfig, open_tree
from fmb_surveys.files.stores.arrow_files import ArrowFiles, splits_of
from fmb_surveys.files.stores.encoded_pictures import is_picture
from fmb_surveys.trees.catalog_columns import catalog_keys, refuse_missing
from fmb_surveys.trees.nested_columns import (
    PICTURE_BANDS,
    FoundInput,
    find_inputs,
    scalar_columns,
)

__all__ = ["describe", "open_arrow"]

CATALOG = "catalog.parquet"
SPLIT = "split"


def open_arrow(
    source: str,
    config: TreeConfig,
    *,
    cache: Path,
    progress: Callable[[int, int], None] | None = None,
) -> Dataset:
    """The survey in a saved dataset; arguments as for `open_tree`.

    Raises:
        FmbError: as `open_tree`.
    """
    return open_tree(source, config, describe, "arrow", cache=cache)


def describe(path: Path, config: TreeConfig) -> Description:
    """What the columns of a saved dataset tell.

    Raises:
        DataError: it is damaged, no column holds an input, or something needed is not told.
    """
    store, splits = ArrowFiles(path), splits_of(path)
    where = str(path)
    if not store.table.num_rows:
        raise DataError(f"{where}: has no rows")
    encoded = [f.name for f in store.schema if is_picture(store.schema, f.name)]
    found, lines = _chosen(find_inputs(store.schema, encoded), config)
    if not found:
        raise DataError(f"{where}: no column holds images or spectra{_names(store.schema)}")
    for one in found:
        _complete(one, store, path)
    refuse_missing(found, where, config.inputs)
    table = _catalog_table(store, splits)
    catalog, taken = catalog_keys(table.column_names, where, config.catalog)
    if SPLIT in table.column_names and "" not in splits:
        catalog["roles"] = {"split": SPLIT}
        lines.append(f"{SPLIT}: {', '.join(splits)}, by the folders of dataset_dict.json")
    place = {"file": where, "format": "arrow", "same_order": True}
    survey = {
        "name": path.name.split(".")[0],
        "catalog": {"file": CATALOG, **catalog},
        "inputs": {one.name: {**place, **one.keys} for one in found},
    }
    told = [*taken, *lines, *(f"{one.name}: {line}" for one in found for line in one.taken)]
    return Description(survey=survey, tables={CATALOG: table}, taken=tuple(told))


def _names(schema: pa.Schema) -> str:
    return f" among {', '.join(schema.names[:8])}"


def _chosen(found: Sequence[FoundInput], config: TreeConfig) -> tuple[list[FoundInput], list[str]]:
    """The inputs to read: pictures beside images with a flux only where the user says their scale.

    They show the same sky, and nothing in a dataset says how large their pixels are.
    """
    has_flux = any(one.keys["kind"] == "images" and not one.picture for one in found)
    left = [
        one
        for one in found
        if one.picture and has_flux and "pixel_scale_arcsec" not in config.inputs.get(one.name, {})
    ]
    lines = [
        f"{one.name}: {one.column} is not read beside images with a flux, unless"
        f" data.inputs.{one.name}.pixel_scale_arcsec is given"
        for one in left
    ]
    return [one for one in found if one not in left], lines


def _complete(found: FoundInput, store: ArrowFiles, path: Path) -> None:
    """Add what the rows tell: how long spectra are, and which rows have the input."""
    flux = found.keys["flux"]
    names = [flux] if isinstance(flux, str) else flux
    if not all(store.column(name).all() for name in names):
        found.keys["present"] = flux
    if found.keys["kind"] == "spectra":
        found.keys["pixels"] = store.shape(names[0])[1]
        found.taken.append(f"pixels: {found.keys['pixels']}, by the longest row of {names[0]}")
    if found.picture:
        bands = store.shape(names[0])[1]
        found.keys["bands"] = list(PICTURE_BANDS) if bands == len(PICTURE_BANDS) else ["grey"]
        found.taken.append(f"bands: {', '.join(found.keys['bands'])}, by the first picture")
    if "band_names" in found.keys:
        first = np.flatnonzero(store.column(found.keys["band_names"]))[:1]
        size = store.shape(names[0])[1]
        words = store.texts(found.keys["band_names"], first, size)
        found.keys["bands"] = [word for word in words[0].tolist() if word is not None]
        found.taken.append(f"bands: {', '.join(found.keys['bands'])}, by the first row")


def _catalog_table(store: ArrowFiles, splits: dict[str, list[Path]]) -> pa.Table:
    """Columns of values, those in records under the names of both, and the split of each row."""
    schema = store.schema
    columns = {name: store.table[name] for name in scalar_columns(schema)}
    for column in schema:
        if column.name in columns or is_picture(schema, column.name):
            continue
        if pa.types.is_struct(column.type):
            for at, field in enumerate(column.type):
                if not pa.types.is_nested(field.type):
                    name = f"{column.name.removesuffix('_data')}_{field.name}"
                    chunks = [chunk.flatten()[at] for chunk in store.table[column.name].chunks]
                    columns[name] = pa.chunked_array(chunks, field.type)
    if "" not in splits and SPLIT not in columns:
        counts = [ArrowFiles(store.path / name).table.num_rows for name in splits]
        columns[SPLIT] = pa.array(np.repeat(np.array(list(splits), dtype=object), counts).tolist())
    return pa.table(columns)
