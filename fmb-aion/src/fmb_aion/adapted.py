"""Images of other bands as the adapter takes them: all bands, microjansky, 96 pixels, no holes."""

from dataclasses import dataclass

import numpy as np

from fmb import Array, Images
from fmb_aion.images import central_pixels
from fmb_aion.recipes import AdapterRecipe
from fmb_aion.surveys import SIZE_PX

__all__ = ["AdaptedImages", "prepare_adapted", "regrid"]

_WHOLE = 1 - 1e-4
"""A pixel is good when good ones cover it, to rounding."""


@dataclass(frozen=True, eq=False)
class AdaptedImages:
    """Images of n objects in the adapter's bands."""

    flux: Array
    """(n, bands, 96, 96), float32, in the recipe's unit; NaN for images that are not usable."""
    good: Array
    """(n, bands, 96, 96), bool: False where `flux` was filled, in part or whole."""
    reasons: list[str]
    """n texts, "" where the image is usable."""


def prepare_adapted(images: Images, recipe: AdapterRecipe, max_masked: float) -> AdaptedImages:
    """The central square of each image, brought to 96 pixels with its flux conserved.

    Args:
        images: all of the recipe's bands, in any order.
        recipe: bands, unit and size of the square.
        max_masked: largest part of a band's pixels that may be masked or not finite; they are
            bridged from their good neighbours.

    Raises:
        DataError: a unit that is not a flux.
        ShapeError: the images are smaller than the square.
    """
    pixels = central_pixels(images, list(recipe.bands), recipe.field_px, recipe.unit, max_masked)
    area = (recipe.field_px / SIZE_PX) ** 2
    good = regrid(pixels.good.astype(np.float32), SIZE_PX) / area > _WHOLE
    return AdaptedImages(regrid(pixels.flux, SIZE_PX), good, pixels.reasons)


def regrid(planes: Array, side: int) -> Array:
    """Square planes (..., n, n) shared out to `side` x `side` pixels over the same field.

    A pixel gives each new one the part of its flux that lies within it, so sums are conserved;
    n = `side` changes nothing.

    Returns:
        (..., side, side), float32.
    """
    n = planes.shape[-1]
    if n == side:
        return planes
    edges = np.linspace(0, n, side + 1)
    pixel = np.arange(n)
    right = np.minimum(edges[1:, None], pixel + 1)
    left = np.maximum(edges[:-1, None], pixel)
    share = np.clip(right - left, 0, None)
    return np.asarray(share @ planes @ share.T).astype(np.float32)
