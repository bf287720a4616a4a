"""Weak artefacts of ordinary exposures: residual hits, faint trails, ghosts, masked specks."""

import numpy as np

from fmb import Array

__all__ = ["BLEMISHED_SHARE", "add_blemish"]

BLEMISHED_SHARE = 0.10


def add_blemish(
    flux: Array, ivar: Array, mask: Array, sky_sigma: float, rng: np.random.Generator
) -> None:
    """Put one weak artefact on one band, in place.

    Args:
        flux: (size, size), in any unit.
        ivar: the same shape.
        mask: the same shape, bool; True = bad.
        sky_sigma: noise of an empty pixel.
        rng: chooses the kind and its place.
    """
    size = len(flux)
    kind = rng.integers(4)
    x, y = rng.uniform(0.05, 0.95, 2) * size
    if kind == 0:
        for step in range(int(rng.integers(2, 6))):
            flux[int(y), min(int(x) + step, size - 1)] += sky_sigma * rng.uniform(4.0, 8.0)
        return
    columns, rows = np.meshgrid(np.arange(size), np.arange(size))
    if kind == 1:
        turn = rng.random() * np.pi
        across = (columns - x) * np.sin(turn) - (rows - y) * np.cos(turn)
        flux += np.float32(sky_sigma * rng.uniform(0.3, 0.8)) * np.exp(-0.5 * (across / 2.0) ** 2)
    elif kind == 2:
        radius = np.hypot(columns - x, rows - y)
        inside = radius < rng.uniform(10.0, 25.0)
        flux += np.float32(sky_sigma * rng.uniform(0.3, 0.7)) * inside
    else:
        speck = np.hypot(columns - x, rows - y) < rng.uniform(1.0, 2.5)
        flux[speck], ivar[speck], mask[speck] = 0.0, 0.0, True
