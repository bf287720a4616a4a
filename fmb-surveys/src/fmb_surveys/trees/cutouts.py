"""Folders of FITS cutouts: one file an object, or one a band of it."""

import os
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from fmb import ConfigError, DataError, Dataset
from fmb.files import read_table
from fmb_surveys.files.described import Description, TreeConfig, open_tree
from fmb_surveys.files.stores.places import visible
from fmb_surveys.files.survey_toml import is_survey
from fmb_surveys.trees.beside import told_beside
from fmb_surveys.trees.cutout_files import CutoutFile, look_at
from fmb_surveys.trees.cutout_names import Cutouts, grouped, is_noise
from fmb_surveys.trees.deep2 import is_deep2
from fmb_surveys.trees.desi import is_desi
from fmb_surveys.trees.found import agreed_unit, files_below, looked_at, whole_ids
from fmb_surveys.trees.sdss import is_sdss

__all__ = ["CutoutsConfig", "describe", "is_cutouts", "open_cutouts"]

_NAMES = ("*.fits", "*.fit", "*.fits.gz", "*.fits.fz", "*.fz")
_OTHER_TREES = ("*.properties", "properties", "*.parquet", "dataset_*.json", "*.hdf5", "*.arrow")
"""What trees have that are described by more than their FITS files."""


class CutoutsConfig(TreeConfig):
    """What a user says of a folder of FITS cutouts."""

    instrument: str = "cutouts"
    """What models know the images by, such as legacysurvey or hsc."""
    pattern: str = ""
    """Of names, as "{id}_{band}.fits"; "" = a name without the band of its header."""
    bands: tuple[str, ...] = ()
    """Bands that are taken, in order; or names of those that headers do not name."""
    table: str = ""
    """Catalogue of the objects; relative to the folder. "" = the files are the objects."""
    id: str = ""
    """Column of the catalogue with the ids, which names of files have too."""


def is_cutouts(path: Path) -> bool:
    """Whether no other reader of trees knows a path that has FITS files."""
    if is_survey(path) or is_sdss(path) or is_desi(path) or is_deep2(path):
        return False
    return not path.is_dir() or not any(visible(path, *_OTHER_TREES))


def open_cutouts(
    source: str,
    config: CutoutsConfig,
    *,
    cache: Path,
    progress: Callable[[int, int], None] | None = None,
) -> Dataset:
    """The images of a folder of FITS files.

    Args:
        source: path of the folder.
        config: what the user says of them.
        cache: folder of the workspace; the description is kept there.
        progress: called with the files looked at and their number.

    Raises:
        ConfigError: what the user says does not go together.
        DataError: a file is damaged or contradicts another, or headers do not tell what is needed.
    """

    def described(path: Path, said: CutoutsConfig) -> Description:
        return describe(path, said, progress)

    return open_tree(source, config, described, "fits-images", cache=cache)


def describe(
    path: Path, config: CutoutsConfig, progress: Callable[[int, int], None] | None = None
) -> Description:
    """What the files of a tree say of themselves; each is looked at once.

    Raises:
        FmbError: as `open_cutouts`.
    """
    table = _table(path, config)
    paths = [file for file in files_below(path, *_NAMES) if os.path.realpath(file) != str(table)]
    seen, broken = looked_at(
        paths, lambda file: None if is_noise(file) else look_at(file), config.skip_bad, progress
    )
    files = {file: said for file, said in seen.items() if said}
    left_out = Counter(
        "go with a picture by their names" if is_noise(file) else "have no image"
        for file, said in seen.items()
        if not said
    )
    if not files:
        raise DataError(
            f"{path}: no FITS file in it has an image; a table is described in a survey.toml"
        )
    found, how = grouped(files, config.pattern)
    bands, told = _bands(found, files, config)
    images, lines = _images(files, bands, config)
    catalog, tables = _catalog(found, bands, table, config)
    return Description(
        survey={"catalog": catalog, "inputs": {config.instrument: images}},
        tables=tables,
        taken=(
            f"object_id: {how}",
            told,
            *lines,
            f"{len(files)} files of {len(found)} objects",
            *(f"{n} files are not read: they {why}" for why, n in left_out.items()),
        ),
        left_out=(
            *broken,
            *told_beside(path, [*paths, *([path / config.table] if table else ())], config.catalog),
        ),
    )


def _table(path: Path, config: CutoutsConfig) -> Path | None:
    if bool(config.table) != bool(config.id):
        raise ConfigError("a catalogue goes with its column of ids: set data.table and data.id")
    if not config.table:
        return None
    table = (path / config.table).resolve()
    if not table.exists():
        raise DataError(f"{table}: no such file, which data.table names")
    return table


