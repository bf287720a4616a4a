"""Cutouts as small pictures, to be looked at and not measured."""

import numpy as np

from fmb import Array, Batch, Images
from fmb.terminal import png_bytes

__all__ = ["thumbnails"]

_WHITE = 99.5
"""Percentile of the pixels of a band that is white."""
_SOFT = 3.0
"""Times the noise of the sky at which the asinh turns from linear to logarithmic."""


def thumbnails(batch: Batch, wanted: Array) -> list[bytes | None]:
    """PNG files of objects, None where no image of one is kept.

    The first, the middle and the last band that an object has are blue, green and red, each with
    the stretch of its own sky and peak.

    Args:
        batch: the cutouts that are kept.
        wanted: (n,) ids.
    """
    made: dict[object, bytes] = {}
    for name, data in batch.inputs.items():
        if isinstance(data, Images):
            ids = batch.ids[batch.rows[name]].tolist()
            for row, one in enumerate(ids):
                made.setdefault(one, _png(data, row))
    return [made.get(one) for one in wanted.tolist()]


def _png(images: Images, row: int) -> bytes:
    there = np.flatnonzero(images.band_valid[row])
    if not len(there):
        there = np.arange(1)
    chosen = [there[-1], there[(len(there) - 1) // 2], there[0]]
    planes = [_stretched(images.flux[row, band], images.unit == "display") for band in chosen]
    rgb = np.stack(planes, axis=-1)
    rgba = np.full((*rgb.shape[:2], 4), 255, dtype=np.uint8)
    rgba[..., :3] = np.round(255 * rgb)
    return png_bytes(rgba[::-1], dpi=72)  # the first row of an image lies at its bottom


def _stretched(flux: Array, display: bool) -> Array:
    """A band in [0, 1], 0.5 where it has no value."""
    known = flux[np.isfinite(flux)].astype(np.float64)
    if not known.size:
        return np.full(flux.shape, 0.5)
    if display:
        top = 255.0 if known.max() > 1 else 1.0
        shown = flux.astype(np.float64) / top
    else:
        sky = np.median(known)
        soft = _SOFT * 1.4826 * np.median(np.abs(known - sky)) or 1.0
        top = max(np.percentile(known, _WHITE) - sky, soft)
        shown = np.arcsinh((flux - sky) / soft) / np.arcsinh(top / soft)
    return np.where(np.isfinite(shown), np.clip(shown, 0, 1), 0.5)
