"""Light of any shape on the sky, blurred into the pixels of an instrument."""

import numpy as np

from fmb import Array
from fmb_surveys.planting.canvas import Canvas, Ellipse, canvas
from fmb_surveys.planting.psf import psf_transform
from fmb_surveys.planting.target import Cutouts

__all__ = ["blurred_ellipse", "blurred_points"]

_OVERSAMPLE = 3
_PAD_SHARE = 0.25


def blurred_points(cutouts: Cutouts, x_arcsec: Array, y_arcsec: Array, share: Array) -> Array:
    """Points of light seen by an instrument, for unit total flux in every band.

    Args:
        cutouts: gives pixels and point-spread functions.
        x_arcsec: (m,) offsets from the middle of the cutout along columns.
        y_arcsec: (m,) offsets along rows.
        share: (m,) shares of the light; what falls outside the cutout is lost.

    Returns:
        (bands, height, width), float64.
    """
    height, width = cutouts.flux.shape[1:]
    pixel = cutouts.pixel_scale_arcsec / _OVERSAMPLE
    shape = [int(n * (1 + _PAD_SHARE)) * _OVERSAMPLE for n in (height, width)]
    # Cell 0 starts at the first pixel's lower edge; the padding lies beyond the last pixel.
    rows = np.floor(y_arcsec / pixel + 0.5 * height * _OVERSAMPLE).astype(np.int64)
    columns = np.floor(x_arcsec / pixel + 0.5 * width * _OVERSAMPLE).astype(np.int64)
    inside = (rows >= 0) & (rows < height * _OVERSAMPLE)
    inside &= (columns >= 0) & (columns < width * _OVERSAMPLE)
    fine = np.zeros(shape)
    np.add.at(fine, (rows[inside], columns[inside]), np.asarray(share)[inside])
    scene = np.fft.rfft2(fine)
    k2 = np.fft.fftfreq(shape[0])[:, None] ** 2 + np.fft.rfftfreq(shape[1])[None, :] ** 2
    image = np.empty((len(cutouts.bands), height, width))
    middle = _OVERSAMPLE // 2
    for band, fwhm in enumerate(cutouts.widths()):
        seen = np.fft.irfft2(scene * psf_transform(float(fwhm) / pixel, k2), s=shape)
        sampled = seen[middle::_OVERSAMPLE, middle::_OVERSAMPLE][:height, :width]
        image[band] = sampled * _OVERSAMPLE**2
    return image


def blurred_ellipse(cutouts: Cutouts, source: Ellipse) -> Array:
    """A Sersic galaxy seen by an instrument, for unit total flux in every band.

    Args:
        cutouts: gives pixels and point-spread functions.
        source: with lengths in arcsec; x along columns, y along rows.

    Returns:
        (bands, height, width), float64.
    """
    height, width = cutouts.flux.shape[1:]
    scale = cutouts.pixel_scale_arcsec
    board = _board(max(height, width), bool(cutouts.widths().min() < 3 * scale))
    # A cutout that is not square is cut out of the square one round it; an odd difference moves
    # the middle by half a pixel.
    top, left = (board.size - height) // 2, (board.size - width) // 2
    in_pixels = Ellipse(
        source.x / scale + left + (width - board.size) / 2,
        source.y / scale + top + (height - board.size) / 2,
        max(source.re / scale, 1e-3),
        source.sersic,
        source.axis_ratio,
        source.angle_rad,
    )
    scene = board.ellipse(in_pixels)
    seen = np.stack([board.image(scene, float(f) / scale) for f in cutouts.widths()])
    return np.asarray(seen[:, top : top + height, left : left + width], dtype=np.float64)


def _board(size: int, sharp: bool) -> Canvas:
    even = size + size % 2
    return canvas(size, 4 * round(even * 1.5 / 4), sharp)
