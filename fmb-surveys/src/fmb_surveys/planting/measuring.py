"""Light, size and signal-to-noise of an object, measured alike before and after planting."""

from dataclasses import dataclass

import numpy as np

from fmb import Array
from fmb_surveys.planting.target import Cutouts, Spectrum

__all__ = ["APERTURE_ARCSEC", "Aperture", "snr_ratio"]

APERTURE_ARCSEC = 2.5
"""Radius of the circle in which light is measured, where the cutout is large enough."""
_CUTOUT_SHARE = 0.4
"""Of the side of a smaller cutout."""
_LEAST_SIGMA = 2.0
"""What is fainter than so many times its noise is measured as that bright."""
_EDGE_SHARE = 0.95
"""Second moments above this share of the weight's own say no more than that the light is wide."""


@dataclass(frozen=True, eq=False)
class Aperture:
    """A circle round the middle of the cutouts of an object, before and after planting.

    Both are measured on the pixels that are good in both, with the same weights and the same noise,
    so that what cannot be known of the host cancels in the ratios.
    """

    before: Cutouts
    after: Cutouts

    def flux_ratio(self, band: int) -> float:
        """Flux afterwards over flux before; fluxes below twice their noise count as that."""
        good, _ = self._pixels(band)
        floor = _LEAST_SIGMA * self.before.sigma(band) * float(np.sqrt(good.sum()))
        if not floor > 0:
            return 1.0
        sky = self._sky(band)
        before, after = (
            max(float(np.sum(cutouts.flux[band][good] - sky, dtype=np.float64)), floor)
            for cutouts in (self.before, self.after)
        )
        return float(after / before)

    def size_ratio(self, band: int) -> float:
        """Root of the ratio of second moments, under a round Gaussian weight that is divided out.

        Light that is too faint to have moments counts as unchanged.
        """
        good, radius_px = self._pixels(band)
        weight_px = 0.5 * self._radius_px()
        weight = np.where(good, np.exp(-0.5 * (radius_px / weight_px) ** 2), 0.0)
        noise = self.before.sigma(band) * float(np.sqrt(np.sum(weight**2)))
        variances = []
        for cutouts in (self.before, self.after):
            light = np.where(good, cutouts.flux[band] - self._sky(band), 0.0) * weight
            total = float(np.sum(light, dtype=np.float64))
            moment = 0.5 * float(np.sum(light * radius_px**2, dtype=np.float64))
            if total <= _LEAST_SIGMA * noise or moment <= 0:
                return 1.0
            # A Gaussian of variance v under the weight has 1/m = 1/v + 1/w.
            share = min(moment / total / weight_px**2, _EDGE_SHARE)
            variances.append(share / (1.0 - share))
        return float(np.sqrt(variances[1] / variances[0]))

    def snr_ratio(self, band: int) -> float:
        """Flux over its noise afterwards, by the same before."""
        good, _ = self._pixels(band)
        noises = [_noise(cutouts, band, good) for cutouts in (self.before, self.after)]
        grown = noises[1] / noises[0] if min(noises) > 0 else 1.0
        return float(self.flux_ratio(band) / grown)

    def _pixels(self, band: int) -> tuple[Array, Array]:
        """(height, width): good before and after and inside; distance from the middle, pixels."""
        height, width = self.before.flux.shape[1:]
        y, x = np.mgrid[:height, :width]
        distance = np.hypot(x - (width - 1) / 2, y - (height - 1) / 2)
        good = distance < self._radius_px()
        for cutouts in (self.before, self.after):
            good &= np.isfinite(cutouts.flux[band])
            if cutouts.mask is not None:
                good &= ~cutouts.mask[band]
            if cutouts.ivar is not None:
                good &= cutouts.ivar[band] > 0
        return good, distance

    def _radius_px(self) -> float:
        side = min(self.before.flux.shape[1:])
        return float(min(APERTURE_ARCSEC / self.before.pixel_scale_arcsec, _CUTOUT_SHARE * side))

    def _sky(self, band: int) -> float:
        """What lies below the light of both."""
        return 0.0 if self.before.pedestal is None else float(self.before.pedestal[band])


def _noise(cutouts: Cutouts, band: int, good: Array) -> float:
    if cutouts.ivar is None:
        return cutouts.sigma(band) * float(np.sqrt(good.sum()))
    return float(np.sqrt(np.sum(1.0 / cutouts.ivar[band][good].astype(np.float64))))


def snr_ratio(before: Spectrum, after: Spectrum) -> float:
    """Median signal-to-noise of a pixel afterwards by that before, in pixels good in both.

    Where no ivar is told, the noise is the scatter between neighbouring pixels before.
    """
    good = before.good() & after.good()
    if not good.any():
        return 1.0
    if before.ivar is None or after.ivar is None:
        flux = before.flux[good].astype(np.float64)
        steps = np.abs(np.diff(flux))
        noise = float(1.4826 * np.median(steps) / np.sqrt(2)) if steps.size else 0.0
        weights = [np.full(int(good.sum()), 1.0 / noise if noise > 0 else 1.0)] * 2
    else:
        weights = [np.sqrt(one.ivar[good].astype(np.float64)) for one in (before, after)]  # type: ignore[index]  # checked above
    # The error of a median of unit normals is sqrt(pi / 2n).
    floor = _LEAST_SIGMA * float(np.sqrt(np.pi / 2 / good.sum()))
    medians = [
        max(float(np.median(one.flux[good] * weight)), floor)
        for one, weight in zip((before, after), weights, strict=True)
    ]
    return float(medians[1] / medians[0])
