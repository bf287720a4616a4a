"""What instruments observed, as one row of numbers an object."""

from collections.abc import Iterator, Sequence

import numpy as np

from fmb import Array, Batch, DataError, Dataset, Images, Spectra

__all__ = ["BLOCK", "noise_scale", "read_light"]

BLOCK = 256
"""Objects read at a time."""
GRID_PIXELS = 2000
"""Pixels of the common grid of spectra, equal steps of log wavelength."""
SOFTENING = 3.0
"""Standard deviations of the noise at which the scale of light turns logarithmic."""


def read_light(
    dataset: Dataset, instrument: str, rows: Sequence[int] | Array
) -> Iterator[tuple[Array, Array]]:
    """Rows and what one instrument observed of each, (some, d), float32, a few at a time.

    Spectra are brought to one grid, straight across bad pixels; other gaps are 0.

    Raises:
        DataError: the instrument gives neither images nor spectra.
    """
    info = dataset.inputs[instrument]
    for start in range(0, len(rows), BLOCK):
        chosen = np.asarray(rows[start : start + BLOCK])
        batch = dataset.read(chosen, [instrument])
        if info.kind == "images":
            x = _pictures(batch, instrument)
        elif info.kind == "spectra":
            x = _spectra(batch, instrument, info.wavelength_aa)
        else:
            raise DataError(f"{instrument}: components are made of images and spectra")
        yield chosen, np.nan_to_num(x, nan=0.0, posinf=0.0, neginf=0.0)


def _pictures(batch: Batch, instrument: str) -> Array:
    images = batch.whole(instrument, Images)
    bad = ~np.isfinite(images.flux)
    if images.mask is not None:
        bad |= images.mask
    return np.where(bad, 0, images.flux).reshape(len(images.flux), -1).astype(np.float32)


def _spectra(batch: Batch, instrument: str, span: tuple[float, float] | None) -> Array:
    """On a common grid, straight across bad pixels."""
    spectra = batch.whole(instrument, Spectra)
    waves = spectra.wavelengths()
    good = ~spectra.mask & np.isfinite(spectra.flux) & np.isfinite(waves)
    if spectra.ivar is not None:
        good &= spectra.ivar > 0
    low, high = span or (float(waves[good].min()), float(waves[good].max()))
    grid = np.geomspace(low, high, GRID_PIXELS)
    found = np.zeros((len(good), GRID_PIXELS), dtype=np.float32)
    for row in range(len(good)):
        if good[row].any():
            found[row] = np.interp(grid, waves[row][good[row]], spectra.flux[row][good[row]])
    return found


def noise_scale(light: Array) -> Array:
    """(d,): three standard deviations of the noise of each value, from its median deviation."""
    middle = np.median(light, axis=0)
    deviation = 1.4826 * np.median(np.abs(light - middle), axis=0)
    typical = float(np.median(deviation)) or 1.0
    scale: Array = SOFTENING * np.maximum(deviation, 0.1 * typical)
    return scale
