"""Images and spectra of the Multimodal Universe, as its files and its documentation tell them."""

import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from fmb import Array, ConfigError, DataError
from fmb.files import find_dataset, open_file, whole

__all__ = ["images", "spectra"]

FLUX_DENSITY = "1e-17 erg / (s cm2 Angstrom)"

_IMAGES = {"des-": ("legacysurvey", "nmgy"), "hsc-": ("hsc", None)}
"""How the names of its bands begin -> the survey, and the unit, where it is documented."""
_SPECTRA = {"SPECOBJID": "sdss", "SPECTROFLUX": "sdss", "TARGETID": "desi", "FIBERFLUX_R": "desi"}
"""Dataset of the catalogue -> the survey that has it."""
_GOOD = ("legacysurvey",)
"""Surveys whose image_mask is True where no bit of bad pixels is set."""

Found = tuple[str, dict[str, Any], list[str]]
"""Name of an input, keys of `[inputs.NAME]`, and what was taken from where."""

Said = Mapping[str, Mapping[str, Any]]
"""What the user says of the inputs."""


def images(files: Sequence[Path], said: Said) -> Found | None:
    """The images of a tree; None where it has none.

    Raises:
        ConfigError: the unit or what the mask means is not known and was not said.
        DataError: bands or pixel scale differ between rows, or from what was said.
    """
    if "image_array" not in _names(files[0]):
        return None
    names = [str(name) for name in _same_in_all(files, "image_band", _texts)]
    scales = set(_same_in_all(files, "image_scale", np.ndarray.tolist))
    if len(scales) != 1:
        raise DataError(f"{files[0]}: 'image_scale' differs between bands; give bands of one scale")
    scale = float(f"{scales.pop():.7g}")  # float32 on disk: 0.262, not 0.2619999945
    survey, unit = next(
        (known for start, known in _IMAGES.items() if names[0].startswith(start)), ("images", None)
    )
    name = _name(survey, said, "pixel_scale_arcsec", "bands")
    own = said.get(name, {})
    told_scale = own.get("pixel_scale_arcsec", scale)
    if not math.isclose(float(told_scale), scale, rel_tol=1e-5):
        raise DataError(
            f"{files[0]}: 'image_scale' is {scale:g} arcsec, {told_scale} by"
            f" data.inputs.{name}.pixel_scale_arcsec; correct the one that is wrong"
        )
    bands = [band.upper() for band in names]
    keys: dict[str, Any] = {"kind": "images", "flux": "image_array", "bands": bands}
    keys |= {"pixel_scale_arcsec": scale, **_unit(files[0], "image_array", unit, name, own)}
    lines = [
        f"bands {', '.join(bands)}: image_band, in capitals",
        f"pixel scale {scale:g} arcsec: image_scale",
        f"unit {own.get('unit', keys.get('unit'))}: " + _source_of_unit(own, survey),
    ]
    have = _names(files[0])
    keys |= {k: f"image_{k}" for k in ("ivar", "psf_fwhm") if f"image_{k}" in have}
    if "image_mask" in have and not {"mask", "good"} & set(own):
        keys["good"], line = _mask(files[0], survey, name, len(bands))
        lines.append(line)
    return name, keys, lines


def spectra(files: Sequence[Path], said: Said) -> Found | None:
    """The spectra of a tree; None where it has none.

    Raises:
        ConfigError: the unit is not known and was not said.
        DataError: a file has no spectra while the first has.
    """
    have = _names(files[0])
    if "spectrum_flux" not in have:
        return None
    if "spectrum_lambda" not in have:
        raise DataError(f"{files[0]}: has 'spectrum_flux' but no 'spectrum_lambda'")
    survey = next((known for name, known in _SPECTRA.items() if name in have), "spectra")
    name = _name(survey, said, "wavelength", "lsf")
    own = said.get(name, {})
    unit = FLUX_DENSITY if survey != "spectra" else None
    keys: dict[str, Any] = {"kind": "spectra", "flux": "spectrum_flux"}
    keys |= {"wavelength": "spectrum_lambda", "wavelength_unit": "Angstrom"}
    keys |= {k: f"spectrum_{k}" for k in ("ivar", "mask") if f"spectrum_{k}" in have}
    keys |= _unit(files[0], "spectrum_flux", unit, name, own)
    lengths = {_of(path, "spectrum_flux", lambda d: d.shape[-1]) for path in files}
    if len(lengths) > 1:
        keys["pixels"] = int(max(lengths))
    lines = [
        f"unit {own.get('unit', keys.get('unit'))}: " + _source_of_unit(own, survey),
        "pixels are bad where spectrum_mask is True, spectrum_ivar is 0, or spectrum_lambda is -1",
    ]
    if "spectrum_lsf_sigma" in have:
        lines.append("spectrum_lsf_sigma is left out: it is in pixels, not in Angstrom")
    return name, keys, lines


def _name(survey: str, said: Said, *keys: str) -> str:
    """The survey, or the name that the user gives to what the tree does not tell the survey of."""
    mine = [name for name, own in said.items() if set(own) & {*keys, "unit", "mask", "good"}]
    return mine[0] if survey not in said and len(mine) == 1 and len(said) == 1 else survey


def _unit(
    path: Path, dataset: str, known: str | None, name: str, own: Mapping[str, Any]
) -> dict[str, str]:
    if known or "unit" in own:
        return {"unit": known} if known else {}
    raise ConfigError(
        f"{path}: no unit is documented for {dataset!r}; add --set data.inputs.{name}.unit=UNIT"
    )


def _source_of_unit(own: Mapping[str, Any], survey: str) -> str:
    return "as you say" if "unit" in own else f"documented for {survey} in the collection"


def _mask(path: Path, survey: str, name: str, bands: int) -> tuple[str | list[str], str]:
    """What `good` is, one array for all bands or the same for each, and the line that tells it."""
    if survey not in _GOOD:
        raise ConfigError(
            f"{path}: what 'image_mask' means is not documented for {survey}; add"
            f" --set data.inputs.{name}.good=image_mask or .mask=image_mask"
        )
    axes = _of(path, "image_mask", lambda dataset: len(dataset.shape))
    good: str | list[str] = ["image_mask"] * bands if axes == 3 else "image_mask"
    return good, "pixels are good where image_mask is True"


def _same_in_all(files: Sequence[Path], name: str, values: Callable[[Any], Any]) -> list[Any]:
    """The one row that all rows of all files repeat."""
    rows = {tuple(row) for path in files for row in _of(path, name, lambda d: values(whole(d)))}
    if len(rows) != 1:
        raise DataError(
            f"{files[0].parents[1]}: {name!r} differs between objects; split them by it first"
        )
    return list(rows.pop())


def _texts(stored: Array) -> list[list[str]]:
    plain = stored.tolist()
    return [[t.decode() if isinstance(t, bytes) else str(t) for t in row] for row in plain]


def _of(path: Path, name: str, of: Callable[[h5py.Dataset], Any]) -> Any:
    with open_file(path) as file:
        return of(find_dataset(file, name))


def _names(path: Path) -> set[str]:
    with open_file(path) as file:
        return set(file)
