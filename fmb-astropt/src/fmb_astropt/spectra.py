"""Cuts spectra into tokens: resample, fill what is masked, normalise, patches."""

from dataclasses import dataclass

import numpy as np

from fmb import Array, Spectra
from fmb_astropt.recipes import SpectrumRecipe
from fmb_astropt.resample import Resampled, resample
from fmb_astropt.robust import MAD_TO_SIGMA, order_statistics

__all__ = ["SpectrumTokens", "tokenise_spectra"]

_CONTINUUM_AA = 200.0
"""Window of the local mean: many narrow lines wide, small against the slopes of a continuum."""


@dataclass(frozen=True, eq=False)
class SpectrumTokens:
    """Tokens of n spectra."""

    values: Array
    """(n, t, pixels), float32; NaN for spectra that are not usable."""
    mask: Array
    """(n, t), bool: False where no pixel of the patch is covered."""
    reasons: list[str]
    """n texts, "" where the spectrum is usable."""


def tokenise_spectra(
    spectra: Spectra, recipe: SpectrumRecipe, min_coverage: float
) -> SpectrumTokens:
    """Tokens of each spectrum on the recipe's grid.

    A pixel that is masked or not covered carries the mean of its surroundings; a patch without any
    covered pixel carries zeros and is masked.

    Args:
        spectra: flux in any unit: every normalisation but "none" divides it out.
        recipe: grid, patch and normalisation.
        min_coverage: smallest part of the grid that must be covered.
    """
    on_grid = resample(spectra, recipe)
    values, scale = _normalised(on_grid, recipe)
    n, m = values.shape
    filled_up = recipe.n_tokens * recipe.patch_px - m
    shape = (n, recipe.n_tokens, recipe.patch_px)
    tokens = np.pad(values, ((0, 0), (0, filled_up))).reshape(shape).astype(np.float32)
    covered = np.pad(on_grid.covered, ((0, 0), (0, filled_up))).reshape(shape)
    mask = np.asarray(covered.any(axis=2))
    tokens[~mask] = 0
    reasons = _reasons(on_grid, scale, recipe, min_coverage)
    tokens[[bool(reason) for reason in reasons]] = np.nan
    return SpectrumTokens(tokens, mask, reasons)


def _normalised(on_grid: Resampled, recipe: SpectrumRecipe) -> tuple[Array, Array]:
    """Values (n, m) with every gap filled, and the scale (n,) they were divided by."""
    covered = on_grid.covered
    (level,) = order_statistics(on_grid.flux, covered, 0.5)
    relative = _relative_information(on_grid)
    local = _local_mean(on_grid.flux, relative, recipe, level)
    if recipe.normalisation == "none":
        return np.where(covered, on_grid.flux, local), np.ones(len(level))
    if recipe.normalisation == "std":
        # As the original benchmark: sample deviation before padding, mean not subtracted.
        scale = _sample_deviation(on_grid.flux, covered)
        return np.where(covered, on_grid.flux, local) / (scale[:, None] + 1e-8), scale
    return _robust(on_grid, relative, local)


def _robust(on_grid: Resampled, relative: Array, local: Array) -> tuple[Array, Array]:
    """The arcsinh of (flux - median) / sigma, sigma from the median absolute deviation.

    A pixel noisier than the median of its spectrum is drawn towards the local mean until its noise
    is that median: a noise burst that the inverse variance tells of does not look strange, and a
    masked pixel is the limit of infinite noise. Strong lines are compressed, not clipped.
    """
    flux = local + (on_grid.flux - local) * np.sqrt(relative)
    (level,) = order_statistics(flux, on_grid.covered, 0.5)
    (spread,) = order_statistics(np.abs(flux - level[:, None]), on_grid.covered, 0.5)
    scale = MAD_TO_SIGMA * spread
    usable = np.where(scale > 0, scale, np.nan)
    return np.asarray(np.arcsinh((flux - level[:, None]) / usable[:, None])), scale


def _relative_information(on_grid: Resampled) -> Array:
    """Inverse variance over the spectrum's median one, at most 1; 0 where not covered."""
    (typical,) = order_statistics(on_grid.information, on_grid.covered, 0.5)
    ratio = on_grid.information / np.where(typical > 0, typical, 1)[:, None]
    return np.where(on_grid.covered, np.minimum(ratio, 1.0), 0.0)


def _local_mean(flux: Array, weight: Array, recipe: SpectrumRecipe, level: Array) -> Array:
    """Weighted mean in a moving window; the spectrum's level where the window holds nothing."""
    half = max(1, round(_CONTINUUM_AA / 2 / recipe.step_aa))
    m = flux.shape[1]
    low = np.clip(np.arange(m) - half, 0, None)
    high = np.clip(np.arange(m) + half + 1, None, m)

    def window(values: Array) -> Array:
        running = np.cumsum(np.pad(values, ((0, 0), (1, 0))), axis=1)
        return np.asarray(running[:, high] - running[:, low])

    total = window(weight)
    known = total > 1e-6  # below it is the rounding of the running sum
    mean = np.divide(window(weight * flux), total, out=np.zeros_like(flux), where=known)
    return np.where(known, mean, level[:, None])


def _sample_deviation(flux: Array, covered: Array) -> Array:
    count = covered.sum(axis=1)
    mean = np.sum(flux, axis=1, where=covered) / np.maximum(count, 1)
    squares = np.sum((flux - mean[:, None]) ** 2, axis=1, where=covered)
    return np.asarray(np.sqrt(squares / np.maximum(count - 1, 1)))


def _reasons(
    on_grid: Resampled, scale: Array, recipe: SpectrumRecipe, min_coverage: float
) -> list[str]:
    """Why each spectrum is not usable, or ""."""
    first, last = recipe.range_aa
    coverage = on_grid.covered.mean(axis=1)
    reasons = []
    for i in range(len(coverage)):
        reason = ""
        if not on_grid.usable[i]:
            reason = "good pixels do not have ascending wavelengths"
        elif coverage[i] == 0:
            reason = f"no good pixel within {first:.0f}-{last:.0f} A"
        elif coverage[i] < min_coverage:
            reason = (
                f"covers {coverage[i]:.0%} of {first:.0f}-{last:.0f} A, the least is"
                f" {min_coverage:.0%}"
            )
        elif not scale[i] > 0:
            reason = "flat: no variation to scale by"
        reasons.append(reason)
    return reasons
