"""The arms of a spectrograph merged on the grid that they share; nothing is interpolated."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from fmb import Array, ShapeError

__all__ = ["Grid", "grid_of", "merged"]

TOLERANCE = 0.01
"""Of a pixel: wavelengths that differ by less are the same."""


@dataclass(frozen=True, eq=False)
class Grid:
    """All wavelengths of several arms."""

    wavelength_aa: Array
    """(pixels,), float64; where two arms have a pixel, as the bluer one has it."""
    starts: tuple[int, ...]
    """The first pixel of each arm in it."""


def grid_of(arms: Sequence[Array], where: str) -> Grid:
    """The grid that arms share.

    Args:
        arms: wavelengths of each, ascending, from the bluest arm on.
        where: names the file in messages.

    Raises:
        ShapeError: an arm has no even steps, or pixels between those of another: FMB does not
            interpolate. Or there is a gap between two.
    """
    step = float(arms[0][1] - arms[0][0])
    if not step > 0 or any(np.abs(np.diff(arm) - step).max() > TOLERANCE * step for arm in arms):
        raise ShapeError(f"{where}: its arms have no wavelengths in even, ascending steps")
    starts = [(float(arm[0]) - float(arms[0][0])) / step for arm in arms]
    if any(abs(start - round(start)) > TOLERANCE or start < 0 for start in starts):
        raise ShapeError(f"{where}: its arms have pixels between those of others; none is moved")
    whole = tuple(round(start) for start in starts)
    ends = [start + len(arm) for start, arm in zip(whole, arms, strict=True)]
    grid = np.full(max(ends), np.nan)
    for start, arm in reversed(list(zip(whole, arms, strict=True))):
        grid[start : start + len(arm)] = arm
    if np.isnan(grid).any():
        raise ShapeError(f"{where}: there are wavelengths between its arms that none of them has")
    return Grid(grid, whole)


def merged(grid: Grid, arms: Sequence[tuple[Array, Array, Array]]) -> tuple[Array, Array, Array]:
    """Spectra of several arms as one.

    Where one arm alone has a good pixel its numbers stay bit for bit; where several have, they
    are weighted by inverse variance, in float64.

    Args:
        grid: that the arms share.
        arms: of each, flux, inverse variance and mask (not 0 = bad), all (m, its pixels).

    Returns:
        Flux and inverse variance, float32, and bad pixels, bool, each (m, pixels). A bad pixel has
        inverse variance 0 and the flux of the bluest arm that has it.
    """
    shape = (len(arms[0][0]), len(grid.wavelength_aa))
    made = np.empty(shape, np.float32), np.empty(shape, np.float32), np.empty(shape, bool)
    spans = [(start, start + arm[0].shape[1]) for start, arm in zip(grid.starts, arms, strict=True)]
    for begin, end in pairwise(sorted({edge for span in spans for edge in span})):
        parts = [
            tuple(part[:, begin - first : end - first] for part in arm)
            for (first, last), arm in zip(spans, arms, strict=True)
            if first <= begin and end <= last
        ]
        one = _alone(*parts[0]) if len(parts) == 1 else _weighted(parts)
        for whole, part in zip(made, one, strict=True):
            whole[:, begin:end] = part
    return made


def _alone(flux: Array, ivar: Array, mask: Array) -> tuple[Array, Array, Array]:
    bad = (mask != 0) | ~(ivar > 0) | ~np.isfinite(flux) | np.isinf(ivar)
    return flux, np.where(bad, np.float32(0), ivar), bad


def _weighted(arms: Sequence[tuple[Array, ...]]) -> tuple[Array, Array, Array]:
    """Flux, inverse variance and bad pixels where several arms have all pixels."""
    flux, ivar, bad = _alone(*arms[0])
    weights, sums, n_good = np.zeros(flux.shape), np.zeros(flux.shape), np.zeros(flux.shape, int)
    for arm in arms:
        arm_flux, arm_ivar, arm_bad = _alone(*arm)
        taken = ~arm_bad & bad
        flux, ivar, bad = (
            np.where(taken, arm_flux, flux),
            np.where(taken, arm_ivar, ivar),
            bad & arm_bad,
        )
        weights += arm_ivar.astype(np.float64)
        sums += arm_ivar.astype(np.float64) * np.where(arm_bad, 0, arm_flux)
        n_good += ~arm_bad
    several = n_good > 1
    flux[several] = sums[several] / weights[several]
    ivar[several] = weights[several]
    return flux, ivar, bad
