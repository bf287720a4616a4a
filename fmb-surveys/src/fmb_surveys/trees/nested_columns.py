"""Images and spectra in the nested columns of a table, recognised by the names inside them."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from fmb_surveys.files.stores.arrow_schema import depth_of, leaves, said_of

__all__ = ["FoundInput", "find_inputs", "scalar_columns"]

FLUX = ("flux", "array", "data")
GRID = {
    "lambda": "wavelength",
    "wavelength": "wavelength",
    "wave": "wavelength",
    "loglam": "loglam",
}
SPECTRAL = {"ivar": "ivar", "error": "error", "mask": "mask", "lsf_sigma": "lsf", "lsf": "lsf"}
IMAGING = {"ivar": "ivar", "error": "error", "mask": "mask", "psf_fwhm": "psf_fwhm"}
"""Field of a struct, in small letters -> key of a survey.toml."""
EUCLID = {"VIS": "VIS", "NISP_Y": "NISP-Y", "NISP_J": "NISP-J", "NISP_H": "NISP-H"}
"""Beginning of a column's name -> the band, where all columns of cutouts are among these."""
PICTURE_BANDS = ("R", "G", "B")
_CUTOUT = re.compile(r"(.+)_(?:image|img|cutout)", re.IGNORECASE)
_MEANT = {
    "mask": "True means bad",
    "error": "0 or less means bad",
    "psf_fwhm": "arcsec",
    "lsf": "Angstrom",
}


@dataclass
class FoundInput:
    """An input that the schema of a table tells of."""

    name: str
    keys: dict[str, Any]
    """As `[inputs.NAME]` of a survey.toml has them."""
    column: str
    """At the top of the table."""
    scale: str = ""
    """Column of the pixel scale of each band, arcsec."""
    picture: bool = False
    """True for encoded pictures."""
    taken: list[str] = field(default_factory=list)
    """What was taken from where, a line each."""


def find_inputs(schema: pa.Schema, pictures: Iterable[str] = ()) -> list[FoundInput]:
    """The inputs in the columns of a table.

    A struct of lists (or list of structs) with a flux and wavelengths is spectra; one with a flux
    of three levels of lists, images; columns NAME_image of two levels of lists are the bands of
    one image.

    Args:
        schema: of the table.
        pictures: columns that hold encoded pictures.
    """
    found: list[FoundInput] = []
    cutouts: dict[str, str] = {}
    for column in schema:
        name = column.name
        if name in pictures:
            found.append(_picture(name))
            continue
        inside = _inside(schema, name)
        flux = next((inside[word] for word in FLUX if word in inside), None)
        grid = next((word for word in GRID if word in inside), None)
        if flux and grid and depth_of(schema, flux) == 1:
            found.append(_spectrum(name, flux, inside, grid, schema))
        elif flux and depth_of(schema, flux) in (2, 3):
            found.append(_image(name, flux, inside))
        elif (match := _CUTOUT.fullmatch(name)) and not inside and depth_of(schema, name) in (2, 3):
            cutouts[match[1]] = name
    if cutouts:
        found.append(_cutouts(cutouts))
    for one in found:
        one.taken.extend(_units(one, schema))
    return found


def scalar_columns(schema: pa.Schema) -> dict[str, pa.DataType]:
    """Columns at the top that hold a value a row."""
    names = {name: kind for name, kind in leaves(schema) if "/" not in name}
    return {name: kind for name, kind in names.items() if depth_of(schema, name) == 0}


def _inside(schema: pa.Schema, column: str) -> dict[str, str]:
    """Field in small letters -> its full name, of a struct or a list of structs."""
    names = [name for name, _ in leaves(schema) if name.startswith(f"{column}/")]
    return {name.partition("/")[2].lower(): name for name in names}


def input_name(column: str) -> str:
    """The name of an input, by that of a column: small letters with hyphens.

    >>> input_name("RGB_image")
    'rgb-image'
    """
    return re.sub(r"[^a-z0-9]+", "-", column.lower()).strip("-") or "input"


def _spectrum(
    column: str, flux: str, inside: Mapping[str, str], grid: str, schema: pa.Schema
) -> FoundInput:
    keys = {"kind": "spectra", "flux": flux, GRID[grid]: inside[grid]}
    found = FoundInput(input_name(column), keys, column)
    unit = _unit(schema, inside[grid])
    if GRID[grid] == "wavelength":
        found.taken.append(
            f"wavelengths: {inside[grid]}, {unit or 'no unit said, taken as Angstrom'}"
        )
    _take(found, inside, SPECTRAL)
    return found


def _image(column: str, flux: str, inside: Mapping[str, str]) -> FoundInput:
    found = FoundInput(input_name(column), {"kind": "images", "flux": flux}, column)
    if "band" in inside:
        found.keys["band_names"] = inside["band"]
    found.scale = inside.get("scale", "")
    _take(found, inside, IMAGING)
    return found


def _take(found: FoundInput, inside: Mapping[str, str], known: Mapping[str, str]) -> None:
    for word, key in known.items():
        if word in inside and not (key == "error" and "ivar" in found.keys):
            found.keys[key] = inside[word]
            meaning = f": {_MEANT[key]}" if key in _MEANT else ""
            found.taken.append(f"{key}: {inside[word]}{meaning}")


def _cutouts(columns: Mapping[str, str]) -> FoundInput:
    euclid = set(columns) <= set(EUCLID)
    name, bands = "euclid" if euclid else "images", [EUCLID[c] if euclid else c for c in columns]
    keys = {"kind": "images", "flux": list(columns.values()), "bands": bands}
    found = FoundInput(name, keys, next(iter(columns.values())))
    found.taken.append(f"bands: {', '.join(bands)}, by the names of {', '.join(columns.values())}")
    return found


def _picture(column: str) -> FoundInput:
    match = _CUTOUT.fullmatch(column)
    keys = {
        "kind": "images", "flux": column, "unit": "display", "bands": list(PICTURE_BANDS),
    }  # fmt: skip
    found = FoundInput(input_name(match[1] if match else column), keys, column, picture=True)
    found.taken.append(f"unit: display, since {column} holds encoded pictures")
    return found


def _unit(schema: pa.Schema, name: str) -> str:
    said = {key.lower(): value for key, value in said_of(schema, name).items()}
    return next((said[key] for key in ("unit", "units", "bunit") if said.get(key)), "")


def _units(found: FoundInput, schema: pa.Schema) -> Iterator[str]:
    """Take the unit of the flux where the file says it."""
    flux = found.keys["flux"]
    first = flux if isinstance(flux, str) else flux[0]
    unit = _unit(schema, first)
    if unit and "unit" not in found.keys:
        found.keys["unit"] = unit
        yield f"unit: {unit}, by the metadata of {first}"
