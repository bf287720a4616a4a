"""DESI spectra as they are shipped: coadd-*.fits, each with the redrock-*.fits beside it."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from fmb import Array, DataError, Dataset
from fmb_surveys.files.described import Description, TreeConfig, open_tree
from fmb_surveys.files.stores.desi_coadd import CoaddFile
from fmb_surveys.files.stores.object_fits import fits_errors, open_fits
from fmb_surveys.files.stores.origins import state_of
from fmb_surveys.files.stores.places import visible
from fmb_surveys.trees.columns import agreed_units, arrow_table, matched, put_together, units_of
from fmb_surveys.trees.found import agreed_unit, files_below

__all__ = ["DesiConfig", "describe", "is_desi", "open_desi"]

INPUT = "desi"
_NAMES = ("coadd-*.fits", "coadd-*.fits.gz")
_FIBERMAP = (
    "TARGETID", "TARGET_RA", "TARGET_DEC", "EBV", "MORPHTYPE", "PHOTSYS", "TILEID",
    "FLUX_G", "FLUX_R", "FLUX_Z", "FLUX_W1", "FLUX_W2",
    "FLUX_IVAR_G", "FLUX_IVAR_R", "FLUX_IVAR_Z", "FIBERFLUX_R",
    "COADD_EXPTIME", "COADD_NUMEXP", "DESI_TARGET", "BGS_TARGET", "MWS_TARGET",
)  # fmt: skip
_CHOOSING: dict[str, tuple[str, str, Callable[[Array], Array]]] = {
    "OBJTYPE": ("targets_only", "no target", lambda kind: kind == "TGT"),
    "COADD_FIBERSTATUS": ("good_fibers_only", "a bad fibre", lambda bits: bits == 0),
    "ZCAT_PRIMARY": ("primary_only", "not primary", lambda primary: primary.astype(bool)),
}
"""Column -> option that chooses by it, what it means that a row is left out, which are not."""
_SCORES = ("MEDIAN_COADD_SNR_B", "MEDIAN_COADD_SNR_R", "MEDIAN_COADD_SNR_Z")
_REDSHIFTS = ("Z", "ZERR", "ZWARN", "SPECTYPE", "SUBTYPE", "DELTACHI2")


class DesiConfig(TreeConfig):
    """What a user says of a folder of DESI spectra."""

    targets_only: bool = True
    """Leave out rows whose OBJTYPE is not TGT: sky, fibres without a target."""
    good_fibers_only: bool = True
    """Leave out rows whose COADD_FIBERSTATUS is not 0."""
    primary_only: bool = True
    """Leave out rows whose ZCAT_PRIMARY is false, where a file has that column."""
    repeats: Literal["refuse", "longest"] = "refuse"
    """What is done with a TARGETID in several rows: named, or the longest COADD_EXPTIME kept."""


def is_desi(path: Path) -> bool:
    """Whether a path is a coadd-*.fits, or a folder that has some."""
    if path.is_dir():
        return any(visible(path, *(place + name for name in _NAMES for place in ("", "*/"))))
    return path.name.startswith("coadd-")


def open_desi(
    source: str,
    config: DesiConfig,
    *,
    cache: Path,
    progress: Callable[[int, int], None] | None = None,
) -> Dataset:
    """The spectra of a folder of coadd-*.fits, or of one such file.

    Args:
        source: path.
        config: what the user says of them.
        cache: folder of the workspace; the description is kept there.
        progress: called with the files looked at and their number.

    Raises:
        DataError: a file is damaged, of another kind, or contradicts another; an object repeats.
    """

    def described(path: Path, said: DesiConfig) -> Description:
        return describe(path, said, progress)

    return open_tree(source, config, described, INPUT, cache=cache)


@dataclass(frozen=True, eq=False)
class _Found:
    """What one coadd and its redrock say."""

    rows: Array
    """(m,), those that are taken."""
    columns: Mapping[str, Array]
    """Column -> (m,)."""
    units: Mapping[str, str]
    coadd: CoaddFile
    left_out: Mapping[str, int]
    redrock: bool


def describe(
    path: Path, config: DesiConfig, progress: Callable[[int, int], None] | None = None
) -> Description:
    """What the files of a tree say of themselves; each is looked at once.

    Raises:
        DataError: as `open_desi`.
    """
    paths = files_below(path, *_NAMES)
    found: dict[Path, _Found] = {}
    for number, file in enumerate(paths):
        found[file] = _look_at(file, config)
        if progress:
            progress(number + 1, len(paths))
    columns = put_together([one.columns for one in found.values()])
    columns["file"] = np.array([str(p) for p, f in found.items() for _ in f.rows], dtype=object)
    columns["row"] = np.concatenate([one.rows for one in found.values()])
    if not len(columns["row"]):
        raise DataError(f"{path}: no row is left: {'; '.join(_told_rows(found, 0))}")
    kept, repeated = _without_repeats(columns, config)
    taken = {name: values[kept] for name, values in columns.items()}
    spectra, told = _spectra(found, config)
    told = [
        "object_id: TARGETID of FIBERMAP",
        "catalogue: columns of FIBERMAP and SCORES, and of REDSHIFTS of redrock-*, by TARGETID",
        *told,
        *_told_rows(found, repeated),
    ]
    # What changes when a file does: the table alone would stay the same.
    states = "\n".join(state_of(file) for file in paths)
    return Description(
        survey={"catalog": _catalog(taken, found), "inputs": {INPUT: spectra}},
        tables={"catalog.parquet": arrow_table(taken, files=states)},
        taken=tuple(told),
    )


def _told_rows(found: Mapping[Path, _Found], repeated: int) -> list[str]:
    """How many rows there are, and why others are left out."""
    whys = dict.fromkeys(why for one in found.values() for why in one.left_out)
    counts = {why: sum(one.left_out.get(why, 0) for one in found.values()) for why in whys}
    without = sum(not one.redrock for one in found.values())
    return [
        f"{sum(one.coadd.rows for one in found.values())} rows of {len(found)} files",
        *(f"{count} rows left out: {why}" for why, count in counts.items() if count),
        *([f"{repeated} rows left out: a longer COADD_EXPTIME of their TARGETID"] * bool(repeated)),
        *([f"{without} files have no redrock-*: their objects no redshift"] * bool(without)),
    ]


def _look_at(path: Path, config: DesiConfig) -> _Found:
    coadd = CoaddFile(path)
    with fits_errors(path):
        fibermap, scores = coadd.file.columns("FIBERMAP"), coadd.file.columns("SCORES")
        if "TARGETID" not in fibermap:
            raise DataError(f"{path}: has no FIBERMAP with TARGETID: not a coadd of DESI")
        for what, table in (("FIBERMAP", fibermap), ("SCORES", scores)):
            if table and next(iter(table.values())).shape[0] != coadd.rows:
                raise DataError(f"{path}: {what} has not the {coadd.rows} rows of the spectra")
        has = {name: fibermap[name] for name in _FIBERMAP if name in fibermap}
        has |= {name: scores[name] for name in _SCORES if name in scores}
        columns = {name: column.values() for name, column in has.items()}
        chosen = {name: fibermap[name].values() for name in _CHOOSING if name in fibermap}
    redshifts, units, primary = _redshifts(path, columns["TARGETID"])
    if primary is not None:
        chosen.setdefault("ZCAT_PRIMARY", primary)
    keep, left_out = _kept(chosen, coadd.rows, config)
    rows = np.flatnonzero(keep)
    values = {name: column[rows] for name, column in {**columns, **redshifts}.items()}
    return _Found(rows, values, {**units_of(has), **units}, coadd, left_out, bool(redshifts))


def _kept(chosen: Mapping[str, Array], n: int, config: DesiConfig) -> tuple[Array, dict[str, int]]:
    """(n,) which rows are taken, and how many are not, by reason."""
    keep, left_out = np.ones(n, dtype=bool), {}
    for name, (option, why, is_good) in _CHOOSING.items():
        if name in chosen and getattr(config, option):
            good = is_good(chosen[name])
            left_out[f"{why} ({name})"] = int((keep & ~good).sum())
            keep &= good
    return keep, left_out


def _redshifts(
    coadd: Path, targets: Array
) -> tuple[dict[str, Array], dict[str, str], Array | None]:
    """Columns of the redrock file for those targets, their units, and which are primary."""
    names = [coadd.name.replace("coadd-", "redrock-", 1)]
    names.append(names[0].removesuffix(".gz") if names[0].endswith(".gz") else f"{names[0]}.gz")
    path = next((coadd.with_name(name) for name in names if coadd.with_name(name).exists()), None)
    if path is None:
        return {}, {}, None
    with fits_errors(path):
        file = open_fits(path)
        table = file.columns("REDSHIFTS") or file.columns("ZBEST")
        if "TARGETID" not in table or "Z" not in table:
            raise DataError(f"{path}: has no REDSHIFTS with TARGETID and Z: not a redrock file")
        wanted = {name: table[name] for name in (*_REDSHIFTS, "ZCAT_PRIMARY") if name in table}
        stored = {name: column.values() for name, column in wanted.items()}
        found = matched(stored, table["TARGETID"].values(), targets, f"{path}: TARGETID")
    primary = found.pop("ZCAT_PRIMARY", None)
    units = units_of(wanted)
    return found, units, None if primary is None else np.asarray(np.ma.filled(primary, False), bool)


def _without_repeats(columns: Mapping[str, Array], config: DesiConfig) -> tuple[Array, int]:
    """Rows of one of each TARGETID, in order, and how many were left out."""
    targets = columns["TARGETID"].tolist()
    times = Counter(targets)
    if len(times) == len(targets):
        return np.arange(len(targets)), 0
    if config.repeats == "refuse":
        name = next(target for target in targets if times[target] > 1)
        where = [i for i, target in enumerate(targets) if target == name][:2]
        places = " and ".join(f"row {columns['row'][i]} of {columns['file'][i]}" for i in where)
        more = sum(count > 1 for count in times.values()) - 1
        raise DataError(
            f"TARGETID {name} is in {places}{f', {more} others repeat too' if more else ''}: read"
            " one survey and program, or keep the longest with --set data.repeats=longest"
        )
    if "COADD_EXPTIME" not in columns:
        raise DataError("no file has COADD_EXPTIME: the longest of repeats cannot be told")
    longest = np.ma.filled(columns["COADD_EXPTIME"].astype(np.float64), -1.0)
    order = np.lexsort((np.arange(len(targets)), -longest))
    first: dict[int, int] = {}
    for row in order.tolist():
        first.setdefault(targets[row], row)
    kept = np.sort(np.fromiter(first.values(), np.int64))
    return kept, len(targets) - len(kept)


def _spectra(found: Mapping[Path, _Found], config: DesiConfig) -> tuple[dict[str, Any], list[str]]:
    said = config.inputs.get(INPUT, {})
    told = {path: one.coadd.unit("flux") for path, one in found.items()}
    unit = agreed_unit("flux", told, said.get("unit"), f"data.inputs.{INPUT}.unit")
    first = next(iter(found.values())).coadd
    for one in found.values():
        if not np.array_equal(one.coadd.grid.wavelength_aa, first.grid.wavelength_aa):
            raise DataError(f"{one.coadd.path}: has other wavelengths than {first.path}")
    made = {
        "kind": "spectra",
        "file": "catalog.parquet",
        "format": "desi",
        "same_order": True,
        "flux": "flux",
        "ivar": "ivar",
        "mask": "mask",
        "complete_mask": True,
        "wavelength": "wavelength",
        "unit": unit,
    }
    return made, [
        f"flux: arms {', '.join(first.arms)} merged by inverse variance on the grid they share, in"
        f" {unit} by BUNIT",
        "wavelength: Angstrom in vacuum, as DESI documents",
        "bad pixels: ivar 0, or mask not 0, in all arms that have the pixel",
    ]


def _catalog(columns: Mapping[str, Array], found: Mapping[Path, _Found]) -> dict[str, Any]:
    played = {"ra": "TARGET_RA", "dec": "TARGET_DEC", "redshift": "Z", "label": "SPECTYPE"}
    units = agreed_units({path: one.units for path, one in found.items()})
    called = {column: name for name, column in played.items()}
    roles = {"ebv": "EBV", "snr": "MEDIAN_COADD_SNR_R"}
    return {
        "file": "catalog.parquet",
        "id": "TARGETID",
        "columns": [n for n in columns if n not in ("TARGETID", "file", "row", *played.values())],
        "units": {
            called.get(n, n): u for n, u in units.items() if n in columns and n != "TARGETID"
        },
        "roles": {role: name for role, name in roles.items() if name in columns},
        **{role: name for role, name in played.items() if name in columns},
    }
