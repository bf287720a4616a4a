"""Cuts images into tokens: crop, scale, patches in raster or spiral order."""

from dataclasses import dataclass

import numpy as np

from fmb import Array, DataError, Images, ShapeError
from fmb.datasets import fill_holes
from fmb_astropt.recipes import ImageRecipe
from fmb_astropt.robust import LOWER_SIGMA, order_statistics

__all__ = ["ImageTokens", "cut", "spiral_order", "tokenise_images"]

_ROUNDING = 12**-0.5
"""Standard deviation of a number rounded to an integer."""


@dataclass(frozen=True, eq=False)
class ImageTokens:
    """Tokens of n images."""

    values: Array
    """(n, t, numbers), float32; NaN for images that are not usable."""
    mask: Array
    """(n, t), bool: False where every pixel of the patch is masked."""
    reasons: list[str]
    """n texts, "" where the image is usable."""


def tokenise_images(images: Images, recipe: ImageRecipe) -> ImageTokens:
    """Tokens of the central square of each image.

    The square is the largest multiple of the patch that fits both image and recipe.

    Raises:
        DataError: a band of the recipe is not there.
        ShapeError: the images are smaller than the recipe takes.
    """
    at = _band_positions(images, recipe)
    flux = images.flux[:, at]
    good = _good_pixels(images, at)
    square = _square(flux.shape[2:], recipe)
    level, noise = _sky(flux, good)
    flux, good = flux[:, :, *square], good[:, :, *square]
    reasons = _reasons(images.band_valid[:, at], flux, good, noise, recipe)
    patches = cut(_scaled(_whole(flux, good, level), level, noise, recipe), recipe)
    if recipe.scaling == "patch-standard":
        patches = _standardised(patches)
    mask = np.ones(patches.shape[:2], dtype=bool)
    if not good.all():
        mask = np.asarray(cut(good, recipe).any(axis=2))
        patches[~mask] = 0
    patches[[bool(reason) for reason in reasons]] = np.nan
    return ImageTokens(patches, mask, reasons)


def cut(planes: Array, recipe: ImageRecipe) -> Array:
    """(n, t, numbers) patches, in the recipe's order, of square planes (n, bands, side, side).

    Source: einops "c (h p1) (w p2) -> (h w) (p1 p2 c)" of astropt 2.0.9 and (c p1 p2) of the
    original benchmark.
    """
    if recipe.transposed:
        planes = planes.swapaxes(2, 3)
    n, bands, side, _ = planes.shape
    grid, p = side // recipe.patch_px, recipe.patch_px
    split = planes.reshape(n, bands, grid, p, grid, p)
    axes = (0, 2, 4, 1, 3, 5) if recipe.patch_layout == "c p1 p2" else (0, 2, 4, 3, 5, 1)
    patches = split.transpose(axes).reshape(n, grid * grid, bands * p * p)
    if recipe.patch_order == "spiral":
        patches = patches[:, spiral_order(grid)]
    return np.ascontiguousarray(patches)


def spiral_order(grid: int) -> Array:
    """Raster positions of a grid x grid square, from its centre outwards in one unbroken path.

    The outermost ring, read backwards, runs clockwise from the upper left corner.

    Source: `GalaxyImageDataset.spiralise` of astropt 2.0.9; figure 8 of arXiv:2401.08541.
    """
    rest = np.arange(grid * grid).reshape(grid, grid)
    inwards = []
    while rest.size:
        inwards.append(rest[0])
        rest = np.rot90(rest[1:])
    return np.concatenate(inwards)[::-1].copy()


def _band_positions(images: Images, recipe: ImageRecipe) -> list[int]:
    missing = [band for band in recipe.bands if band not in images.bands]
    if missing:
        raise DataError(
            f"the images have bands {', '.join(images.bands)}; these weights need"
            f" {', '.join(missing)} too: choose other data, weights or bands"
        )
    return [images.bands.index(band) for band in recipe.bands]


def _good_pixels(images: Images, at: list[int]) -> Array:
    good = np.isfinite(images.flux[:, at])
    if images.mask is not None:
        good &= ~images.mask[:, at]
    if images.ivar is not None:
        good &= images.ivar[:, at] > 0
    return good


