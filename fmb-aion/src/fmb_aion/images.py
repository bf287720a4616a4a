"""Images as AION's codec takes them: one survey's bands, its unit, the central square, no holes."""

from dataclasses import dataclass

import numpy as np

from fmb import Array, DataError, Images, ShapeError
from fmb.datasets import fill_holes
from fmb_aion.fluxes import scale_to
from fmb_aion.recipes import ImageSurvey, Recipe

__all__ = ["CentralPixels", "PreparedImages", "central_pixels", "prepare_images", "survey_of"]


@dataclass(frozen=True, eq=False)
class PreparedImages:
    """Images of n objects, all of one survey."""

    domain: str
    """Upstream's name of the tokens that they become."""
    flux: Array
    """(n, bands, 96, 96), float32, in the survey's unit; NaN for images that are not usable."""
    bands: Array
    """(n, 4 or 5), bool: which of the survey's bands `flux` holds, in the survey's order."""
    reasons: list[str]
    """n texts, "" where the image is usable."""


def prepare_images(images: Images, recipe: Recipe, max_masked: float) -> PreparedImages:
    """The central square of each image in the unit of its survey.

    Args:
        images: all bands of one survey, or some of them, in any order.
        recipe: surveys, units and size.
        max_masked: largest part of a band's pixels that may be masked or not finite. They are
            bridged from their good neighbours: the codec has no mask.

    Raises:
        DataError: bands of no or several surveys, or a unit that is not a flux.
        ShapeError: the images are smaller than the square.
    """
    survey = survey_of(images.bands, recipe)
    present = [band for band in survey.bands if band in images.bands]
    pixels = central_pixels(images, present, recipe.size_px, survey.unit, max_masked)
    bands = np.tile([band in present for band in survey.bands], (len(images), 1))
    return PreparedImages(survey.domain, pixels.flux, bands, pixels.reasons)


@dataclass(frozen=True, eq=False)
class CentralPixels:
    """The central square of n images."""

    flux: Array
    """(n, bands, side, side), float32, without holes; NaN for images that are not usable."""
    good: Array
    """(n, bands, side, side), bool: False where `flux` was filled."""
    reasons: list[str]
    """n texts, "" where the image is usable."""


def central_pixels(
    images: Images, bands: list[str], side: int, unit: str, max_masked: float
) -> CentralPixels:
    """The central square of each image in `unit`, bad pixels bridged from their neighbours.

    Raises:
        DataError: the images' unit is not a flux.
        ShapeError: they are smaller than the square.
    """
    at = [images.bands.index(band) for band in bands]
    square = _square(images.flux.shape[2:], side)
    flux = images.flux[:, at, *square] * np.float32(scale_to(unit, images.unit, "images"))
    good = _good_pixels(images, at, square, flux)
    reasons = _reasons(images.band_valid[:, at], good, bands, max_masked)
    flux = _whole(flux, good)
    flux[[bool(reason) for reason in reasons]] = np.nan
    return CentralPixels(flux, good, reasons)


def survey_of(bands: tuple[str, ...], recipe: Recipe) -> ImageSurvey:
    """The survey that all of `bands` belong to.

    Raises:
        DataError: there is none.
    """
    for survey in recipe.images:
        if bands and set(bands) <= set(survey.bands):
            return survey
    choices = "; or ".join(", ".join(survey.bands) for survey in recipe.images)
    adapted = f"; or all of {', '.join(recipe.adapter.bands)}" if recipe.adapter else ""
    raise DataError(
        f"the images have bands {', '.join(bands) or 'none'}; AION takes some of one survey:"
        f" {choices}{adapted}"
    )


def _square(shape: tuple[int, ...], side: int) -> tuple[slice, slice]:
    if min(shape) < side:
        raise ShapeError(
            f"images of {shape[0]} x {shape[1]} px are smaller than the {side} px AION needs:"
            " use larger cutouts"
        )
    top, left = ((extent - side) // 2 for extent in shape)
    return slice(top, top + side), slice(left, left + side)


def _good_pixels(images: Images, at: list[int], square: tuple[slice, slice], flux: Array) -> Array:
    good = np.isfinite(flux)
    if images.mask is not None:
        good &= ~images.mask[:, at, *square]
    if images.ivar is not None:
        good &= images.ivar[:, at, *square] > 0
    return np.asarray(good)


def _whole(flux: Array, good: Array) -> Array:
    """The flux with holes filled, from their neighbours or else with the median of the plane."""
    holed = ~good.all(axis=(2, 3)) & good.any(axis=(2, 3))
    if holed.any():
        planes, kept = flux[holed], good[holed]
        level = np.array([np.median(p[k]) for p, k in zip(planes, kept, strict=True)])
        flux[holed] = fill_holes(planes, kept, level)
    return flux


def _reasons(band_valid: Array, good: Array, bands: list[str], max_masked: float) -> list[str]:
    """Why each image is not usable: the first of its problems, or ""."""
    bad = 1 - good.mean(axis=(2, 3))
    reasons = []
    for valid, masked in zip(band_valid, bad, strict=True):
        found = ""
        for band, there, part in zip(bands, valid, masked, strict=True):
            if not there:
                found = f"band {band} is absent"
            elif part == 1:
                found = f"band {band} has no good pixel in the central square"
            elif part > max_masked:
                found = (
                    f"{part:.0%} of band {band} is masked or not finite, the limit is"
                    f" {max_masked:.0%}"
                )
            if found:
                break
        reasons.append(found)
    return reasons
