"""Measures of cutouts: their sky, noise, light, lost pixels, and how far the light is off."""

from functools import lru_cache

import numpy as np

from fmb.contract.arrays import Array
from fmb.contract.inputs import Images
from fmb.measured.light import log_light

__all__ = ["IMAGE_ROLES", "OF_A_FLUX_SCALE", "measure_images"]

IMAGE_ROLES = ("sky", "noise", "light", "measured_snr", "masked", "off_centre")
"""In the order of the columns of `measure_images`."""
OF_A_FLUX_SCALE = ("sky", "noise")
"""Those that a picture of unit "display" does not tell: its stretch has made them."""
BORDER = 0.1
"""Width of the border that is taken for sky, as a share of the shorter side."""
ENOUGH_SKY = 0.25
"""Share of the border that must be usable to speak of a sky."""
ENOUGH_LIGHT = 0.5
"""Share of the circle that must be usable to add up its light."""
ABOVE_NOISE = 3.0
"""A pixel of the light stands so many times the noise above the sky, for its centre."""
MAD_TO_SIGMA = 1.4826
"""Of a normal distribution: 1 / (3/4 quantile)."""


def measure_images(images: Images) -> Array:
    """Measures of each cutout in its first declared band.

    Sky is the border; light is what lies in the largest circle within it, which leaves the corners
    and their neighbours out. The columns are those of `IMAGE_ROLES`: median of the border, in the
    unit of the image; logarithm of its noise, 1.4826 times the median deviation, in that unit;
    `log_light` of the circle above that sky, lost pixels made up for by the mean of the others;
    the same over its own error; the share of pixels that are masked, without a value or
    information, or saturated, which is at one highest value with others; distance of the centroid
    of the light from the centre, in arcsec.

    A picture of unit "display" was stretched by itself, to a x + b: its sky and noise tell a and b.
    They are not measured, and its light is in units of its noise, which no stretch changes.

    Returns:
        (n, 6), float64, in the order of the objects; NaN where it cannot be measured: the band is
        absent, or too few pixels are usable.
    """
    measured = np.full((len(images), len(IMAGE_ROLES)), np.nan)
    for row in np.flatnonzero(images.band_valid[:, 0]).tolist():
        flux = images.flux[row, 0].astype(np.float64)
        usable = np.isfinite(flux)
        if images.mask is not None:
            usable &= ~images.mask[row, 0]
        if images.ivar is not None:
            usable &= images.ivar[row, 0] > 0
        lost = int((~usable).sum()) + _saturated(flux[usable])
        measured[row, 4] = lost / flux.size
        measured[row, [0, 1, 2, 3, 5]] = _measure(flux, usable, images.pixel_scale_arcsec)
    if images.unit == "display":
        measured[:, 2] -= measured[:, 1]  # of logarithms
        measured[:, :2] = np.nan
    return measured


def _measure(flux: Array, usable: Array, pixel_scale_arcsec: float) -> tuple[float, ...]:
    """Sky, noise, light, its ratio to its error, and its place in one picture (height, width)."""
    (border, circle), nan = _parts(flux.shape), float("nan")
    sky_pixels, seen = flux[border & usable], circle & usable
    if len(sky_pixels) < max(2, ENOUGH_SKY * border.sum()):
        return nan, nan, nan, nan, nan
    sky = float(np.median(sky_pixels))
    noise = MAD_TO_SIGMA * float(np.median(np.abs(sky_pixels - sky)))
    log_noise = float(np.log10(noise)) if noise else nan
    whole, count = int(circle.sum()), int(seen.sum())
    if count < max(1, ENOUGH_LIGHT * whole):
        return sky, log_noise, nan, nan, nan
    above = flux - sky
    light, error = above[seen].mean() * whole, noise * whole / np.sqrt(count)
    snr = log_light(light / error, 1.0) if error else nan
    off = _off_centre(np.where(seen & (above > ABOVE_NOISE * noise), above, 0.0))
    return sky, log_noise, log_light(light, error), snr, off * pixel_scale_arcsec


@lru_cache(maxsize=16)
def _parts(shape: tuple[int, int]) -> tuple[Array, Array]:
    """(height, width), bool each: the frame that is taken for sky, and the circle within it."""
    width = max(1, round(BORDER * min(shape)))
    border: Array = np.ones(shape, dtype=bool)
    border[width:-width, width:-width] = False
    y, x = (np.arange(length) - (length - 1) / 2 for length in shape)
    circle: Array = np.hypot(y[:, None], x) <= min(shape) / 2 - width
    return border, circle


def _saturated(values: Array) -> int:
    """How many pixels share the highest value; 0 where one has it alone."""
    count = int((values == values.max()).sum()) if len(values) else 0
    return count if count > 1 else 0


def _off_centre(light: Array) -> float:
    """Distance of the centroid of a picture from its centre, in pixels; NaN without light."""
    total = light.sum()
    if not total > 0:
        return float("nan")
    middle = [(length - 1) / 2 for length in light.shape]
    at = [float(light.sum(axis=1 - k) @ np.arange(light.shape[k]) / total) for k in (0, 1)]
    return float(np.hypot(at[0] - middle[0], at[1] - middle[1]))