def _bands(
    found: Cutouts, files: Mapping[Path, CutoutFile], config: CutoutsConfig
) -> tuple[tuple[str, ...], str]:
    """Bands of the survey in order, and a line on who told them."""
    first = next(iter(files.values()))
    key = "say them with --set data.bands=['g','r'] and, one file a band, data.pattern"
    if any("" not in bands for bands in found.values()):  # one file a band
        known = sorted({band for bands in found.values() for band in bands})
        unknown = [band for band in config.bands if band not in known]
        if unknown:
            raise ConfigError(f"no file is of band {unknown[0]!r}; there are {', '.join(known)}")
        return config.bands or tuple(
            known
        ), f"bands: {', '.join(config.bands or known)}, one a file"
    for file in files.values():
        if file.bands != first.bands:
            raise DataError(
                f"{file.path}: has the bands {', '.join(file.bands) or 'not told'}, {first.path}"
                f" {', '.join(first.bands) or 'not told'}: {key}"
            )
    n = first.shape[0] if len(first.shape) == 3 else 1
    if config.bands and first.bands and config.bands != first.bands:
        raise ConfigError(
            f"{first.path}: has the bands {', '.join(first.bands)} by {first.bands_by}, data.bands"
            f" says {', '.join(config.bands)}; correct the one that is wrong"
        )
    bands = config.bands or first.bands
    if len(bands) != n:
        has = f"its images are {n}" if bands else "its header does not tell its bands"
        raise DataError(f"{first.path}: {has}: {key}")
    return bands, f"bands: {', '.join(bands)}, by {first.bands_by or 'data.bands'}"


def _images(
    files: Mapping[Path, CutoutFile], bands: Sequence[str], config: CutoutsConfig
) -> tuple[dict[str, Any], list[str]]:
    first, key = next(iter(files.values())), f"data.inputs.{config.instrument}"
    said = config.inputs.get(config.instrument, {})
    for file in files.values():
        if file.shape != first.shape or file.flux != first.flux:
            raise DataError(
                f"{file.path}: has images of shape {file.shape} in {file.flux}, {first.path} of"
                f" {first.shape} in {first.flux}: cut all alike"
            )
    unit = agreed_unit(
        "an image", {p: f.unit for p, f in files.items()}, said.get("unit"), f"{key}.unit"
    )
    scale, told = _scale(files, said.get("pixel_scale_arcsec"), f"{key}.pixel_scale_arcsec")
    made: dict[str, Any] = {
        "kind": "images",
        "files": "rows.parquet",
        "flux": first.flux,
        "bands": list(bands),
        "unit": unit,
        "pixel_scale_arcsec": scale,
    }
    lines = [f"unit: {unit}, by {'data.inputs' if said.get('unit') else 'BUNIT'}", told]
    if all(file.noise == first.noise for file in files.values()) and first.noise:
        made |= first.noise
        lines.append(f"noise: {', '.join(f'{k} of extension {v}' for k, v in first.noise.items())}")
    zeros = sorted({file.zero_point for file in files.values() if file.zero_point})
    if zeros:
        lines.append(f"zero point, not applied: {', '.join(zeros[:5])}")
    unused = sorted({name for file in files.values() for name in file.unused})
    if unused:
        lines.append(f"extensions not read, as they do not say what they mean: {', '.join(unused)}")
    return made, lines


def _scale(files: Mapping[Path, CutoutFile], said: float | None, key: str) -> tuple[float, str]:
    """Arcsec a pixel of all files, and a line on who told it."""
    told = {path: file.scale for path, file in files.items() if file.scale}
    first = next(iter(told.items()), None)
    if first is None or (len(told) < len(files) and said is None):
        silent = next(path for path, file in files.items() if not file.scale)
        if said is None:
            raise DataError(
                f"{silent}: has no WCS that tells its scale: say it, as in --set {key}=0.2"
            )
        return said, "pixels: as data.inputs says"
    arcsec = float(f"{first[1].arcsec:.6g}")
    for path, scale in told.items():
        if abs(scale.arcsec - arcsec) > 1e-3 * arcsec:
            raise DataError(f'{path}: has {scale.arcsec:g}" a pixel, {first[0]} {arcsec:g}"')
    if said is not None and abs(said - arcsec) > 1e-3 * arcsec:
        raise DataError(f'{first[0]}: has {arcsec:g}" a pixel by its WCS, {said:g}" by {key}')
    directions = sorted({scale.orientation for scale in told.values()})
    more = f" and {len(directions) - 3} more" if len(directions) > 3 else ""
    return arcsec, f'pixels: {arcsec}" by the WCS; {"; ".join(directions[:3])}{more}'


def _catalog(
    found: Cutouts,
    bands: Sequence[str],
    table: Path | None,
    config: CutoutsConfig,
) -> tuple[dict[str, Any], dict[str, Any]]:
    import pyarrow as pa

    names = sorted(found, key=lambda name: (len(name), name))
    ids = whole_ids(names)
    if table and read_table(table, text=(config.id,)).ids(config.id).dtype.kind not in "iu":
        ids = names
    rows: dict[str, Any] = {"object_id": ids}
    if all(set(bands_of) == {""} for bands_of in found.values()):
        rows[config.instrument] = [str(found[name][""].path) for name in names]
    else:
        for band in bands:
            files = [found[name].get(band) for name in names]
            column = pa.array([file and str(file.path) for file in files], pa.string())
            rows[f"{config.instrument}.{band}"] = column
    tables = {"rows.parquet": pa.table(rows)}
    if table:
        return {"file": str(table), "id": config.id, "columns": "all"}, tables
    centers = [next(iter(found[name].values())).center for name in names]
    columns: dict[str, Any] = {"object_id": ids}
    catalog: dict[str, Any] = {"file": "catalog.parquet", "id": "object_id"}
    if any(centers):
        for at, key in enumerate(("ra", "dec")):
            columns[key] = pa.array([center and center[at] for center in centers], pa.float64())
            catalog[key] = key
        catalog["units"] = {"ra": "deg", "dec": "deg"}
    return catalog, {**tables, "catalog.parquet": pa.table(columns)}
