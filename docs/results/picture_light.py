"""Light of pictures about their centre: how bright for their noise, how large, how concentrated."""

import numpy as np
import pandas as pd

from fmb import Array

APERTURE_PX = 30
SKY_FROM_PX = 33
FAINTEST = 5.0
"""Light in units of its noise below which nothing is measured."""

_STEP_PX = 0.5
_SUBPIXELS = 5
_LOWER_SIGMA = 0.158655
"""Fraction of a Gaussian below mean - sigma."""
_ROUNDING = 12**-0.5
"""Standard deviation of a number rounded to an integer."""


def light_of(pictures: Array) -> pd.DataFrame:
    """Brightness, size and concentration in a circle of 30 pixels about the centre.

    The sky is the median of the pixels farther out than 33, its noise the median less the 16th
    percentile (light of neighbours lies above), with that of rounding to whole grey levels.
    Radii hold 20, 50 and 80 % of the light that the circle has over the sky; neighbours in the
    circle count, and where the stretch of a picture has cut off its core, so does that.

    Args:
        pictures: (n, side, side), side at least 67 pixels.

    Returns:
        n rows, NaN where the light is not `FAINTEST` times its noise: `brightness`, log10 of light
        over the noise of one pixel; `size`, log10 of the half-light radius in pixels;
        `concentration`, 5 log10(r80 / r20).

    Source: concentration: Kent 1985, ApJS 59, 115; Conselice 2003, ApJS 147, 1, eq. 4.
    """
    n, side = pictures.shape[:2]
    flux = np.asarray(pictures, dtype=np.float64).reshape(n, -1)
    at = np.arange(side) - (side - 1) / 2
    outside = flux[:, (np.hypot(at[:, None], at) > SKY_FROM_PX).ravel()]
    low, sky = np.quantile(outside, [_LOWER_SIGMA, 0.5], axis=1)
    noise = np.hypot(sky - low, _ROUNDING)
    radii = np.arange(_STEP_PX, APERTURE_PX + _STEP_PX, _STEP_PX)
    growth = (flux - sky[:, None]) @ circles(side, radii).T
    light = growth[:, -1]
    bright = light > FAINTEST * noise * APERTURE_PX * np.pi**0.5
    measured = pd.DataFrame(np.nan, range(n), ["brightness", "size", "concentration"])
    r20, r50, r80 = (radius_of(growth[bright], radii, share) for share in (0.2, 0.5, 0.8))
    measured.loc[bright, "brightness"] = np.log10((light / noise)[bright])
    measured.loc[bright, "size"] = np.log10(r50)
    measured.loc[bright, "concentration"] = 5 * np.log10(r80 / r20)
    return measured


def circles(side: int, radii: Array) -> Array:
    """(radii, side * side): the part of each pixel that lies in each circle about the centre."""
    at = (np.arange(side * _SUBPIXELS) + 0.5) / _SUBPIXELS - side / 2
    distance = np.hypot(at[:, None], at)
    cells = (side, _SUBPIXELS, side, _SUBPIXELS)
    parts = [(distance <= radius).reshape(cells).mean(axis=(1, 3)).ravel() for radius in radii]
    return np.stack(parts)


def radius_of(growth: Array, radii: Array, share: float) -> Array:
    """(n,): the first radius that holds a share of all light.

    Args:
        growth: (n, radii), light within each radius; the last is positive.
        radii: (radii,), ascending.
        share: in (0, 1).
    """
    level = share * growth[:, -1]
    rows, after = np.arange(len(growth)), (growth >= level[:, None]).argmax(axis=1)
    curve = np.column_stack([np.zeros(len(growth)), growth])
    area = np.append(0.0, radii**2)
    below, above = curve[rows, after], curve[rows, after + 1]
    # Between two circles light grows with the area: exact where the picture is flat.
    part = (level - below) / (above - below)
    radius: Array = np.sqrt(area[after] + part * (area[after + 1] - area[after]))
    return radius
