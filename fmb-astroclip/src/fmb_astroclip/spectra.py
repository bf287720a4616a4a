"""Makes of calibrated spectra the rows of flux that the spectrum tower takes."""

from dataclasses import dataclass

import numpy as np

from fmb import Array, ShapeError, Spectra
from fmb_astroclip.recipes import SpectrumRecipe
from fmb_astroclip.units import LARGEST, factor_to

__all__ = ["Fluxes", "prepare_spectra"]


@dataclass(frozen=True, eq=False)
class Fluxes:
    """Spectra of n objects, on the pixels they came on."""

    values: Array
    """(n, pixels), float32, in the recipe's unit; NaN where the spectrum is not usable and after
    its last pixel."""
    lengths: Array
    """(n,), int64: pixels of each spectrum without the padding at its end."""
    reasons: list[str]
    """n texts, "" where the spectrum is usable."""


def prepare_spectra(
    spectra: Spectra, recipe: SpectrumRecipe, *, max_pixels: int, min_coverage: float
) -> Fluxes:
    """The flux of each spectrum in the recipe's unit, as long as it has wavelengths.

    A bad pixel lies on the line between the good ones around it; before the first and after the
    last good pixel stands the median of the good pixels of the nearest section. The mask cannot be
    left to the network: it has no input for it, and scales by the mean and deviation of all pixels.

    Args:
        spectra: on any grid; pixels at the end whose wavelength is not positive are padding.
        recipe: unit and section.
        max_pixels: longest spectrum that the network takes.
        min_coverage: smallest part of the pixels that must be good.

    Raises:
        DataError: the unit is no flux density per wavelength.
        ShapeError: more pixels than the network takes, or fewer than one section and a pixel.
    """
    n, pixels = spectra.flux.shape
    if not recipe.min_pixels <= pixels <= max_pixels:
        raise ShapeError(
            f"spectra of {pixels} px: these weights take {recipe.min_pixels} to {max_pixels} px"
        )
    factor = factor_to(recipe.unit, spectra.unit)
    known = np.broadcast_to(spectra.wavelength_aa > 0, (n, pixels))
    lengths = np.where(known.any(axis=1), pixels - known[:, ::-1].argmax(axis=1), 0)
    good = _good_pixels(spectra) & known
    values = np.full((n, pixels), np.nan, dtype=np.float32)
    reasons = []
    for i, length in enumerate(lengths.tolist()):
        kept = good[i, :length]
        flux = spectra.flux[i, :length] * factor
        reason = _reason(flux, kept, recipe, min_coverage)
        reasons.append(reason)
        if not reason:
            values[i, :length] = flux if kept.all() else _bridged(flux, kept, recipe.section_px)
    return Fluxes(values, lengths.astype(np.int64), reasons)


def _good_pixels(spectra: Spectra) -> Array:
    good = np.isfinite(spectra.flux) & ~spectra.mask
    if spectra.ivar is not None:
        good &= spectra.ivar > 0
    return good


def _reason(flux: Array, good: Array, recipe: SpectrumRecipe, min_coverage: float) -> str:
    """Why a spectrum is not usable, or ""."""
    if not good.any():
        return "no good pixel"
    if len(good) < recipe.min_pixels:
        return f"{len(good)} px have a wavelength, the least is {recipe.min_pixels}"
    coverage = float(good.mean())
    if coverage < min_coverage:
        return f"{coverage:.0%} of the pixels are good, the least is {min_coverage:.0%}"
    largest = float(np.abs(flux[good]).max())
    if largest > LARGEST:
        return f"a flux of {largest:.1e} x {recipe.unit}: no data"
    return ""


def _bridged(flux: Array, good: Array, section_px: int) -> Array:
    """The flux with lines over its bad pixels and level ends."""
    at = np.flatnonzero(good)
    kept = flux[at]
    left, right = np.median(kept[:section_px]), np.median(kept[-section_px:])
    line = np.interp(np.arange(len(flux)), at, kept, left=left, right=right)
    return np.where(good, flux, line)
