"""What one FITS file of cutouts says: its bands, unit, scale, noise and zero point."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fmb import DataError
from fmb_surveys.files.stores.object_fits import ObjectFITS, open_object
from fmb_surveys.trees.sky_scale import SkyScale, sky_scale

__all__ = ["CutoutFile", "look_at"]

_NOISE = {
    **dict.fromkeys(("IVAR", "INVVAR"), "ivar"),
    **dict.fromkeys(("ERR", "ERROR", "RMS", "SIGMA", "STD"), "error"),
}
"""Name of an extension that says what it is -> key of a survey.toml."""
_OTHERS = re.compile(r"WHT|WEIGHT|VAR|MASK|DQ|FLAG|PSF|EXP|BKG|BACKGROUND|SEG|CON|CTX|NEXP|MDRIZ")
"""How extensions begin that are no picture, but do not say enough to be used."""
_PICTURES = {"SCI", "IMAGE", "IMG", "FLUX", "DATA"}
"""What extensions with a picture are called, before the band."""
_BAND_KEYS = ("FILTER", "BAND", "FILTNAM", "FILTNAME", "FILTER1")
_ZERO_KEYS = ("MAGZERO", "MAGZPT", "MAGZP", "ZP", "ZPT", "PHOTZP", "ZEROPNT", "ZPAB")


@dataclass(frozen=True)
class CutoutFile:
    """What a file says of its cutouts."""

    path: Path
    flux: str
    """Name of the array, (height, width) or (bands, height, width)."""
    shape: tuple[int, ...]
    bands: tuple[str, ...]
    """As headers call them; empty where they do not."""
    bands_by: str
    """Which key tells them."""
    unit: str
    scale: SkyScale | None
    noise: Mapping[str, str]
    """"ivar" or "error" -> name of the array."""
    unused: tuple[str, ...]
    """Extensions that are no picture and do not say enough."""
    zero_point: str
    center: tuple[float, float] | None
    """Right ascension and declination in degrees, by the WCS."""


def look_at(path: Path) -> CutoutFile | None:
    """What a file says; None where it holds no image.

    Raises:
        DataError: it is damaged, its images have several shapes, or its WCS makes no sense.
    """
    with open_object(path) as file:
        images = {at: file.header(at) for at in file.images()}
        if not images:
            return None
        names = {
            at: str(header.get("EXTNAME", "")).strip().upper() for at, header in images.items()
        }
        noise = [at for at, name in names.items() if _stem(name) in _NOISE]
        others = [at for at, name in names.items() if at not in noise and _OTHERS.match(name)]
        pictures = [at for at in images if at not in noise and at not in others]
        if not pictures:
            raise DataError(f"{path}: has no picture, only {', '.join(names.values())}")
        flux = "&".join(map(str, pictures))
        header = images[pictures[0]]
        primary = file.header(0)
        bands, by = _bands(file, images, pictures, primary)
        zero = next((key for key in _ZERO_KEYS if key in header), "")
        return CutoutFile(
            path=path,
            flux=flux,
            shape=file.shape(flux),
            bands=bands,
            bands_by=by,
            unit=_unit([images[at].get("BUNIT", primary.get("BUNIT")) for at in pictures], path),
            scale=sky_scale(header, path),
            noise=_noise(names, noise, len(pictures)),
            unused=tuple(names[at] for at in others),
            zero_point=f"{zero} = {header[zero]}" if zero else "",
            center=_center(header),
        )


def _unit(told: list[Any], path: Path) -> str:
    units = sorted({str(unit or "").strip() for unit in told})
    if len(units) > 1:
        raise DataError(f"{path}: its images have several units: {', '.join(units)}")
    return units[0]


def _stem(name: str) -> str:
    """SCI of SCI_G, ERR of ERR2: what an extension is without the band that it is of."""
    return re.split(r"[_\-\s\d]", name)[0]


def _noise(names: Mapping[int, str], noise: list[int], bands: int) -> dict[str, str]:
    """Key -> name of the array, where there is one for each picture."""
    made: dict[str, str] = {}
    for key in ("ivar", "error"):
        of_key = [at for at in noise if _NOISE[_stem(names[at])] == key]
        if of_key and len(of_key) in (1, bands) and not made:
            made[key] = "&".join(map(str, of_key))
    return made


def _bands(
    file: ObjectFITS,
    images: Mapping[int, Mapping[str, Any]],
    pictures: list[int],
    primary: Mapping[str, Any],
) -> tuple[tuple[str, ...], str]:
    """Names of bands and which key tells them; none where no header does."""
    shape = file.shape(str(pictures[0]))
    if len(pictures) == 1 and len(shape) == 3:
        return _of_cube({**primary, **images[pictures[0]]}, shape[0])
    for key in _BAND_KEYS:
        told = [
            str(images[at].get(key, primary.get(key, "") if len(pictures) == 1 else "")).strip()
            for at in pictures
        ]
        if all(told) and len(set(told)) == len(told):
            return tuple(told), key
    names = [str(images[at].get("EXTNAME", "")).strip() for at in pictures]
    stems = {_stem(name.upper()) for name in names}
    if len(stems) == 1 and stems <= _PICTURES:  # SCI_G and SCI_R are G and R
        names = [name[len(next(iter(stems))) :].lstrip("_- ") for name in names]
    if len(pictures) > 1 and all(names) and len(set(names)) == len(names):
        return tuple(names), "EXTNAME"
    return (), ""


def _of_cube(header: Mapping[str, Any], n: int) -> tuple[tuple[str, ...], str]:
    """Bands of the planes of a cube: BAND0, BAND1 ... or FILTER1, FILTER2 ..., or BANDS."""
    for key in ("BAND", "FILTER", "FILT"):
        for first in (0, 1):
            told = [str(header.get(f"{key}{first + at}", "")).strip() for at in range(n)]
            if all(told) and len(set(told)) == n:
                return tuple(told), f"{key}{first} to {key}{first + n - 1}"
    listed = str(header.get("BANDS", "")).strip()
    words = re.split(r"[,;\s]+", listed) if re.search(r"[,;\s]", listed) else list(listed)
    return (tuple(words), "BANDS") if len(set(words)) == n == len(words) else ((), "")


def _center(header: Mapping[str, Any]) -> tuple[float, float] | None:
    import warnings

    from astropy.wcs import WCS

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            wcs = WCS(header).celestial
            if not wcs.has_celestial:
                return None
            x, y = ((header[f"NAXIS{axis}"] - 1) / 2 for axis in (1, 2))
            ra, dec = wcs.wcs_pix2world([[x, y]], 0)[0].tolist()
        except (ValueError, KeyError, TypeError):
            return None
    return float(ra), float(dec)
