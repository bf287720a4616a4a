"""Second redshift: the narrow lines of another galaxy in the spectrum."""

import numpy as np

from fmb_surveys.planting.lines import NARROW, gaussian_line
from fmb_surveys.planting.target import Spectrum, Target

__all__ = ["plant_second_redshift"]

_RANGE = (0.05, 1.2)
_APART = 0.02


def plant_second_redshift(target: Target, width_aa: float, rng: np.random.Generator) -> None:
    """Add the lines of a galaxy at another redshift.

    Args:
        target: its spectra are changed in place.
        width_aa: observed equivalent width of the strongest line over the host's continuum.
        rng: redshift, width of the lines and noise.
    """
    for spectrum in target.spectra.values():
        other = _other_redshift(spectrum, target.redshift, rng)
        seen = [(aa * (1 + other), r) for aa, r in NARROW if spectrum.covers(aa * (1 + other), 0.0)]
        strongest_aa, strongest = max(seen, key=lambda line: line[1])
        total = width_aa * spectrum.continuum(strongest_aa) / strongest
        sigma = rng.uniform(50.0, 120.0)
        lines = [gaussian_line(spectrum.wavelength_aa, aa, r * total, sigma) for aa, r in seen]
        spectrum.add_light(np.sum(lines, axis=0), rng)


def _other_redshift(spectrum: Spectrum, redshift: float, rng: np.random.Generator) -> float:
    """A redshift away from the host's that brings a strong line into the spectrum."""
    seen = spectrum.wavelength_aa[spectrum.good()]
    ranges = []
    for aa in (3728.8, 5008.2, 6564.6):
        low = max(_RANGE[0], (seen[0] + 40.0) / aa - 1)
        high = min(_RANGE[1], (seen[-1] - 40.0) / aa - 1)
        if high > low:
            ranges.append((low, high))
    lengths = np.array([high - low for low, high in ranges])
    while True:
        low, high = ranges[int(rng.choice(len(ranges), p=lengths / lengths.sum()))]
        other = rng.uniform(low, high)
        if abs(other - redshift) > _APART * (1 + redshift):
            return float(other)
