"""Spectra as AION's codec takes them: 1e-17 erg/s/cm2/A, ascending Angstrom, noise and mask."""

from dataclasses import dataclass

import numpy as np

from fmb import Array, DataError, Spectra
from fmb_aion.fluxes import scale_to
from fmb_aion.recipes import SpectrumCodecSizes, SpectrumRecipe

__all__ = ["PreparedSpectra", "noise_ivar", "prepare_spectra"]

_FLAT = "flat: no noise to measure, and the survey gives none"


@dataclass(frozen=True, eq=False)
class PreparedSpectra:
    """Spectra of n objects; pixels without a wavelength stand at the end of each row."""

    flux: Array
    """(n, pixels), float32, in the recipe's unit; not finite where the survey's is not."""
    ivar: Array
    """(n, pixels), float32; 0 = no information."""
    mask: Array
    """(n, pixels), bool, True = bad."""
    wavelength: Array
    """(n, pixels), float32, Angstrom, ascending; 0 = the spectrum has ended."""
    reasons: list[str]
    """n texts, "" where the spectrum is usable."""


def prepare_spectra(
    spectra: Spectra, recipe: SpectrumRecipe, codec: SpectrumCodecSizes, min_coverage: float
) -> PreparedSpectra:
    """The spectra in the codec's unit, masked where they carry nothing.

    The codec sees the flux of masked pixels too, as it did in training; it leaves them out of the
    normalisation and sees their inverse variance. Without an `ivar` the noise is measured from the
    spectrum itself, see `noise_ivar`.

    Args:
        spectra: calibrated, on one grid or each on its own.
        recipe: unit.
        codec: the wavelength range.
        min_coverage: smallest part of the range that good pixels must cover.

    Raises:
        DataError: not flux-calibrated, or a unit that is not a flux density per wavelength.
    """
    if not spectra.calibrated:
        raise DataError(
            "the spectra are not flux-calibrated; AION's tokens hold the flux level:"
            " calibrate them or use another model"
        )
    scale = scale_to(recipe.unit, spectra.unit, "spectra")
    # In double precision: in erg/s/cm2/A an inverse variance is near the largest float32.
    flux = (spectra.flux.astype(np.float64) * scale).astype(np.float32)
    wavelength = _with_zeros(spectra.wavelengths())
    bad = spectra.mask | ~np.isfinite(flux) | (wavelength == 0)
    flat: Array = np.zeros(len(flux), dtype=bool)
    if spectra.ivar is None:
        ivar = noise_ivar(flux, bad)
        flat = np.asarray(~(ivar > 0).any(axis=1))
    else:
        given = spectra.ivar.astype(np.float64) / scale**2
        ivar = np.where(np.isfinite(given) & (given > 0), given, 0).astype(np.float32)
        bad |= ivar == 0
    flux, ivar, bad, wavelength = _closed_up(flux, ivar, bad, wavelength)
    told = zip(_reasons(wavelength, bad, codec, min_coverage), flat, strict=True)
    reasons = [reason or (_FLAT if no_noise else "") for reason, no_noise in told]
    return PreparedSpectra(flux, ivar, bad, wavelength, reasons)


def noise_ivar(flux: Array, bad: Array) -> Array:
    """Inverse variance of each spectrum, (n, pixels) float32, from neighbours two pixels apart.

    One value a spectrum, 0 in bad pixels and where nothing can be measured.

    Source: DER_SNR, Stoehr et al. 2008, ASPC 394, 505: noise = 1.482602/sqrt(6) times the median
    of |2 f(i) - f(i-2) - f(i+2)|.
    """
    ivar = np.zeros(flux.shape, dtype=np.float32)
    for row, (values, skipped) in enumerate(zip(flux, bad, strict=True)):
        known = values[~skipped].astype(np.float64)
        if len(known) > 4:
            bend = np.abs(2 * known[2:-2] - known[:-4] - known[4:])
            noise = 1.482602 / np.sqrt(6.0) * np.median(bend)
            if noise > 0:
                ivar[row, ~skipped] = noise**-2
    return ivar


def _with_zeros(wavelength: Array) -> Array:
    """Wavelengths as float32; 0 where there is none (surveys pad with -1 or NaN)."""
    known = np.isfinite(wavelength) & (wavelength > 0)
    return np.where(known, wavelength, 0).astype(np.float32)


def _closed_up(flux: Array, ivar: Array, bad: Array, wavelength: Array) -> tuple[Array, ...]:
    """The same arrays with the pixels that have a wavelength first, in their order."""
    empty = wavelength == 0
    if not empty.any():
        return flux, ivar, bad, wavelength
    order = np.argsort(empty, axis=1, kind="stable")
    longest = int((~empty).sum(axis=1).max(initial=1))
    arrays = (flux, ivar, bad, wavelength)
    return tuple(np.take_along_axis(a, order, axis=1)[:, :longest] for a in arrays)


def _reasons(
    wavelength: Array, bad: Array, codec: SpectrumCodecSizes, min_coverage: float
) -> list[str]:
    """Why each spectrum is not usable, or ""."""
    first = codec.lambda_min
    last = first + codec.resolution * (codec.num_pixels - 1)
    reasons = []
    for grid, skipped in zip(wavelength, bad, strict=True):
        known = grid[grid > 0]
        width = np.gradient(known) if len(known) > 1 else np.zeros(len(known))
        within = ~skipped[: len(known)] & (known >= first) & (known <= last)
        coverage = float(width[within].sum()) / (last - first)
        reason = ""
        if len(known) > 1 and not (np.diff(known) > 0).all():
            reason = "wavelengths do not ascend"
        elif len(known) and known[-1] < first <= 10 * known[-1]:
            reason = (
                f"covers {known[0]:.0f}-{known[-1]:.0f} A, not {first:.0f}-{last:.0f} A;"
                " are these nanometres?"
            )
        elif coverage <= 0:
            reason = f"no good pixel within {first:.0f}-{last:.0f} A"
        elif coverage < min_coverage:
            reason = (
                f"covers {coverage:.0%} of {first:.0f}-{last:.0f} A, the least is"
                f" {min_coverage:.0%}"
            )
        reasons.append(reason)
    return reasons
