"""Makes of calibrated images the pictures that the image tower takes."""

import math
from dataclasses import dataclass

import numpy as np

from fmb import Array, DataError, Images, ShapeError
from fmb.datasets import fill_holes
from fmb_astroclip.recipes import ImageRecipe
from fmb_astroclip.units import LARGEST, factor_to

__all__ = ["Pictures", "prepare_images", "to_rgb"]


@dataclass(frozen=True, eq=False)
class Pictures:
    """Pictures of n objects."""

    values: Array
    """(n, 3, side, side), float32 in [0, 1]; NaN where the image is not usable."""
    reasons: list[str]
    """n texts, "" where the image is usable."""


def prepare_images(images: Images, recipe: ImageRecipe) -> Pictures:
    """The central square of each image as a picture in red, green and blue.

    A masked pixel is bridged from its good neighbours; one without such a bridge, at a mosaic
    border, gets the median of the good pixels of the whole band.

    Raises:
        DataError: a band of the recipe is not there, or the unit is no flux density.
        ShapeError: the images are smaller than the recipe takes.
    """
    at = _band_positions(images, recipe)
    square = _square(images.flux.shape[2:], recipe.size_px)
    flux, good = images.flux[:, at], _good_pixels(images, at)
    whole = _whole(flux, good, square) * factor_to(recipe.unit, images.unit)
    largest = np.abs(whole).max(axis=(2, 3))
    reasons = _reasons(images.band_valid[:, at], good[:, :, *square], largest, recipe)
    usable = np.array([not reason for reason in reasons], dtype=bool)
    pictures = to_rgb(np.where(usable[:, None, None, None], whole, 0), recipe)
    if recipe.transposed:
        pictures = pictures.swapaxes(2, 3)
    pictures[~usable] = np.nan
    return Pictures(np.ascontiguousarray(pictures), reasons)


def to_rgb(flux: Array, recipe: ImageRecipe) -> Array:
    """(n, 3, h, w), float32 in [0, 1]: red, green and blue of three bands (n, 3, h, w).

    With x = flux * scale + m in each band, I the mean over the bands of max(0, x) and
    f = arcsinh(Q I)/sqrt(Q), each channel is x f / I, clipped to [0, 1].

    Source: arXiv:astro-ph/0312483, eq. 2, in the form of the Legacy Survey's viewer (`ToRGB` of the
    code of arXiv:2310.03024), with sqrt(Q) where the paper has Q.
    """
    scales = np.array(recipe.scales, dtype=np.float32)[:, None, None]
    x = flux.astype(np.float32) * scales + np.float32(recipe.offset)
    intensity = np.maximum(x, 0).mean(axis=1, keepdims=True)
    stretched = np.arcsinh(recipe.softening * intensity) / math.sqrt(recipe.softening)
    # Where no band is above zero the stretch is 0 too: any divisor gives black.
    picture = x * (stretched / np.where(intensity > 0, intensity, 1))
    order = np.argsort(recipe.planes)
    return np.asarray(np.clip(picture[:, order], 0, 1), dtype=np.float32)


def _band_positions(images: Images, recipe: ImageRecipe) -> list[int]:
    missing = [band for band in recipe.bands if band not in images.bands]
    if missing:
        raise DataError(
            f"the images have bands {', '.join(images.bands)}; these weights need"
            f" {', '.join(missing)} too: choose other data or weights"
        )
    return [images.bands.index(band) for band in recipe.bands]


def _square(shape: tuple[int, ...], side: int) -> tuple[slice, slice]:
    if min(shape) < side:
        raise ShapeError(
            f"images of {shape[0]} x {shape[1]} px are smaller than the {side} px these weights"
            " need: use larger cutouts"
        )
    # An odd rest is halved to the nearest even number, as torchvision's CenterCrop does.
    top, left = (round((extent - side) / 2) for extent in shape)
    return slice(top, top + side), slice(left, left + side)


def _good_pixels(images: Images, at: list[int]) -> Array:
    good = np.isfinite(images.flux[:, at])
    if images.mask is not None:
        good &= ~images.mask[:, at]
    if images.ivar is not None:
        good &= images.ivar[:, at] > 0
    return good


def _whole(flux: Array, good: Array, square: tuple[slice, slice]) -> Array:
    """The square of each plane with holes filled; 0 in planes without a good pixel."""
    cut, cut_good = flux[:, :, *square].copy(), good[:, :, *square]
    holed = ~cut_good.all(axis=(2, 3))
    if holed.any():
        sky = np.array(
            [
                np.median(plane[kept]) if kept.any() else 0
                for plane, kept in zip(flux[holed], good[holed], strict=True)
            ]
        )
        cut[holed] = fill_holes(cut[holed], cut_good[holed], sky)
    return cut


def _reasons(band_valid: Array, good: Array, largest: Array, recipe: ImageRecipe) -> list[str]:
    """Why each image is not usable: the first of its problems, or ""."""
    bad = 1 - good.mean(axis=(2, 3))
    reasons = []
    for i in range(len(good)):
        told = ""
        for band, there, masked, most in zip(
            recipe.bands, band_valid[i], bad[i], largest[i], strict=True
        ):
            if not there:
                told = f"band {band} is absent"
            elif masked == 1:
                told = f"band {band} has no good pixel"
            elif masked > recipe.max_masked:
                told = (
                    f"{masked:.0%} of band {band} is masked or not finite, the limit is"
                    f" {recipe.max_masked:.0%}"
                )
            elif most > LARGEST:
                told = f"band {band} has a flux of {most:.1e} {recipe.unit}: no data"
            if told:
                break
        reasons.append(told)
    return reasons
