"""What a survey offers to planting, and which kinds have to be refused for lack of what."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from fmb import Array, DataError, Dataset, Images, InputInfo, Spectra
from fmb_surveys.planting.kinds import Kind, Need
from fmb_surveys.planting.photometry import band_wavelengths, flambda_factor, ujy_factor

__all__ = ["Offer", "find_columns", "lacking", "make_offer", "refuse"]

_ALIASES = {
    "redshift": ("redshift", "z"),
    "magnitude": ("mag_vis", "mag_i", "mag_r", "magnitude"),
    "snr": ("snr",),
    "logmass": ("logmass",),
    "logsfr": ("logsfr",),
}
_OPTICAL_AA = (4000.0, 14000.0)
_OPTICAL_LENGTH_AA = 500.0
_RED_AA = 8500.0


@dataclass(frozen=True, eq=False)
class Offer:
    """What planting may use of a survey."""

    images: tuple[str, ...]
    spectra: tuple[str, ...]
    lacks: Mapping[Need, str]
    """Need -> why the survey does not meet it; a need that is met is absent."""
    psf_fwhm_arcsec: Mapping[str, Array | None]
    """Image input -> (bands,) widths to use where the data tell none."""
    wavelength_aa: Mapping[str, Array | None]
    """Image input -> (bands,)."""
    ujy_per_unit: Mapping[str, float | None]
    flambda_per_unit: Mapping[str, float | None]
    columns: Mapping[str, str]
    """Role -> column of the catalogue."""
    host_magnitude: float | None = None
    """Of hosts on pictures without a flux scale, which it gives them."""


def find_columns(
    available: Sequence[str], chosen: Mapping[str, str], roles: Mapping[str, str]
) -> dict[str, str]:
    """Role -> catalogue column: as chosen, as the survey says, or under its usual name.

    Raises:
        DataError: a role that does not exist, or a chosen column that the catalogue lacks.
    """
    for role, column in chosen.items():
        if role not in _ALIASES:
            raise DataError(f"planting: no role {role!r}; choose from {', '.join(_ALIASES)}")
        if column not in available:
            raise DataError(f"planting: the catalogue has no column {column!r} for {role}")
    found = {role: roles[role] for role in _ALIASES if role in roles} | dict(chosen)
    for role, names in _ALIASES.items():
        known = [name for name in names if name in available]
        if role not in found and known:
            found[role] = known[0]
    return found


def make_offer(
    dataset: Dataset,
    psf_fwhm_arcsec: Mapping[str, Sequence[float]],
    columns: Mapping[str, str],
    host_magnitude: float | None = None,
) -> Offer:
    """Look at the inputs of a survey and at what an object has in each; no pixel is read.

    Args:
        dataset: to plant in.
        psf_fwhm_arcsec: widths by input, for data that tell none.
        columns: role -> column, where the name is not the usual one.
        host_magnitude: AB, of what is in the middle of pictures without a flux scale.

    Raises:
        DataError: a column, role or input is named that does not exist, or widths do not fit the
            bands.
    """
    names = {
        kind: tuple(n for n, i in dataset.inputs.items() if i.kind == kind)
        for kind in ("images", "spectra")
    }
    unknown = sorted(set(psf_fwhm_arcsec) - set(names["images"]))
    if unknown:
        raise DataError(f"planting: no images are called {unknown[0]!r}")
    first = {name: _first(dataset, name) for name in (*names["images"], *names["spectra"])}
    psf: dict[str, Array | None] = {}
    waves: dict[str, Array | None] = {}
    for name in names["images"]:
        given = psf_fwhm_arcsec.get(name)
        bands = dataset.inputs[name].bands
        if given is not None and len(given) != len(bands):
            raise DataError(
                f"planting: {len(given)} widths for {name}, which has {len(bands)} bands:"
                f" {', '.join(bands)}"
            )
        psf[name] = None if given is None else np.asarray(given, dtype=np.float64)
        known = band_wavelengths(bands)
        waves[name] = None if known is None else np.array(known)
    offer = Offer(
        images=names["images"],
        spectra=names["spectra"],
        lacks={},
        psf_fwhm_arcsec=psf,
        wavelength_aa=waves,
        ujy_per_unit={n: ujy_factor(dataset.inputs[n]) for n in names["images"]},
        flambda_per_unit={n: flambda_factor(dataset.inputs[n]) for n in names["spectra"]},
        columns=find_columns(
            [str(c) for c in dataset.catalog.columns],
            columns,
            dataset.catalog.attrs.get("roles", {}),
        ),
        host_magnitude=host_magnitude,
    )
    return Offer(**{**vars(offer), "lacks": _lacks(dataset, offer, first)})


def _first(dataset: Dataset, name: str) -> Images | Spectra | None:
    present = dataset.inputs[name].present
    rows = np.arange(min(1, len(dataset))) if present is None else np.flatnonzero(present)[:1]
    if not len(rows):
        return None
    # No rows: which arrays there are is all that is asked, and a simulated row costs milliseconds.
    data = dataset.read(rows[:0], (name,)).inputs[name]
    return data if isinstance(data, Images | Spectra) else None


def _lacks(
    dataset: Dataset, offer: Offer, first: Mapping[str, Images | Spectra | None]
) -> dict[Need, str]:
    lacks: dict[Need, str] = {}
    seen_images = [n for n in offer.images if first[n] is not None]
    seen_spectra = [n for n in offer.spectra if first[n] is not None]
    if not seen_images:
        lacks["images"] = "the survey has no images"
    for name in seen_images:
        lacks |= _image_lacks(name, dataset.inputs[name], first[name], offer)
    if not seen_spectra:
        lacks["spectra"] = "the survey has no spectra"
    for name in seen_spectra:
        spectrum = first[name]
        assert isinstance(spectrum, Spectra)
        if offer.flambda_per_unit[name] is None:
            lacks["spectrum flux"] = f"{name} is not flux-calibrated"
            lacks["spectra with flux, if any"] = lacks["spectrum flux"]
        if spectrum.ivar is None:
            lacks["spectrum ivar"] = f"{name} has no ivar"
        lacks |= _range_lacks(name, dataset.inputs[name].wavelength_aa)
    roles: tuple[Need, ...] = ("redshift", "magnitude", "snr")
    for role in roles:
        if role not in offer.columns:
            lacks[role] = f"the catalogue has no column for {role}"
    both: tuple[Need, ...] = ("image flux", "psf", "spectrum flux")
    if seen_images and (reasons := [lacks[need] for need in both if need in lacks]):
        lacks["flux and psf, if images"] = "; ".join(reasons)
    if seen_spectra and "redshift" in lacks:
        lacks["redshift, if spectra"] = lacks["redshift"]
    return lacks


def _image_lacks(name: str, info: InputInfo, image: object, offer: Offer) -> dict[Need, str]:
    assert isinstance(image, Images)
    lacks: dict[Need, str] = {}
    if offer.ujy_per_unit[name] is None and offer.host_magnitude is None:
        lacks["image flux"] = (
            f"{name} is in {info.unit!r}, which is no flux (--host-mag MAG gives hosts one)"
        )
    elif offer.wavelength_aa[name] is None:
        lacks["image flux"] = f"{name} has bands of unknown wavelength: {', '.join(info.bands)}"
    if image.psf_fwhm_arcsec is None and offer.psf_fwhm_arcsec[name] is None:
        lacks["psf"] = f"{name} tells no point-spread function (--psf {name}=FWHM)"
    if image.ivar is None and image.mask is None:
        lacks["image ivar or mask"] = f"{name} has neither ivar nor mask"
    return lacks


def _range_lacks(name: str, limits: tuple[float, float] | None) -> dict[Need, str]:
    low, high = limits or (0.0, 0.0)
    lacks: dict[Need, str] = {}
    if min(high, _OPTICAL_AA[1]) - max(low, _OPTICAL_AA[0]) < _OPTICAL_LENGTH_AA:
        lacks["optical spectrum"] = f"{name} covers less than 500 Angstrom between 4000 and 14000"
    if not low + 500.0 < _RED_AA < high:
        lacks["red spectrum"] = f"{name} does not cover the hydroxyl lines at 8500 Angstrom"
    return lacks


def lacking(kind: Kind, offer: Offer) -> str:
    """What this survey lacks for `kind`; "" where nothing is lacking."""
    return "; ".join(offer.lacks[need] for need in kind.needs if need in offer.lacks)


def refuse(kind: Kind, offer: Offer) -> str:
    """Why `kind` cannot be planted in this survey; "" when it can."""
    reasons = lacking(kind, offer)
    return f"{kind.name} cannot be planted: {reasons}" if reasons else ""