def _square(shape: tuple[int, ...], recipe: ImageRecipe) -> tuple[slice, slice]:
    side = min(*shape, recipe.size_px)
    if side < recipe.min_size_px:
        raise ShapeError(
            f"images of {shape[0]} x {shape[1]} px are smaller than the {recipe.min_size_px} px"
            " these weights need: use larger cutouts or other weights"
        )
    side -= side % recipe.patch_px
    top, left = ((extent - side) // 2 for extent in shape)
    return slice(top, top + side), slice(left, left + side)


def _sky(flux: Array, good: Array) -> tuple[Array, Array]:
    """Level and noise (n, bands) of whole images: median, and median minus the 16th percentile.

    Light of sources lies above the sky, so the lower half is the clean one. Whole numbers (8-bit
    pictures) have their rounding noise too: a bright star may squeeze the sky into one grey level.
    """
    n, bands = flux.shape[:2]
    planes, kept = flux.reshape(n * bands, -1), good.reshape(n * bands, -1)
    lowest, low, median, highest = order_statistics(planes, kept, 0.0, LOWER_SIGMA, 0.5, 1.0)
    rounded = ((planes == np.rint(planes)) | ~kept).all(axis=1) & (highest > lowest)
    noise = np.hypot(median - low, np.where(rounded, _ROUNDING, 0)).astype(flux.dtype)
    return median.reshape(n, bands), noise.reshape(n, bands)


def _whole(flux: Array, good: Array, level: Array) -> Array:
    """The flux with holes filled; planes without one are not touched."""
    holed = ~good.all(axis=(2, 3)) & good.any(axis=(2, 3))
    if holed.any():
        flux = flux.copy()
        flux[holed] = fill_holes(flux[holed], good[holed], level[holed])
    return flux


def _scaled(flux: Array, level: Array, noise: Array, recipe: ImageRecipe) -> Array:
    """Flux in the recipe's scale; nothing is clipped."""
    if recipe.scaling == "uint8":
        return (flux / np.float32(255)).astype(np.float32)
    if recipe.scaling == "asinh-noise":
        # In units of the image's own noise: calibrated flux, counts and display pictures alike,
        # linear in the noise and logarithmic in the bright core.
        scale = np.where(noise > 0, noise, np.nan)[:, :, None, None]
        return np.arcsinh((flux - level[:, :, None, None]) / scale).astype(np.float32)
    return flux.astype(np.float32)


def _standardised(patches: Array) -> Array:
    """Each patch with mean 0 and sample deviation 1.

    Source: `normalise` in upstream's scripts/train.py.
    """
    mean = patches.mean(axis=2, keepdims=True)
    std = patches.std(axis=2, ddof=1, keepdims=True)
    return np.asarray((patches - mean) / (std + 1e-8), dtype=np.float32)


def _reasons(
    band_valid: Array, flux: Array, good: Array, noise: Array, recipe: ImageRecipe
) -> list[str]:
    """Why each image is not usable: the first of its problems, or ""."""
    bad = 1 - good.mean(axis=(2, 3))
    beyond = np.asarray((good & ((flux < 0) | (flux > 255))).any(axis=(2, 3)))
    reasons = []
    for i in range(len(flux)):
        reason = ""
        for b, band in enumerate(recipe.bands):
            if not band_valid[i, b]:
                reason = f"band {band} is absent"
            elif bad[i, b] == 1:
                reason = f"band {band} has no good pixel"
            elif bad[i, b] > recipe.max_masked:
                reason = (
                    f"{bad[i, b]:.0%} of band {band} is masked or not finite, the limit is"
                    f" {recipe.max_masked:.0%}"
                )
            elif recipe.scaling == "asinh-noise" and not noise[i, b] > 0:
                reason = f"band {band} is flat: no noise to scale by"
            elif recipe.scaling == "uint8" and beyond[i, b]:
                reason = f"band {band} has values outside 0-255: not an 8-bit picture"
            if reason:
                break
        reasons.append(reason)
    return reasons
