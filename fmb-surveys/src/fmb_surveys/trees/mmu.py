"""HDF5 trees of the Multimodal Universe: images or spectra in a folder for each part of the sky."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from fmb import Array, ConfigError, DataError, Dataset
from fmb.files import as_ids, find_dataset, open_file, refuse_duplicates, undamaged, whole
from fmb_surveys.files.described import Description, TreeConfig, open_tree
from fmb_surveys.files.stores.partitioned_hdf5 import partitions
from fmb_surveys.files.stores.places import visible
from fmb_surveys.trees.mmu_inputs import images, spectra
from fmb_surveys.trees.mmu_parts import kinds_of, part_table, refuse_unlike, sound_parts

__all__ = ["MMUConfig", "describe", "open_mmu"]

_CATALOG, _PARTS, _ID = "catalog.parquet", "parts.parquet", "object_id"
_POSITIONS = {"ra": ("ra", "RA"), "dec": ("dec", "DEC")}
_INPUTS = ("image_", "spectrum_")
_UNITS = {
    **{f"FLUX_{band}": "nmgy" for band in ("G", "R", "I", "Z", "W1", "W2", "W3", "W4")},
    **{f"FIBER{kind}_{band}": "nmgy" for kind in ("FLUX", "TOTFLUX") for band in "GRZ"},
    "EBV": "mag",
    "SHAPE_R": "arcsec",
    "VDISP": "km / s",
}
"""Of columns, as the collection documents them."""
_ROLES = {"ebv": "EBV", "size": "SHAPE_R"}


class MMUConfig(TreeConfig):
    """What a user says of a tree that it does not say itself."""


def open_mmu(
    source: str,
    config: MMUConfig,
    *,
    cache: Path,
    progress: Callable[[int, int], None] | None = None,
) -> Dataset:
    """The survey in one configuration of the collection, as `dr10_south_21` or `boss`.

    Args:
        source: the configuration's folder, or the one above it where it is the only one.
        config: what the user says of it.
        cache: folder of the workspace.
        progress: not used.

    Raises:
        ConfigError: there are several configurations, or a unit is not known and was not said.
        DataError: a file is damaged or lacks what another has; ids repeat.
    """
    return open_tree(source, config, describe, "mmu-hdf5", cache=cache)


def describe(path: Path, config: MMUConfig) -> Description:
    """What the tree holds: its catalogue and its images, spectra or both.

    Raises:
        FmbError: as `open_mmu`.
    """
    folder = _configuration(path)
    files, broken = partitions(folder), tuple[str, ...]()
    if config.skip_bad:
        files, broken = sound_parts(files)
    columns, left_out = _columns(files)
    ids = as_ids(columns[_ID], f"{folder}: {_ID!r}")
    refuse_duplicates(ids, f"{folder}: {_ID!r}")
    inputs: dict[str, dict[str, Any]] = {}
    lines = [f"ids: {_ID!r} of {len(files)} files, {len(ids)} objects"]
    for found in (images(files, config.inputs), spectra(files, config.inputs)):
        if found is not None:
            name, keys, told = found
            where = _PARTS if broken else str(folder)
            inputs[name] = {"file": where, "format": "mmu-hdf5", "same_order": True, **keys}
            lines += told
    if not inputs:
        raise DataError(f"{files[0]}: holds neither 'image_array' nor 'spectrum_flux'")
    if left_out:
        lines.append(f"columns left out of the catalogue, several values each: {left_out}")
    survey = {"name": folder.name, "catalog": _catalog(columns), "inputs": inputs}
    import pyarrow as pa

    table = pa.table({**{name: pa.array(v) for name, v in columns.items()}, _ID: pa.array(ids)})
    tables = {_CATALOG: table, **({_PARTS: part_table(files)} if broken else {})}
    return Description(survey=survey, tables=tables, taken=tuple(lines), left_out=broken)


def _configuration(path: Path) -> Path:
    if any(visible(path, "healpix=*")):
        return path
    below = sorted({found.parent for found in visible(path, "*/healpix=*")})
    if len(below) > 1:
        names = ", ".join(found.name for found in below)
        raise ConfigError(f"{path}: holds {names}; give one of them, as {below[0]}")
    if not below:
        raise DataError(f"{path}: holds no folders healpix=NUMBER")
    return below[0]


def _columns(files: Sequence[Path]) -> tuple[dict[str, Array], str]:
    """Columns of one value an object, of all files in their order, and the names of the others."""
    parts: dict[str, list[Array]] = {}
    several: list[str] = []
    for path in files:
        with open_file(path) as file:
            ids = find_dataset(file, _ID)
            if ids.dtype.kind == "f":
                raise DataError(
                    f"{path}: {_ID!r}: ids are floats, which lose digits; store integers or text"
                )
            n = len(ids)
            kinds = kinds_of(file, n)
            names = [name for name in kinds if not name.startswith(_INPUTS)]
            if path == files[0]:
                of_first = kinds
                single = [name for name in names if find_dataset(file, name).shape == (n,)]
                several = [name for name in names if name not in single]
                parts = {name: [] for name in single}
            refuse_unlike(path, kinds, files[0], of_first)
            for name, found in parts.items():
                found.append(_values(file, name, n))
    return {name: np.concatenate(found) for name, found in parts.items()}, ", ".join(several)


def _values(file: h5py.File, name: str, n: int) -> Array:
    """(n,): numbers, or text without the blanks that fill it up."""
    found = whole(find_dataset(file, name))
    where = f"{file.filename}: {name!r}"
    if found.shape != (n,):
        raise DataError(f"{where} has shape {found.shape} for {n} objects")
    if found.dtype.kind not in "SO":
        return found
    with undamaged(where):
        texts = [t.decode() if isinstance(t, bytes) else str(t) for t in found.tolist()]
    return np.array([text.strip(" \0") for text in texts], dtype=np.str_)


def _catalog(columns: Mapping[str, Array]) -> dict[str, Any]:
    positions = {
        key: next((name for name in names if name in columns), None)
        for key, names in _POSITIONS.items()
    }
    return {
        "file": _CATALOG,
        "id": _ID,
        **{key: name for key, name in positions.items() if name},
        **({"redshift": "Z"} if "Z" in columns else {}),
        "columns": "all",
        "units": {name: unit for name, unit in _UNITS.items() if name in columns},
        "roles": {role: name for role, name in _ROLES.items() if name in columns},
    }
