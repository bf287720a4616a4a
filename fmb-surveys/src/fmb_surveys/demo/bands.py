"""The bands of the simulated survey: what they transmit, how deep and how sharp they are."""

from dataclasses import dataclass

import numpy as np

from fmb import Array

__all__ = ["BANDS", "EUCLID", "LEGACY", "Band", "Instrument", "transmission"]


@dataclass(frozen=True)
class Band:
    """One band: half-power edges, noise, sharpness and effective gain."""

    name: str
    edges_aa: tuple[float, float]
    noise_mag: float
    """AB magnitude of one sigma of the empty-sky noise in one pixel."""
    psf_fwhm_arcsec: float
    electrons_per_ujy: float
    """Detected electrons a microjansky over the whole exposure; sets the noise of bright pixels."""

    @property
    def noise_ujy(self) -> float:
        """One sigma of the sky noise in a pixel, microjansky."""
        return float(10 ** (0.4 * (23.9 - self.noise_mag)))

    @property
    def effective_aa(self) -> float:
        """Pivot of a flat band, the geometric mean of its edges, Angstrom."""
        return float(np.sqrt(self.edges_aa[0] * self.edges_aa[1]))


@dataclass(frozen=True)
class Instrument:
    """An imaging input of the survey."""

    name: str
    bands: tuple[Band, ...]
    size_px: int
    pixel_scale_arcsec: float
    unit: str
    ujy_per_unit: float


# Edges: Euclid Collaboration: Schirmer et al. 2022, A&A 662, A92 (NISP), Cropper et al. 2025 (VIS).
# VIS: 4 exposures of 566 s, zero point 25.6 mag for 1 e/s. NISP: 4 of 87 s, zero point near 25.0;
# its pixels are 0.3 arcsec and are resampled to 0.1: the noise here is white and set for a depth
# of 24.4 mag (5 sigma) in an aperture of 0.9 arcsec, which is what the resampled noise amounts to.
EUCLID = Instrument(
    name="euclid",
    bands=(
        Band("VIS", (5500.0, 9000.0), 31.0, 0.16, 1.1e4),
        Band("NISP-Y", (9500.0, 12120.0), 28.4, 0.36, 9.6e2),
        Band("NISP-J", (11680.0, 15670.0), 28.5, 0.42, 1.1e3),
        Band("NISP-H", (15220.0, 20210.0), 28.4, 0.48, 1.2e3),
    ),
    size_px=96,
    pixel_scale_arcsec=0.1,
    unit="uJy",
    ujy_per_unit=1.0,
)

# DECam bands at the depth of the Dark Energy Survey (Abbott et al. 2021, ApJS 255, 20): 5 sigma for
# a point source at 25.0, 24.7, 24.1, 23.5 mag, spread over the 47 pixels of the point source.
# Unit: a nanomaggy, written so that astropy can convert it to jansky without an equivalency.
LEGACY = Instrument(
    name="legacysurvey",
    bands=(
        Band("DES-G", (3980.0, 5480.0), 28.85, 1.3, 1.0e4),
        Band("DES-R", (5680.0, 7160.0), 28.55, 1.2, 1.3e4),
        Band("DES-I", (7100.0, 8570.0), 27.95, 1.15, 1.1e4),
        Band("DES-Z", (8500.0, 10000.0), 27.35, 1.15, 7.0e3),
    ),
    size_px=152,
    pixel_scale_arcsec=0.262,
    unit="3.631e-06 Jy",
    ujy_per_unit=3.631,
)

BANDS = EUCLID.bands + LEGACY.bands
"""All eight bands, in the order of every (..., 8) array of the simulation."""


def transmission(band: Band, wavelength_aa: Array) -> Array:
    """Transmission between 0 and 1: flat with edges 2 % wide."""
    wave = np.asarray(wavelength_aa, dtype=np.float64)
    low, high = band.edges_aa
    rise = np.tanh(np.log(wave / low) / 0.01)
    fall = np.tanh(np.log(high / wave) / 0.01)
    return np.asarray(0.25 * (1.0 + rise) * (1.0 + fall))
