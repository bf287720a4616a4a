"""Cutouts as pictures: which bands make the colours, and how flux becomes brightness."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from matplotlib.colors import to_rgb

from fmb import Images
from fmb_viz.palette import NO_DATA

__all__ = ["Picture", "band_weights", "choose_bands", "display_range", "good_pixels", "picture"]

Array = npt.NDArray[Any]

_WHITE_PERCENTILE = 99.8
"""Brightest pixels that may be white: the core of a galaxy, about 20 pixels of a 96 x 96 image."""
_SOFT_NOISE = 4.0
"""The asinh turns from linear to logarithmic at this many times the noise of the sky."""
_COLOUR_NOISE = 6.0
"""Colours are full at this many times the noise above the sky, and fade to grey below."""
_SOFT_LEAST = 0.01
"""... and not below this fraction of the range, or noiseless images would show nothing but sky."""


@dataclass(frozen=True)
class Picture:
    """One cutout ready to be shown."""

    rgb: Array
    """(height, width, 3), float64 in [0, 1], row 0 as stored."""
    no_data: Array
    """(height, width), bool: masked or without a value in a band that is shown."""
    bands: tuple[str, ...]
    """One, two or three names, red first."""
    constant: bool
    """True when all good pixels hold one value."""


def choose_bands(
    bands: Sequence[str], valid: npt.ArrayLike, wanted: Sequence[str] = ()
) -> tuple[int, ...]:
    """Positions of the bands to show, red first.

    Surveys list their bands from short to long wavelength, and so do we read them; three that are
    called R, G and B mean the colours of a display. Of more than three, the first, the middle and
    the last are taken: g, r, z of griz and VIS, Y, H of VIS YJH.

    Args:
        bands: names, as the survey lists them.
        valid: (bands,) bool; an absent band is never shown.
        wanted: names to show instead, red first.

    Returns:
        At most three positions; none when no band is valid.
    """
    here = [i for i, there in enumerate(np.asarray(valid, dtype=bool)) if there]
    if wanted:
        return tuple(i for i in map(list(bands).index, wanted) if i in here)
    initials = [name.lower()[:1] for name in bands]
    if sorted(initials) == ["b", "g", "r"]:
        return tuple(sorted(here, key=lambda i: "rgb".index(initials[i])))
    if len(here) > 3:
        here = [here[0], here[(len(here) - 1) // 2], here[-1]]
    return tuple(reversed(here))


def good_pixels(images: Images, row: int) -> Array:
    """(bands, height, width), bool: finite, not masked, with some information."""
    good = np.isfinite(images.flux[row])
    if images.mask is not None:
        good &= ~images.mask[row]
    if images.ivar is not None:
        good &= images.ivar[row] > 0
    return np.asarray(good & images.band_valid[row][:, None, None])


def band_weights(images: Images) -> Array:
    """Factors that make the median object of a gallery neutral in colour.

    Bands may have other zero points. One weight a band for all cutouts keeps the differences
    between objects, which a balance of each image would remove.

    Returns:
        Shape (bands,), float64, positive; the reciprocal of the median over objects of the bright
        level above the sky, 1 where that is not positive.
    """
    weights = np.ones(len(images.bands))
    for band in range(len(images.bands)):
        levels = []
        for row in range(len(images)):
            pixels = images.flux[row, band][good_pixels(images, row)[band]].astype(np.float64)
            pixels = pixels[pixels != 0.0]
            if pixels.size:
                levels.append(np.percentile(pixels, 99.0) - np.median(pixels))
        if levels and np.median(levels) > 0:
            weights[band] = 1.0 / np.median(levels)
    return weights


def display_range(images: Images) -> tuple[float, float]:
    """Values shown as black and white for pictures without a flux scale, one range for all.

    (0, 1) or (0, 255) where the values fit, else their smallest and largest: nothing is stretched.
    """
    finite = images.flux[np.isfinite(images.flux)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)
    for top in (1.0, 255.0):
        if low >= 0.0 and high <= top:
            return 0.0, top
    return (low, high) if high > low else (low, low + 1.0)


def picture(
    images: Images,
    row: int,
    shown: Sequence[int],
    *,
    scale: Array | tuple[float, float],
    stretch: Literal["asinh", "linear"] = "asinh",
) -> Picture:
    """One cutout as colours.

    Args:
        images: the cutouts.
        row: which object.
        shown: positions of one to three bands, red first; one is grey, of two the mean is green.
        scale: `display_range` for images of unit "display", else `band_weights`.
        stretch: of images that carry flux.
    """
    good = np.all(good_pixels(images, row)[list(shown)], axis=0)
    layers = images.flux[row, list(shown)].astype(np.float64)
    layers[:, ~good] = 0.0
    if images.unit == "display":
        low, high = scale
        layers = np.clip((layers - low) / (high - low), 0.0, 1.0)
        rgb = _three(layers)
    else:
        rgb = _stretched(_three(layers * np.asarray(scale)[list(shown), None, None]), good, stretch)
    pixels = layers[:, good]
    return Picture(
        rgb=np.moveaxis(_striped(rgb, ~good), 0, -1),
        no_data=~good,
        bands=tuple(images.bands[i] for i in shown),
        constant=bool(pixels.size) and bool(np.all(pixels == pixels[:, :1])),
    )


def _three(layers: Array) -> Array:
    if len(layers) == 1:
        return np.repeat(layers, 3, axis=0)
    if len(layers) == 2:
        return np.stack([layers[0], layers.mean(axis=0), layers[1]])
    return layers


def _stretched(layers: Array, good: Array, stretch: str) -> Array:
    """Colours that do not depend on brightness.

    Args:
        layers: (3, height, width), float64, weighted flux, red first.
        good: (height, width), bool; of these, the levels are set by those that are not zero.
        stretch: "asinh" or "linear".

    Source: Lupton et al. 2004 (PASP 116, 133, arXiv:astro-ph/0312483), eq. 2. The black point is
    one noise below the sky and the softening follows the noise, where the paper leaves both to the
    reader: so cutouts of any depth look alike. Pixels brighter than white keep their colour.
    Deviation: colours fade to grey in the noise, or the sky of faint objects would be confetti.
    """
    # Borders of mosaics are filled with exact zeros, which are no measure of sky or noise.
    seen = good & np.any(layers != 0.0, axis=0)
    if not seen.any():
        return np.zeros_like(layers)
    sky = np.median(layers[:, seen], axis=1)
    intensity = layers.mean(axis=0)[seen]
    below = np.median(intensity) - intensity  # from the darker half, where the galaxy is not
    noise = 1.4826 * float(np.median(below[below >= 0.0]))
    black = sky - noise
    above = layers - black[:, None, None]
    total = above.mean(axis=0)
    white = float(np.percentile(total[seen], _WHITE_PERCENTILE))
    if not white > 0.0:
        return np.zeros_like(layers)
    if stretch == "linear":
        brightness = total / white
    else:
        soft = max(_SOFT_NOISE * noise, _SOFT_LEAST * white)
        brightness = np.arcsinh(total / soft) / np.arcsinh(white / soft)
    gain = np.divide(brightness, total, out=np.zeros_like(total), where=total > 0.0)
    trust = np.ones_like(total)
    if noise > 0.0:
        trust = np.clip((total / noise - 1.0) / _COLOUR_NOISE, 0.0, 1.0)
    rgb = np.maximum((trust * above + (1.0 - trust) * total) * gain, 0.0)
    return np.asarray(rgb / np.maximum(rgb.max(axis=0), 1.0))


def _striped(rgb: Array, no_data: Array) -> Array:
    height, width = no_data.shape
    rows, columns = np.indices((height, width))
    period = max(1, max(height, width) // 32)
    dark = ((rows + columns) // period) % 2 == 1
    for i, (light_level, dark_level) in enumerate(zip(*map(to_rgb, NO_DATA), strict=True)):
        rgb[i] = np.where(no_data, np.where(dark, dark_level, light_level), rgb[i])
    return rgb
