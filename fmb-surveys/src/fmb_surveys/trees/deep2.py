"""DEEP2 as it is shipped: spec1d.MASK.SLIT.OBJNO.fits, and HST cutouts OBJNO.acs.BAND_*.fits."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from fmb import Array, DataError, Dataset
from fmb_surveys.files.described import Description, TreeConfig, open_tree
from fmb_surveys.files.stores.object_fits import ObjectFITS, open_object
from fmb_surveys.files.stores.places import visible
from fmb_surveys.trees.found import agreed_unit, files_below, looked_at, one_column, whole_ids
from fmb_surveys.trees.sky_scale import sky_scale

__all__ = ["Deep2Config", "describe", "is_deep2", "open_deep2"]

_SPECTRUM = re.compile(r"spec1d\.(.+)\.(\d+)\.(\d+)\.fits(\.gz)?", re.IGNORECASE)
_IMAGE = re.compile(r"(\d+)\.acs\.([a-z])_.*\.fits(\.gz)?", re.IGNORECASE)
_NAMES = ("spec1d.*", "*.acs.*")
BANDS = {"v": "F606W", "i": "F814W"}
"""Letter in a name -> filter, by the documentation of AEGIS; headers tell none."""
UNIT = "count/s"
"""Of the cutouts, by the same."""
_EXTRACTIONS = {"optimal": "Horne", "boxcar": "Bxspf"}
_COLUMNS = {"mag_B": "MAGB", "mag_R": "MAGR", "mag_I": "MAGI", "exptime_s": "EXPTIME"}
"""Column of the catalogue -> key of the header of a spectrum."""


class Deep2Config(TreeConfig):
    """What a user says of a folder of DEEP2."""

    extraction: Literal["optimal", "boxcar"] = "optimal"
    """Horne-B and Horne-R, or Bxspf-B and Bxspf-R."""


@dataclass(frozen=True)
class _Spectrum:
    path: Path
    name: str
    """OBJNO."""
    pixels: int
    values: Mapping[str, Any]


@dataclass(frozen=True)
class _Image:
    path: Path
    name: str
    """OBJNO."""
    band: str
    shape: tuple[int, ...]
    unit: str
    arcsec: float
    orientation: str


@dataclass(frozen=True)
class _Found:
    """By OBJNO."""

    spectra: dict[str, _Spectrum]
    images: dict[str, dict[str, _Image]]
    """OBJNO -> band -> cutout."""


def is_deep2(path: Path) -> bool:
    """Whether a path is a spec1d.*.fits, or a folder that has some."""
    if path.is_dir():
        return any(visible(path, "spec1d.*.fits*", "*/spec1d.*.fits*"))
    return bool(_SPECTRUM.fullmatch(path.name))


def open_deep2(
    source: str,
    config: Deep2Config,
    *,
    cache: Path,
    progress: Callable[[int, int], None] | None = None,
) -> Dataset:
    """Spectra and cutouts of a folder of DEEP2, matched by OBJNO.

    Args:
        source: path of the folder, or of one spectrum.
        config: what the user says of them.
        cache: folder of the workspace; the description is kept there.
        progress: called with the files looked at and their number.

    Raises:
        DataError: a file is damaged, of another kind, or contradicts another.
    """

    def described(path: Path, said: Deep2Config) -> Description:
        return describe(path, said, progress)

    return open_tree(source, config, described, "deep2", cache=cache)


def describe(
    path: Path, config: Deep2Config, progress: Callable[[int, int], None] | None = None
) -> Description:
    """What the files of a tree say of themselves; each is looked at once.

    Raises:
        DataError: as `open_deep2`.
    """
    paths = files_below(path, *(f"{name}.fits{gz}" for name in _NAMES for gz in ("", ".gz")))
    seen, left_out = looked_at(
        paths, lambda file: _look_at(file, config), config.skip_bad, progress
    )
    found = _Found({}, {})
    for one in seen.values():
        if isinstance(one, _Spectrum):
            _put(found.spectra, one.name, one, one.path)
        elif one:
            _put(found.images.setdefault(one.name, {}), one.band, one, one.path)
    names = sorted({*found.spectra, *found.images}, key=lambda name: (len(name), name))
    if not names:
        raise DataError(f"{path}: no file in it is called as DEEP2 calls them")
    inputs: dict[str, Any] = {}
    told = ["object_id: OBJNO, as files are called"]
    if found.images:
        inputs["acs"], lines = _images(found.images, config)
        told += lines
    if found.spectra:
        inputs["deimos"], lines = _spectra(found.spectra, config)
        told += lines
    columns = {
        key: one_column(
            [found.spectra[n].values[key] if n in found.spectra else None for n in names], key
        )
        for key in ("ra", "dec", *_COLUMNS)
    }
    known = {key: values for key, values in columns.items() if values is not None}
    return Description(
        survey={"catalog": _catalog(known), "inputs": inputs},
        tables=_tables(names, known, found),
        taken=(*told, f"{len(found.spectra)} spectra, cutouts of {len(found.images)} objects"),
        left_out=left_out,
    )


def _look_at(path: Path, config: Deep2Config) -> _Spectrum | _Image | None:
    """What a file says; None where it is called as neither spectrum nor cutout."""
    spectrum, image = _SPECTRUM.fullmatch(path.name), _IMAGE.fullmatch(path.name)
    if spectrum:
        return _look_at_spectrum(path, spectrum[3], config)
    if not image:
        return None
    band = BANDS.get(image[2].lower())
    if not band:
        known = ", ".join(BANDS)
        raise DataError(f"{path}: no band of AEGIS is called {image[2]!r}; one of {known}")
    return _look_at_image(path, image[1], band)


def _put(found: dict[str, Any], key: str, value: Any, path: Path) -> None:
    if key in found:
        raise DataError(
            f"{key} is in {found[key].path} and {path}: remove the file that repeats it"
        )
    found[key] = value


def _look_at_spectrum(path: Path, name: str, config: Deep2Config) -> _Spectrum:
    with open_object(path) as file:
        header = file.header(1)
        told = str(header.get("OBJNO", name)).strip()
        if told != name:
            raise DataError(f"{path}: is of {told} by OBJNO of its header, of {name} by its name")
        chips = [_wavelengths(file, extension, path) for extension in _chips(config)]
        if not chips[0][-1] < chips[1][0]:
            raise DataError(f"{path}: its chips overlap; the blue one is to end before the red one")
        values = {column: header.get(key) for column, key in _COLUMNS.items()}
        values |= {"ra": header.get("RA_OBJ"), "dec": header.get("DEC_OBJ")}
    return _Spectrum(path, name, sum(len(chip) for chip in chips), values)


def _chips(config: Deep2Config) -> list[str]:
    return [f"{_EXTRACTIONS[config.extraction]}-{chip}" for chip in "BR"]


def _wavelengths(file: ObjectFITS, extension: str, path: Path) -> Array:
    shapes = {name: file.shape(f"{extension}/{name}") for name in ("LAMBDA", "SPEC", "IVAR")}
    if len(set(shapes.values())) > 1 or len(shapes["LAMBDA"]) != 1 or not shapes["LAMBDA"][0]:
        raise DataError(f"{path}: arrays of {extension} have the shapes {shapes}")
    return file.read(f"{extension}/LAMBDA")


def _look_at_image(path: Path, name: str, band: str) -> _Image:
    with open_object(path) as file:
        shape, header = file.shape("0"), file.header(0)
    scale = sky_scale(header, path)
    if scale is None:
        raise DataError(f"{path}: has no WCS that tells its scale")
    unit = str(header.get("BUNIT", ""))
    return _Image(path, name, band, shape, unit, scale.arcsec, scale.orientation)


def _images(
    found: Mapping[str, Mapping[str, _Image]], config: Deep2Config
) -> tuple[dict[str, Any], list[str]]:
    cutouts = {image.path: image for one in found.values() for image in one.values()}
    first = next(iter(cutouts.values()))
    for path, image in cutouts.items():
        if image.shape != first.shape:
            raise DataError(f"{path}: has shape {image.shape}, {first.path} has {first.shape}")
        if abs(image.arcsec - first.arcsec) > 1e-3 * first.arcsec:
            raise DataError(
                f'{path}: has {image.arcsec:g}" a pixel, {first.path} {first.arcsec:g}"'
            )
    told = {path: image.unit for path, image in cutouts.items()}
    unit, by = UNIT, "by the documentation of AEGIS: headers tell none"
    said = config.inputs.get("acs", {}).get("unit")
    if any(told.values()):
        unit, by = agreed_unit("an image", told, said, "data.inputs.acs.unit"), "by BUNIT"
    bands = [band for band in BANDS.values() if any(band in one for one in found.values())]
    scale = float(f"{first.arcsec:.6g}")
    orientations = sorted({image.orientation for image in cutouts.values()})
    made = {
        "kind": "images",
        "files": "rows.parquet",
        "flux": "0",
        "bands": bands,
        "unit": unit,
        "pixel_scale_arcsec": scale,
    }
    return made, [
        f"acs bands: {', '.join(bands)}, by names of files and the documentation of AEGIS",
        f"acs unit: {unit}, {by}",
        f'acs pixels: {scale}" by CD1_1 to CD2_2; {", ".join(orientations)}',
    ]


def _spectra(
    found: Mapping[str, _Spectrum], config: Deep2Config
) -> tuple[dict[str, Any], list[str]]:
    blue, red = _chips(config)
    lengths = sorted({spectrum.pixels for spectrum in found.values()})
    made = {
        "kind": "spectra",
        "files": "rows.parquet",
        **{
            key: f"{blue}/{column}+{red}/{column}"
            for key, column in (("flux", "SPEC"), ("ivar", "IVAR"), ("wavelength", "LAMBDA"))
        },
        "air": True,
        "unit": "counts",
    }
    if len(lengths) > 1:
        made["pixels"] = lengths[-1]
    return made, [
        f"deimos: {blue} and {red}, laid end to end; counts, not flux-calibrated",
        "deimos wavelength: LAMBDA, Angstrom in air, where lines of the sky in SKYSPEC lie;"
        " headers tell nothing",
        "deimos bad pixels: IVAR 0",
    ]


def _catalog(columns: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "file": "catalog.parquet",
        "id": "object_id",
        "columns": "all",
        "units": {"exptime_s": "s"} if "exptime_s" in columns else {},
        "roles": {"magnitude": "mag_R"} if "mag_R" in columns else {},
        **{role: role for role in ("ra", "dec") if role in columns},
    }


def _tables(names: list[str], columns: Mapping[str, Any], found: _Found) -> dict[str, Any]:
    import pyarrow as pa

    ids = whole_ids(names)
    rows: dict[str, Any] = {"object_id": ids}
    if found.spectra:
        files = [found.spectra[n].path if n in found.spectra else None for n in names]
        rows["deimos"] = pa.array([file and str(file) for file in files], pa.string())
    for band in BANDS.values() if found.images else ():
        images = [found.images.get(name, {}).get(band) for name in names]
        rows[f"acs.{band}"] = pa.array([one and str(one.path) for one in images], pa.string())
    return {
        "catalog.parquet": pa.table({"object_id": ids, **columns}),
        "rows.parquet": pa.table(rows),
    }
