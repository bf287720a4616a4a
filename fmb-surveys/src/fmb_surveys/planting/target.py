"""One object's observations, as views that a planted anomaly may change in place."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np

from fmb import Array, DataError

__all__ = ["Cutouts", "Spectrum", "Target"]

_MAD_TO_SIGMA = 1.4826

T = TypeVar("T")


def _known(value: T | None, what: str) -> T:
    if value is None:
        raise DataError(f"planting: {what} is not known, and this kind of anomaly needs it")
    return value


@dataclass(frozen=True, eq=False)
class Cutouts:
    """Images of one object by one instrument; the arrays are views of the batch."""

    name: str
    bands: tuple[str, ...]
    flux: Array
    """(bands, height, width)."""
    ivar: Array | None
    mask: Array | None
    pixel_scale_arcsec: float
    psf_fwhm_arcsec: Array | None
    """(bands,)."""
    ujy_per_unit: float | None
    wavelength_aa: Array | None
    """(bands,)."""
    pedestal: Array | None = None
    """(bands,) level of the sky in pictures without a flux scale; None where it is at zero."""

    def widths(self) -> Array:
        """(bands,) full widths of the point-spread functions, arcsec."""
        return _known(self.psf_fwhm_arcsec, f"the point-spread function of {self.name}")

    def wavelengths(self) -> Array:
        """(bands,) effective wavelengths, Angstrom."""
        return _known(self.wavelength_aa, f"the wavelength of the bands of {self.name}")

    def in_ujy(self) -> float:
        """Microjansky in one unit."""
        return _known(self.ujy_per_unit, f"the flux scale of {self.name}")

    def sigma(self, band: int) -> float:
        """Noise of an empty pixel: from ivar, else from the scatter of the pixels."""
        if self.ivar is not None and (good := self.ivar[band][self.ivar[band] > 0]).size:
            # The source's own noise only adds to the sky's, so the sky is the best tenth.
            return float(1.0 / np.sqrt(np.quantile(good, 0.9)))
        pixels = self.flux[band][np.isfinite(self.flux[band])]
        return float(_MAD_TO_SIGMA * np.median(np.abs(pixels - np.median(pixels))))

    def add_light(self, light: Array, rng: np.random.Generator) -> None:
        """Add a noise-free source with the noise of its own photons; ivar is told.

        Args:
            light: (bands, height, width) in this input's unit, already blurred.
            rng: gives one normal number a pixel.
        """
        for band in range(len(self.bands)):
            extra = np.maximum(light[band], 0.0) * self._flux_of_electron(band)
            noise = rng.standard_normal(extra.shape) * np.sqrt(extra)
            if self.ivar is None:
                self.flux[band] += (light[band] + noise).astype(np.float32)
                continue
            good = self.ivar[band] > 0
            self.flux[band][good] += (light[band] + noise)[good].astype(np.float32)
            variance = 1.0 / self.ivar[band][good].astype(np.float64) + extra[good]
            self.ivar[band][good] = 1.0 / variance

    def _flux_of_electron(self, band: int) -> float:
        """Slope of variance against flux in this cutout; 0 where ivar leaves sources out.

        A survey whose ivar is sky only tells no gain, and its bright pixels promise no more noise
        than the sky: then a source is added without noise of its own.
        """
        if self.ivar is None:
            return 0.0
        good = (self.ivar[band] > 0) & np.isfinite(self.flux[band])
        flux = self.flux[band][good].astype(np.float64)
        variance = 1.0 / self.ivar[band][good].astype(np.float64)
        bright = flux > 5 * self.sigma(band)
        if bright.sum() < 10 or bright.all():
            return 0.0
        above = variance[bright] - np.median(variance[~bright])
        return max(0.0, float(np.sum(above * flux[bright]) / np.sum(flux[bright] ** 2)))

    def band_fluxes(self, radius_arcsec: float) -> Array:
        """(bands,) flux within a circle round the middle; NaN and masked pixels count as none."""
        height, width = self.flux.shape[1:]
        y, x = np.mgrid[:height, :width]
        inside = np.hypot(x - (width - 1) / 2, y - (height - 1) / 2) < (
            radius_arcsec / self.pixel_scale_arcsec
        )
        good = np.isfinite(self.flux) & inside
        if self.mask is not None:
            good &= ~self.mask
        total = np.where(good, self.flux, 0.0).sum(axis=(1, 2), dtype=np.float64)
        if self.pedestal is not None:
            total = total - self.pedestal * good.sum(axis=(1, 2))
        return np.asarray(total)


@dataclass(frozen=True, eq=False)
class Spectrum:
    """One spectrum; the arrays are views of the batch."""

    name: str
    flux: Array
    """(pixels,)."""
    ivar: Array | None
    mask: Array
    wavelength_aa: Array
    flambda_per_unit: float | None
    """1e-17 erg/s/cm2/Angstrom in one unit; None when not calibrated."""
    flux_of_electron: Array | float = 0.0
    """Variance added per unit of added flux; 0 where the survey's gain is not known."""

    def in_flambda(self) -> float:
        """1e-17 erg/s/cm2/Angstrom in one unit."""
        return _known(self.flambda_per_unit, f"the flux scale of {self.name}")

    def add_light(self, light: Array, rng: np.random.Generator) -> None:
        """Add a noise-free source with the noise of its own photons; ivar is told.

        Args:
            light: (pixels,) in this input's unit.
            rng: gives one normal number a pixel.
        """
        extra = np.maximum(light, 0.0) * self.flux_of_electron
        noise = rng.standard_normal(extra.shape) * np.sqrt(extra)
        good = self.good()
        self.flux[good] += (light + noise)[good].astype(np.float32)
        if self.ivar is not None:
            self.ivar[good] = 1.0 / (1.0 / self.ivar[good].astype(np.float64) + extra[good])

    def good(self) -> Array:
        """(pixels,) bool: where flux can be trusted."""
        good = ~self.mask & np.isfinite(self.flux)
        return np.asarray(good if self.ivar is None else good & (self.ivar > 0))

    def sigma(self) -> Array:
        """(pixels,) noise, 0 where nothing is known; needs ivar."""
        ivar = _known(self.ivar, f"the noise of {self.name}")
        known = ivar > 0
        return np.asarray(np.where(known, 1.0 / np.sqrt(np.where(known, ivar, 1.0)), 0.0))

    def continuum(self, centre_aa: float, half_width_aa: float = 120.0) -> float:
        """Median flux round a wavelength, at least twice its own error: never zero for a ratio."""
        near = self.good() & (np.abs(self.wavelength_aa - centre_aa) < half_width_aa)
        if near.sum() < 5:
            near = self.good()
        flux = self.flux[near].astype(np.float64)
        scatter = _MAD_TO_SIGMA * float(np.median(np.abs(flux - np.median(flux))))
        return max(float(np.median(flux)), 2 * scatter / float(np.sqrt(near.sum())))

    def covers(self, wavelength_aa: float, margin_aa: float = 30.0) -> bool:
        """True when the wavelength lies well inside what was observed."""
        seen = self.wavelength_aa[self.good()]
        return bool(seen.size and seen[0] + margin_aa < wavelength_aa < seen[-1] - margin_aa)


@dataclass(frozen=True, eq=False)
class Target:
    """One object to plant in."""

    images: Mapping[str, Cutouts]
    spectra: Mapping[str, Spectrum]
    redshift: float
    """NaN where the catalogue has none."""
    donor: "Target | None" = field(default=None)
    """The object whose spectrum is taken, for kinds that take one."""

    def giver(self) -> "Target":
        """The donor."""
        return _known(self.donor, "the object that gives its spectrum")

    def sharpest(self) -> Cutouts:
        """The images with the smallest pixels, in which artefacts of a detector are planted."""
        return min(self.images.values(), key=lambda cutouts: cutouts.pixel_scale_arcsec)
