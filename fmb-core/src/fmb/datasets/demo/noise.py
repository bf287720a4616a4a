"""Noise of pixels: sky, detector and the source's own photons."""

import numpy as np

from fmb.data import Array

__all__ = ["noisy"]


def noisy(
    model: Array, sky_sigma: Array, units_per_electron: Array, rng: np.random.Generator
) -> tuple[Array, Array]:
    """A noisy exposure of a noise-free image or spectrum, and its inverse variance.

    Args:
        model: (channels, ...) expected flux, float32.
        sky_sigma: broadcasts to `model`: one sigma of sky and detector.
        units_per_electron: broadcasts to `model`: flux of one electron, for the source's own noise.
        rng: gives one normal number a pixel.

    Returns:
        Flux and ivar, both float32, the shape of `model`.
    """
    variance = np.maximum(model, 0.0) * units_per_electron
    variance += sky_sigma**2
    flux = rng.standard_normal(model.shape, dtype=np.float32)
    flux *= np.sqrt(variance)
    flux += model
    return flux, np.divide(1.0, variance, out=variance)
