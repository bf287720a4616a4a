"""Fills masked pixels of images from their good neighbours."""

import numpy as np

from fmb.contract.arrays import Array

__all__ = ["fill_holes"]


def fill_holes(planes: Array, good: Array, sky: Array) -> Array:
    """The planes with each bad pixel replaced by its surroundings.

    A hole between two good pixels of its row or column is bridged linearly, the shorter bridge
    counting more; a pixel with no bridge (a mosaic border) gets the sky. A network of patches
    cannot leave a pixel out, and a hole filled with sky across a galaxy would be a dark scratch:
    the mask would create the anomaly that it was meant to hide.

    Args:
        planes: (k, h, w), float; bad pixels may be NaN.
        good: (k, h, w), bool.
        sky: (k,), the level of each plane.

    Returns:
        (k, h, w): good pixels unchanged.
    """
    clean = np.where(good, planes, 0)
    across, across_weight = _bridge(clean, good)
    swapped, down_weight = _bridge(clean.swapaxes(1, 2), good.swapaxes(1, 2))
    down, down_weight = swapped.swapaxes(1, 2), down_weight.swapaxes(1, 2)
    weight = across_weight + down_weight
    bridged = (across * across_weight + down * down_weight) / np.where(weight > 0, weight, 1)
    filled = np.where(weight > 0, bridged, sky[:, None, None])
    return np.where(good, planes, filled).astype(planes.dtype)


def _bridge(planes: Array, good: Array) -> tuple[Array, Array]:
    """Linear interpolation along the last axis, and 1/length of the bridge (0 = no bridge)."""
    width = planes.shape[-1]
    place = np.arange(width)
    before = np.maximum.accumulate(np.where(good, place, -1), axis=-1)
    after = np.minimum.accumulate(np.where(good, place, width)[..., ::-1], axis=-1)[..., ::-1]
    bridged = (before >= 0) & (after < width) & ~good
    low = np.take_along_axis(planes, np.clip(before, 0, None), axis=-1)
    high = np.take_along_axis(planes, np.clip(after, None, width - 1), axis=-1)
    length = np.where(bridged, after - before, 1)
    value = low + (high - low) * ((place - before) / length)
    return np.where(bridged, value, 0.0), np.where(bridged, 1.0 / length, 0.0)
