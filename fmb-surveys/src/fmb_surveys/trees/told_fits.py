"""What a FITS file of one object says of itself to a survey.toml, by the readers of trees."""

from pathlib import Path
from typing import Any

from fmb import FmbError
from fmb_surveys.files.stores.object_fits import ObjectFITS, open_object
from fmb_surveys.trees.cutout_files import CutoutFile, look_at
from fmb_surveys.trees.found import readable_unit
from fmb_surveys.trees.sdss import told_of_spectrum

__all__ = ["told_of_images", "told_of_spectra"]

Told = tuple[dict[str, Any], tuple[str, ...]]


def told_of_spectra(path: Path) -> Told:
    """Keys of `[inputs.NAME]` for the spectrum of a file, and lines for people.

    Raises:
        DataError: the file is damaged.
    """
    with open_object(path) as file:
        sdss = told_of_spectrum(file, path)
        return (sdss[0], tuple(sdss[1])) if sdss else _of_table(file)


def _of_table(file: ObjectFITS) -> Told:
    """Of a table of columns flux, ivar and wavelength or loglam, what is there."""
    columns = {name.lower() for name in file.columns(1)}
    if "flux" not in columns:
        return {}, ()
    keys: dict[str, Any] = {name: name for name in ("flux", "ivar") if name in columns}
    keys |= {"loglam": "loglam"} if "loglam" in columns and "wavelength" not in columns else {}
    unit = file.stated("flux").unit or str(file.header(0).get("BUNIT", ""))
    if known := readable_unit(unit):
        keys["unit"] = known
    return keys, (f"columns {', '.join(sorted(columns & {*keys}))}, in {unit or 'no unit told'}",)


def told_of_images(path: Path) -> Told:
    """Keys of `[inputs.NAME]` for the images of a file, and lines for people.

    Raises:
        DataError: the file is damaged.
    """
    with open_object(path) as file:
        file.images()
    try:
        one = look_at(path)
    except FmbError:  # it does not say which array is the image: a user who names one may
        return {}, ()
    return _of_cutout(one) if one else ({}, ())


def _of_cutout(one: CutoutFile) -> Told:
    keys: dict[str, Any] = {"flux": one.flux, **one.noise}
    lines = [f"images of extension {one.flux}, {' x '.join(map(str, one.shape))} pixels"]
    if one.bands:
        keys["bands"] = list(one.bands)
        lines.append(f"bands {', '.join(one.bands)}, by {one.bands_by}")
    if unit := readable_unit(one.unit):
        keys["unit"] = unit
        lines.append(f"unit {unit}, by BUNIT")
    if one.scale:
        keys["pixel_scale_arcsec"] = float(f"{one.scale.arcsec:.6g}")
        lines.append(f"pixels of {one.scale.arcsec:.6g} arcsec, by the WCS")
    if one.zero_point:
        lines.append(f"zero point, not applied: {one.zero_point}")
    return keys, tuple(lines)
