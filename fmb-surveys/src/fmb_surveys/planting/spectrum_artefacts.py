"""Artefacts of a spectrograph and of the removal of the sky."""

import numpy as np

from fmb import Array
from fmb_surveys.planting.airglow import OH_AA
from fmb_surveys.planting.target import Spectrum, Target

__all__ = [
    "ARM_EDGES_AA",
    "plant_arm_step",
    "plant_known_burst",
    "plant_noise_burst",
    "plant_sky_residual",
]

ARM_EDGES_AA = (5800.0, 7600.0)
"""Where the arms of the DESI spectrographs meet."""

_LSF_SIGMA_AA = 0.85
_GAP_AA = 150.0
_CROWD = 5


def plant_noise_burst(target: Target, factor: float, rng: np.random.Generator) -> None:
    """Add noise over 100-300 Angstrom; ivar keeps its old, wrong value.

    Args:
        target: changed in place.
        factor: noise over its usual value.
        rng: place and noise.
    """
    for spectrum in target.spectra.values():
        _burst(spectrum, factor, rng)


def plant_known_burst(target: Target, factor: float, rng: np.random.Generator) -> None:
    """The same noise with the right ivar: a negative control.

    Args:
        target: changed in place.
        factor: noise over its usual value.
        rng: place and noise.
    """
    for spectrum in target.spectra.values():
        part = _burst(spectrum, factor, rng)
        if spectrum.ivar is not None:
            spectrum.ivar[part] /= factor**2


def _burst(spectrum: Spectrum, factor: float, rng: np.random.Generator) -> Array:
    """Pixels that became noisier, (pixels,) bool."""
    good = np.flatnonzero(spectrum.good())
    wave = spectrum.wavelength_aa
    length = min(rng.uniform(100.0, 300.0), 0.5 * float(wave[good[-1]] - wave[good[0]]))
    start = rng.uniform(wave[good[0]], wave[good[-1]] - length)
    part = spectrum.good() & (wave >= start) & (wave < start + length)
    extra = np.sqrt(factor**2 - 1.0) * spectrum.sigma()[part]
    spectrum.flux[part] += (extra * rng.standard_normal(len(extra))).astype(np.float32)
    return np.asarray(part)


def plant_arm_step(target: Target, step: float, rng: np.random.Generator) -> None:
    """Scale the flux redwards of 5800 or 7600 Angstrom; ivar is not told.

    Args:
        target: changed in place.
        step: share of the flux; up or down.
        rng: which edge and which way.
    """
    for spectrum in target.spectra.values():
        edges = [edge for edge in ARM_EDGES_AA if spectrum.covers(edge, 100.0)]
        if not edges:
            seen = spectrum.wavelength_aa[spectrum.good()]
            edges = [float(0.5 * (seen[0] + seen[-1]))]
        red = spectrum.wavelength_aa > float(rng.choice(edges))
        spectrum.flux[red] *= np.float32(1.0 + step * float(rng.choice([-1.0, 1.0])))


def plant_sky_residual(target: Target, height_sigma: float, rng: np.random.Generator) -> None:
    """Leave one group of hydroxyl lines in the flux, all too high or all too low.

    Args:
        target: changed in place.
        height_sigma: of the strongest lines, in sigma of a pixel there.
        rng: group, sign and strengths of the lines.
    """
    for spectrum in target.spectra.values():
        wave, sigma = spectrum.wavelength_aa, spectrum.sigma()
        sign = float(rng.choice([-1.0, 1.0]))
        shape = np.zeros(len(wave))
        for line in _group(spectrum, rng):
            height = rng.uniform(0.3, 1.0)
            offset = np.clip((wave - line) / _LSF_SIGMA_AA, -12.0, 12.0)
            shape = np.maximum(shape, height * np.exp(-0.5 * offset**2))
        good = spectrum.good()
        spectrum.flux[good] += (sign * height_sigma * shape * sigma)[good].astype(np.float32)


def _group(spectrum: Spectrum, rng: np.random.Generator) -> Array:
    """Wavelengths of a crowd of at least five lines that the spectrum covers."""
    seen = OH_AA[[spectrum.covers(float(line)) for line in OH_AA]]
    groups = np.split(seen, np.flatnonzero(np.diff(seen) > _GAP_AA) + 1)
    crowds = [group for group in groups if len(group) >= _CROWD]
    return crowds[int(rng.integers(len(crowds)))] if crowds else seen
