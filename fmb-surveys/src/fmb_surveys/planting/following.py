"""Which columns of a catalogue follow from which pixels, told by role, name and unit."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from fmb import InputInfo
from fmb_surveys.planting.needs import Offer
from fmb_surveys.planting.photometry import BAND_AA

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Following", "columns_that_follow"]

_REFERENCE_AA = 7000.0
_LETTERS_AA = {
    **{
        "u": 3560.0,
        "b": 4400.0,
        "g": 4770.0,
        "v": 5500.0,
        "r": 6370.0,
        "i": 7770.0,
        "z": 9160.0,
        "y": 9890.0,
    },
    **{"j": 12500.0, "h": 16500.0, "k": 21500.0, "ks": 21500.0},
}
_NO_MEASURE = re.compile(r"err|ivar|sigma|unc|depth|lim|ext|flag|rms|mask|^e$|^ebv$|^sb$|^mu$")
"""Words of columns that speak of errors, limits, dust or surface brightness."""
_APART_ROLES = ("redshift", "depth", "psf", "ebv", "class", "group", "survey", "split")
_APART = (
    *("object_id", "ra", "dec", "redshift", "label", "group"),
    *("injected_from", "strength", "planted_value", "declared_view"),
)
"""Neither measured on pixels nor of unknown meaning."""


@dataclass(frozen=True)
class Following:
    """One column and the pixels it follows."""

    column: str
    what: Literal["magnitude", "flux", "size", "snr"]
    input: str
    kind: Literal["images", "spectra"] = "images"
    """Of the input."""
    band: int = 0
    """Of images; not used for spectra."""
    own: bool = True
    """False where no input has the band of the column and the nearest stands in."""


def columns_that_follow(
    catalog: "pd.DataFrame", inputs: Mapping[str, InputInfo], offer: Offer
) -> tuple[list[Following], list[str]]:
    """Columns to measure again when pixels change, and those of which nobody knows.

    Magnitudes and fluxes are known by their role or by a name such as mag_r, FLUX_G or gmag with
    the band in it; size and signal-to-noise by their role, or `snr`.

    Args:
        catalog: with roles in its `attrs`.
        inputs: of the survey.
        offer: what it has.

    Returns:
        One record a column that follows pixels, and the names of other columns of numbers, which a
        copy takes over from its host.
    """
    roles = {**offer.columns, **catalog.attrs.get("roles", {})}
    cameras = _cameras(inputs, offer)
    apart = {*_APART, *(roles[role] for role in _APART_ROLES if role in roles)}
    followed: list[Following] = []
    kept: list[str] = []
    for name in map(str, catalog.columns):
        if name in apart or catalog[name].dtype.kind not in "fiu":
            continue
        found = _size_or_snr(name, roles, cameras, offer.spectra) or _light(name, roles, cameras)
        if found is None:
            kept.append(name)
        else:
            followed.append(found)
    return followed, kept


@dataclass(frozen=True)
class _Camera:
    """An image input: what its bands are called and where they are."""

    name: str
    bands: tuple[str, ...]
    waves_aa: tuple[float, ...]
    """Empty where one is not known."""

    def called(self, words: set[str]) -> int | None:
        """The band that one of the words names."""
        for band, name in enumerate(self.bands):
            if words & {name.lower(), re.split(r"[-_ ]", name.lower())[-1]}:
                return band
        return None

    def reference(self) -> int:
        """The band near 7000 Angstrom; the first where wavelengths are not known."""
        away = [abs(aa - _REFERENCE_AA) for aa in self.waves_aa]
        return away.index(min(away)) if away else 0


def _cameras(inputs: Mapping[str, InputInfo], offer: Offer) -> list[_Camera]:
    """Those of a survey, the smallest pixels first."""
    cameras = []
    for name in sorted(offer.images, key=lambda name: inputs[name].pixel_scale_arcsec or 0.0):
        waves = offer.wavelength_aa[name]
        known = () if waves is None else tuple(float(aa) for aa in waves)
        cameras.append(_Camera(name, inputs[name].bands, known))
    return cameras


def _size_or_snr(
    name: str, roles: Mapping[str, str], cameras: Sequence[_Camera], spectra: Sequence[str]
) -> Following | None:
    if name == roles.get("snr") and spectra:
        return Following(name, "snr", spectra[0], "spectra")
    if cameras and name == roles.get("snr"):
        return Following(name, "snr", cameras[0].name, band=cameras[0].reference())
    if cameras and name == roles.get("size"):
        return Following(name, "size", cameras[0].name, band=cameras[0].reference())
    return None


def _light(name: str, roles: Mapping[str, str], cameras: Sequence[_Camera]) -> Following | None:
    what, words = _words(name)
    plays = name == roles.get("magnitude")
    if not cameras or not (what or plays):
        return None
    kind: Literal["magnitude", "flux"] = "flux" if what == "flux" and not plays else "magnitude"
    for camera in cameras:
        band = camera.called(words)
        if band is not None:
            return Following(name, kind, camera.name, band=band)
    known = [aa for word in sorted(words) if (aa := _wavelength(word))]
    if known:
        return _stand_in(name, kind, known[0], cameras)
    if not plays:
        return None
    return Following(name, kind, cameras[0].name, band=cameras[0].reference())


def _words(name: str) -> tuple[str, set[str]]:
    """What a column's name says it is ("mag", "flux" or ""), and its other words."""
    parts = re.split(r"[^A-Za-z0-9]+", re.sub(r"([a-z])([A-Z])", r"\1_\2", name))
    words = {part.lower() for part in parts if part}
    if any(_NO_MEASURE.search(word) for word in words):
        return "", set()
    for what in ("mag", "flux"):
        for word in sorted(words):
            bare = word.replace("magnitude", "mag").removesuffix("es")
            if bare == what or bare.startswith(what) or bare.endswith(what):
                rest = bare.replace(what, "")
                return what, (words - {word}) | ({rest} if rest else set())
    return "", set()


def _wavelength(word: str) -> float | None:
    return _LETTERS_AA.get(word) or BAND_AA.get(word.upper())


def _stand_in(
    name: str,
    kind: Literal["magnitude", "flux"],
    wavelength_aa: float,
    cameras: Sequence[_Camera],
) -> Following | None:
    """The band nearest to a wavelength; None where no band has one."""
    best = [
        (abs(float(np.log(aa / wavelength_aa))), camera.name, band)
        for camera in cameras
        for band, aa in enumerate(camera.waves_aa)
    ]
    if not best:
        return None
    _, image, band = min(best)
    return Following(name, kind, image, band=band, own=False)
