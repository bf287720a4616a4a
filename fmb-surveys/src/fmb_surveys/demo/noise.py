"""Noise of pixels: sky, detector and the source's own photons."""

import numpy as np

from fmb import Array

__all__ = ["expose"]


def expose(
    model: Array,
    sky_sigma: Array,
    units_per_electron: Array,
    rng: np.random.Generator,
    flux: Array,
    ivar: Array,
) -> None:
    """Fill a noisy exposure of a noise-free image or spectrum, and its inverse variance.

    Args:
        model: (channels, ...) expected flux, float32.
        sky_sigma: broadcasts to `model`: one sigma of sky and detector.
        units_per_electron: broadcasts to `model`: flux of one electron, for the source's own noise.
        rng: gives one normal number a pixel.
        flux: float32, the shape of `model`, contiguous; overwritten.
        ivar: the same.
    """
    np.maximum(model, 0.0, out=ivar)
    ivar *= units_per_electron
    ivar += sky_sigma**2
    rng.standard_normal(out=flux, dtype=np.float32)
    flux *= np.sqrt(ivar)
    flux += model
    np.divide(1.0, ivar, out=ivar)
