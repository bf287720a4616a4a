"""SDSS spectra as they are shipped: spec-PLATE-MJD-FIBER.fits, one file an object."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from fmb import DataError, Dataset
from fmb_surveys.files.described import Description, TreeConfig, open_tree
from fmb_surveys.files.stores.object_fits import ObjectFITS, open_object
from fmb_surveys.files.stores.places import visible
from fmb_surveys.trees.beside import told_beside
from fmb_surveys.trees.found import (
    agreed,
    agreed_unit,
    files_below,
    looked_at,
    one_column,
    readable_unit,
    whole_ids,
)

__all__ = ["SdssConfig", "describe", "is_sdss", "open_sdss", "told_of_spectrum"]

INPUT = "sdss"
_NAMES = ("spec-*.fits", "spec-*.fits.gz")
_ARRAYS = ("flux", "ivar", "loglam", "and_mask")
_COLUMNS = {
    "plate": ("PLATE",),
    "mjd": ("MJD",),
    "fiberid": ("FIBERID",),
    "ra": ("PLUG_RA", "FIBER_RA", "RA"),
    "dec": ("PLUG_DEC", "FIBER_DEC", "DEC"),
    "z": ("Z",),
    "z_err": ("Z_ERR",),
    "zwarning": ("ZWARNING",),
    "class": ("CLASS",),
    "subclass": ("SUBCLASS",),
    "sn_median": ("SN_MEDIAN_ALL",),
    "specobjid": ("SPECOBJID",),
    "bestobjid": ("BESTOBJID",),
}
"""Column of the catalogue -> what extension 2 calls it, which differs between releases."""
_KEYS = {"plate": "PLATEID", "mjd": "MJD", "fiberid": "FIBERID", "specobjid": "SPEC_ID"}
"""Column -> the key of the first header that tells it where extension 2 does not."""


class SdssConfig(TreeConfig):
    """What a user says of a folder of SDSS spectra."""

    bad_bits: tuple[int, ...] = (23,)
    """Bits of and_mask that make a pixel bad: BRIGHTSKY. Where ivar is 0 it is bad anyway."""
    ids: Literal["", "specobjid", "plate-mjd-fiberid"] = ""
    """What objects are called; "" = by SPECOBJID where all files have one."""


@dataclass(frozen=True)
class _Found:
    """What one file says."""

    unit: str
    vacuum: str
    pixels: int
    has_wdisp: bool
    row: Mapping[str, Any]


def is_sdss(path: Path) -> bool:
    """Whether a path is a spec-*.fits, or a folder that has some."""
    if path.is_dir():
        return any(visible(path, *(place + name for name in _NAMES for place in ("", "*/"))))
    return path.name.startswith("spec-")


def open_sdss(
    source: str,
    config: SdssConfig,
    *,
    cache: Path,
    progress: Callable[[int, int], None] | None = None,
) -> Dataset:
    """The spectra of a folder of spec-*.fits, or of one such file.

    Args:
        source: path.
        config: what the user says of them.
        cache: folder of the workspace; the description is kept there.
        progress: called with the files looked at and their number.

    Raises:
        DataError: a file is damaged, of another kind, or contradicts another.
    """

    def described(path: Path, said: SdssConfig) -> Description:
        return describe(path, said, progress)

    return open_tree(source, config, described, INPUT, cache=cache)


def describe(
    path: Path, config: SdssConfig, progress: Callable[[int, int], None] | None = None
) -> Description:
    """What the files of a tree say of themselves; each is looked at once.

    Raises:
        DataError: as `open_sdss`.
    """
    import pyarrow as pa

    paths = files_below(path, *_NAMES)
    found, left_out = looked_at(paths, _look_at, config.skip_bad, progress)
    ids, told = _ids(found, config)
    columns = {
        name: one_column([f.row.get(name) for f in found.values()], name) for name in _COLUMNS
    }
    kept = {name: values for name, values in columns.items() if values is not None}
    spectra, told_of_spectra = _spectra(found, config)
    tables = {
        "catalog.parquet": pa.table({"object_id": ids, **kept}),
        "rows.parquet": pa.table({"object_id": ids, INPUT: [str(file) for file in found]}),
    }
    told.append(f"{', '.join(kept)}: of the row in extension 2, else of the first header")
    survey = {"catalog": _catalog(kept), "inputs": {INPUT: spectra}}
    taken = (*told, *told_of_spectra)
    beside = told_beside(path, paths, config.catalog)
    return Description(survey=survey, tables=tables, taken=taken, left_out=(*left_out, *beside))


def _look_at(path: Path) -> _Found:
    with open_object(path) as file:
        return _said_by(file, path)


def _said_by(file: ObjectFITS, path: Path) -> _Found:
    known = {name.lower() for name in file.columns(1)}
    lacking = [name for name in _ARRAYS if name not in known]
    if lacking:
        raise DataError(
            f"{path}: extension 1 has no column {', '.join(lacking)}: not a spectrum as SDSS ships"
            " it since DR9 (spec-PLATE-MJD-FIBER.fits)"
        )
    pixels = file.shape("1/flux")[0]
    if not pixels:
        raise DataError(f"{path}: extension 1 is empty")
    header = file.header(0)
    columns = {name.upper(): values for name, values in file.columns(2).items()}
    row = {}
    for column, called in _COLUMNS.items():
        name = next((name for name in called if name in columns), "")
        value = columns[name].values()[0] if name else header.get(_KEYS.get(column, ""))
        row[column] = value.strip() if isinstance(value, str) else value
    return _Found(
        unit=str(header.get("BUNIT", "")),
        vacuum="" if "VACUUM" not in header else "vacuum" if header["VACUUM"] else "air",
        pixels=pixels,
        has_wdisp="wdisp" in known,
        row=row,
    )


def _ids(found: Mapping[Path, _Found], config: SdssConfig) -> tuple[Sequence[Any], list[str]]:
    rows = [one.row for one in found.values()]
    named = [str(row["specobjid"] or "") for row in rows]
    if config.ids == "specobjid" or (not config.ids and all(n.strip("0") for n in named)):
        lacking = next((path for path, n in zip(found, named, strict=True) if not n), None)
        if lacking:
            raise DataError(f"{lacking}: has no SPECOBJID; --set data.ids=plate-mjd-fiberid")
        for path, row in zip(found, rows, strict=True):
            if np.asarray(row["specobjid"]).dtype.kind == "f":
                raise DataError(
                    f"{path}: SPECOBJID: ids are floats, which lose digits; call objects otherwise:"
                    " --set data.ids=plate-mjd-fiberid"
                )
        ids, told = whole_ids(named), "object_id: SPECOBJID"
    else:
        parts = ("plate", "mjd", "fiberid")
        for path, row in zip(found, rows, strict=True):
            if any(row[part] is None for part in parts):
                raise DataError(f"{path}: tells no PLATE, MJD and FIBERID to call the object by")
        ids = ["-".join(str(int(row[part])) for part in parts) for row in rows]
        told = "object_id: PLATE-MJD-FIBERID"
    name, times = Counter(ids).most_common(1)[0]
    if times > 1:
        both = [str(path) for path, one in zip(found, ids, strict=True) if one == name][:2]
        raise DataError(f"{name} is in {' and '.join(both)}: remove the files that repeat others")
    return ids, [told]


def _catalog(columns: Mapping[str, Any]) -> dict[str, Any]:
    played = {"ra": "ra", "dec": "dec", "redshift": "z", "label": "class"}
    return {
        "file": "catalog.parquet",
        "id": "object_id",
        "columns": "all",
        "units": {name: "deg" for name in ("ra", "dec") if name in columns},
        "roles": {"snr": "sn_median"} if "sn_median" in columns else {},
        **{role: name for role, name in played.items() if name in columns},
    }


def _spectra(found: Mapping[Path, _Found], config: SdssConfig) -> tuple[dict[str, Any], list[str]]:
    said = config.inputs.get(INPUT, {})
    units = {path: one.unit for path, one in found.items()}
    unit = agreed_unit("flux", units, said.get("unit"), f"data.inputs.{INPUT}.unit")
    key = f"data.inputs.{INPUT}.air"
    medium = agreed("the medium of wavelengths", {p: f.vacuum for p, f in found.items()}, key)
    lengths = sorted({one.pixels for one in found.values()})
    widths = all(one.has_wdisp for one in found.values())
    made, lines = _keys(unit, medium, widths, config.bad_bits)
    if len(lengths) > 1:
        made["pixels"] = lengths[-1]
    lines.append(f"{len(found)} files of {lengths[0]} to {lengths[-1]} pixels")
    return {"files": "rows.parquet", **made}, lines


def _keys(
    unit: str, medium: str, has_wdisp: bool, bad_bits: Sequence[int]
) -> tuple[dict[str, Any], list[str]]:
    """Keys of `[inputs.NAME]` that spectra of SDSS have, and a line on where each is from."""
    made: dict[str, Any] = {
        "kind": "spectra",
        "flux": "1/flux",
        "ivar": "1/ivar",
        "loglam": "1/loglam",
        "unit": unit,
    }
    if bad_bits:
        made |= {"mask": "1/and_mask", "mask_bits": list(bad_bits)}
    if medium == "air":
        made["air"] = True
    if has_wdisp:
        made |= {"lsf": "1/wdisp", "lsf_unit": "pixel"}
    bits = ", ".join(map(str, bad_bits)) or "none"
    return made, [
        f"flux: column flux of extension 1, in {unit or 'a unit not told'} by BUNIT of the first"
        " header",
        f"wavelength: 10^loglam Angstrom in {medium or 'vacuum'}, by "
        + ("VACUUM of the first header" if medium else "the documentation of SDSS"),
        f"bad pixels: ivar 0, and these bits of and_mask: {bits}",
    ]


def told_of_spectrum(file: ObjectFITS, path: Path) -> tuple[dict[str, Any], list[str]] | None:
    """What one file says of its spectrum, whatever it is called; None where SDSS made no such file.

    Args:
        file: open.
        path: of it, for messages.

    Returns:
        Keys of `[inputs.NAME]`, without `unit` where no header tells one, and lines for people.
    """
    if not set(_ARRAYS) <= {name.lower() for name in file.columns(1)}:
        return None
    one = _said_by(file, path)
    made, lines = _keys(readable_unit(one.unit), one.vacuum, one.has_wdisp, SdssConfig().bad_bits)
    return {key: value for key, value in made.items() if value}, lines
