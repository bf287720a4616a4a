"""Artefacts of detectors and of passing satellites, in the sharpest band."""

import numpy as np

from fmb_surveys.planting.target import Target

__all__ = ["plant_cosmic_rays", "plant_dead_columns", "plant_masked_columns", "plant_trail"]


def plant_trail(target: Target, height_sigma: float, rng: np.random.Generator) -> None:
    """Add a straight trail, 0.3-1 arcsec wide, across the first band of the sharpest images.

    Args:
        target: changed in place.
        height_sigma: its ridge, in sigma of the sky noise of a pixel.
        rng: place, direction and width.
    """
    cutouts = target.sharpest()
    rows, columns = np.indices(cutouts.flux.shape[1:])
    height, width = cutouts.flux.shape[1:]
    x, y = rng.uniform(0.2, 0.8) * width, rng.uniform(0.2, 0.8) * height
    turn = rng.random() * np.pi
    sigma_px = rng.uniform(0.3, 1.0) / 2.355 / cutouts.pixel_scale_arcsec
    across = (columns - x) * np.sin(turn) - (rows - y) * np.cos(turn)
    ridge = height_sigma * cutouts.sigma(0) * np.exp(-0.5 * (across / sigma_px) ** 2)
    cutouts.flux[0] += ridge.astype(np.float32)


def plant_cosmic_rays(target: Target, n_tracks: float, rng: np.random.Generator) -> None:
    """Add tracks of 0.1-2.5 arcsec and 10-30 sigma, one pixel wide, to the sharpest band.

    Args:
        target: changed in place.
        n_tracks: rounded to a whole number.
        rng: places, lengths and heights.
    """
    cutouts = target.sharpest()
    height, width = cutouts.flux.shape[1:]
    sigma = cutouts.sigma(0)
    for _ in range(round(n_tracks)):
        length = rng.uniform(0.1, 2.5) / cutouts.pixel_scale_arcsec
        turn = rng.random() * np.pi
        steps = np.arange(0.0, max(length, 1.0), 0.5)
        columns = np.rint(rng.uniform(0, width) + steps * np.cos(turn)).astype(int)
        rows = np.rint(rng.uniform(0, height) + steps * np.sin(turn)).astype(int)
        inside = (rows >= 0) & (rows < height) & (columns >= 0) & (columns < width)
        hit = np.unique(np.stack([rows[inside], columns[inside]]), axis=1)
        tops = sigma * rng.uniform(10.0, 30.0) * rng.uniform(0.6, 1.4, hit.shape[1])
        cutouts.flux[0, hit[0], hit[1]] += np.asarray(tops, dtype=np.float32)


def plant_dead_columns(target: Target, n_columns: float, rng: np.random.Generator) -> None:
    """Set neighbouring columns of the sharpest band to zero; neither mask nor ivar tells.

    Args:
        target: changed in place.
        n_columns: rounded to a whole number.
        rng: place.
    """
    target.sharpest().flux[0][:, _columns(target, n_columns, rng)] = 0.0


def plant_masked_columns(target: Target, n_columns: float, rng: np.random.Generator) -> None:
    """The same columns at zero, with mask and ivar that say so: a negative control.

    Args:
        target: changed in place.
        n_columns: rounded to a whole number.
        rng: place.
    """
    cutouts = target.sharpest()
    dead = _columns(target, n_columns, rng)
    cutouts.flux[0][:, dead] = 0.0
    if cutouts.mask is not None:
        cutouts.mask[0][:, dead] = True
    if cutouts.ivar is not None:
        cutouts.ivar[0][:, dead] = 0.0


def _columns(target: Target, n_columns: float, rng: np.random.Generator) -> slice:
    width = target.sharpest().flux.shape[2]
    first = int(rng.uniform(0.1, 0.9) * (width - round(n_columns)))
    return slice(first, first + round(n_columns))
