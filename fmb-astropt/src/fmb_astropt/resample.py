"""Brings spectra to the pixels of a grid, weighting by inverse variance and keeping masks."""

from dataclasses import dataclass

import numpy as np

from fmb import Array, Spectra
from fmb_astropt.recipes import SpectrumRecipe

__all__ = ["Resampled", "resample"]

_GAP = 1.5
"""A pixel reaches at most this many half steps to a side: a gap in the grid stays a gap."""


@dataclass(frozen=True, eq=False)
class Resampled:
    """n spectra on the m pixels of a grid."""

    flux: Array
    """(n, m), float64; 0 where nothing is known."""
    information: Array
    """(n, m), float64: inverse variance, or the number of good input pixels when none is given."""
    covered: Array
    """(n, m), bool: good input pixels cover at least half of the pixel."""
    usable: Array
    """(n,), bool: False where the good wavelengths are not ascending or fewer than two."""


@dataclass(frozen=True, eq=False)
class _Pieces:
    """The overlaps of input pixels with grid pixels, in order of wavelength."""

    source: Array
    """(pieces,): input pixel."""
    length_aa: Array
    """(pieces,): 0 in gaps between input pixels."""
    starts: Array
    """(m,): first piece of each grid pixel."""
    width_aa: Array
    """(pieces,): width of the input pixel."""
    centre_aa: Array
    """(p,): centres of the input pixels."""
    finer: bool
    """The grid is finer than the input."""


def resample(spectra: Spectra, recipe: SpectrumRecipe) -> Resampled:
    """The spectra on the recipe's grid; inverse variance is conserved, masked pixels weigh nothing.

    Where the grid is at least as coarse as the input, a grid pixel is the mean of the input pixels
    it overlaps, weighted by overlap x inverse variance. Where it is finer, the flux is interpolated
    linearly between good pixels; inverse variance and coverage are shared out as before.
    """
    good = np.isfinite(spectra.flux) & ~spectra.mask
    if spectra.ivar is not None:
        good &= np.isfinite(spectra.ivar) & (spectra.ivar > 0)
    flux = np.where(good, spectra.flux, 0).astype(np.float64)
    weight = np.where(good, 1.0 if spectra.ivar is None else spectra.ivar, 0).astype(np.float64)
    wavelength = spectra.wavelength_aa
    if wavelength.ndim == 1 and (kept := _ascending(wavelength, None)) is not None:
        return _on_one_grid(flux[:, kept], weight[:, kept], wavelength[kept], recipe)
    return _row_by_row(flux, weight, good, spectra.wavelengths(), recipe)


def _row_by_row(
    flux: Array, weight: Array, good: Array, wavelength: Array, recipe: SpectrumRecipe
) -> Resampled:
    rows = []
    for i in range(len(flux)):
        kept = _ascending(wavelength[i], good[i])
        if kept is None:
            rows.append(_nothing(recipe))
        else:
            rows.append(
                _on_one_grid(
                    flux[i : i + 1, kept], weight[i : i + 1, kept], wavelength[i, kept], recipe
                )
            )
    return Resampled(
        *(
            np.concatenate([getattr(row, name) for row in rows])
            for name in ("flux", "information", "covered", "usable")
        )
    )


def _nothing(recipe: SpectrumRecipe) -> Resampled:
    shape = (1, recipe.n_pixels)
    return Resampled(
        np.zeros(shape), np.zeros(shape), np.zeros(shape, dtype=bool), np.zeros(1, dtype=bool)
    )


def _ascending(wavelength: Array, good: Array | None) -> Array | None:
    """Positions of the pixels to use: all with a wavelength, else the good ones; None = no way.

    Bad pixels may carry any wavelength (SDSS fills up with -1), good ones must ascend.
    """
    for allowed in (True, good):
        if allowed is None:
            return None
        kept = np.flatnonzero(np.isfinite(wavelength) & (wavelength > 0) & allowed)
        if len(kept) > 1 and bool((np.diff(wavelength[kept]) > 0).all()):
            return kept
    return None


def _on_one_grid(
    flux: Array, weight: Array, wavelength: Array, recipe: SpectrumRecipe
) -> Resampled:
    pieces = _pieces(wavelength.astype(np.float64), recipe)

    def total(values: Array) -> Array:
        return np.asarray(np.add.reduceat(values, pieces.starts, axis=1))

    share = weight[:, pieces.source] * (pieces.length_aa / pieces.width_aa)
    information = total(share)
    summed = total(share * flux[:, pieces.source])
    known = information > 0
    mean = np.divide(summed, information, out=np.zeros_like(summed), where=known)
    covered = total((weight[:, pieces.source] > 0) * pieces.length_aa) >= 0.5 * recipe.step_aa
    if pieces.finer:
        mean = _interpolated(flux, weight > 0, pieces.centre_aa, recipe)
    return Resampled(mean, information, covered, np.ones(len(flux), dtype=bool))


def _pieces(wavelength: Array, recipe: SpectrumRecipe) -> _Pieces:
    step = np.diff(wavelength)
    before, after = np.r_[step[0], step], np.r_[step, step[-1]]
    most = _GAP * np.minimum(before, after)
    left = wavelength - np.minimum(before, most) / 2
    right = wavelength + np.minimum(after, most) / 2
    first, last = recipe.range_aa
    edges = np.linspace(first, last, recipe.n_pixels + 1)
    inner = np.concatenate([left, right])
    borders = np.unique(np.concatenate([edges, inner[(inner > first) & (inner < last)]]))
    middle = (borders[1:] + borders[:-1]) / 2
    source = np.searchsorted(left, middle, side="right") - 1
    inside = (source >= 0) & (middle < right[source])
    return _Pieces(
        source=np.where(inside, source, 0),
        length_aa=np.where(inside, np.diff(borders), 0.0),
        starts=np.searchsorted(borders, edges[:-1]),
        width_aa=(right - left)[np.where(inside, source, 0)],
        centre_aa=wavelength,
        finer=bool(np.median(step) > 1.001 * recipe.step_aa),
    )


def _interpolated(flux: Array, good: Array, centre_aa: Array, recipe: SpectrumRecipe) -> Array:
    wanted = recipe.start_aa + recipe.step_aa * np.arange(recipe.n_pixels)
    rows = [
        np.interp(wanted, centre_aa[kept], row[kept]) if kept.any() else np.zeros(len(wanted))
        for row, kept in zip(flux, good, strict=True)
    ]
    return np.stack(rows) if rows else np.zeros((0, len(wanted)))
