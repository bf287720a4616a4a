"""The noise that a unit of flux brings to a spectrum, from how variance grows with flux."""

import warnings

import numpy as np

from fmb import Array, Dataset, Spectra

__all__ = ["spectrum_gains"]

_OBJECTS = 256
_PARTS = 24
_LEAST = 40
"""Objects without which a slope says nothing."""


def spectrum_gains(dataset: Dataset) -> dict[str, Array]:
    """Spectrum input -> (pixels,) variance that a unit of flux brings.

    In each of 24 parts of the wavelengths: the variance of the brightest quarter of at most 256
    objects less that of the faintest quarter, over the difference in flux. Where brighter objects
    are no noisier, ivar leaves their photons out or exposures differ more than that: then 0. Inputs
    without ivar, or with a grid for each object, are left out.
    """
    found = {}
    for name, info in dataset.inputs.items():
        rows = np.flatnonzero(info.have(len(dataset)))
        if info.kind != "spectra" or len(rows) < _LEAST:
            continue
        chosen = rows[:: max(1, len(rows) // _OBJECTS)][:_OBJECTS]
        spectra = dataset.read(chosen, (name,)).inputs[name]
        if not isinstance(spectra, Spectra) or spectra.ivar is None:
            continue
        if spectra.wavelength_aa.ndim == 1:
            found[name] = _slopes(spectra.flux, spectra.ivar, spectra.mask)
    return found


def _slopes(flux: Array, ivar: Array, mask: Array) -> Array:
    """(pixels,) >= 0, interpolated between the middles of the parts."""
    good = ~mask & (ivar > 0) & np.isfinite(flux)
    levels = np.where(good, flux, np.nan)
    variance = np.where(good, 1.0 / np.where(good, ivar, 1.0), np.nan)
    parts = np.array_split(np.arange(flux.shape[1]), _PARTS)
    slopes = [_slope(levels[:, part], variance[:, part]) for part in parts]
    middles = [float(part.mean()) for part in parts]
    return np.interp(np.arange(flux.shape[1]), middles, slopes)


def _slope(levels: Array, variance: Array) -> float:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # objects without a good pixel here
        light, noise = np.nanmedian(levels, axis=1), np.nanmedian(variance, axis=1)
    known = np.isfinite(light) & np.isfinite(noise)
    if known.sum() < _LEAST:
        return 0.0
    order = np.flatnonzero(known)[np.argsort(light[known], kind="stable")]
    faint, bright = order[: len(order) // 4], order[-(len(order) // 4) :]
    rise = float(np.median(light[bright]) - np.median(light[faint]))
    more = float(np.median(noise[bright]) - np.median(noise[faint]))
    return max(0.0, more / rise) if rise > 0 else 0.0
