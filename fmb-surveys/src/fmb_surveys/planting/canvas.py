"""A canvas in Fourier space: sources of any shape, blurred and sampled into pixels."""

from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np

from fmb import Array
from fmb_surveys.planting.psf import PSF_WEIGHTS, psf_sigmas, psf_transform
from fmb_surveys.planting.sersic import sersic_transform

__all__ = ["Canvas", "Ellipse", "canvas", "draw_spots"]


@dataclass(frozen=True)
class Ellipse:
    """A Sersic galaxy on a cutout; lengths in pixels."""

    x: float
    y: float
    """Offset of the centre from the middle of the cutout, columns and rows."""
    re: float
    """Half-light radius along the major axis."""
    sersic: float
    axis_ratio: float
    angle_rad: float
    """From +x towards +y."""


@dataclass(frozen=True, eq=False)
class Canvas:
    """Grid of wavenumbers for a square cutout, padded against wrapping round its edges.

    A sharp canvas reaches 1.5 times the highest wavenumber its pixels can carry. What lies beyond
    is folded back before the inverse transform, as sampling by pixels does, so that a point-spread
    function as narrow as the pixels neither blurs nor rings.
    """

    size: int
    padded: int
    sharp: bool
    kx: Array = field(repr=False)
    """(1, half + 1), float32, cycles a pixel."""
    ky: Array = field(repr=False)
    """(rows, 1), float32."""
    k2: Array = field(repr=False)

    def ellipse(self, source: Ellipse) -> Array:
        """Transform of a source of unit flux at its place, complex64, before any blur."""
        c, s = np.cos(source.angle_rad), np.sin(source.angle_rad)
        q2 = source.axis_ratio**2
        along_x = self.kx**2 * np.float32(c * c + q2 * s * s)
        k: Array = along_x + self.ky**2 * np.float32(s * s + q2 * c * c)
        k += (self.kx * np.float32(2 * c * s * (1 - q2))) * self.ky
        np.sqrt(np.maximum(k, 0.0, out=k), out=k)
        k *= np.float32(source.re)
        return np.asarray(sersic_transform(source.sersic, k) * self.phase(source.x, source.y))

    def phase(self, x: float, y: float) -> Array:
        """Transform of a point at an offset from the middle of the cutout, complex64."""
        middle = 0.5 * (self.padded - 1)
        along_x = np.exp(-2j * np.pi * (middle + x) * self.kx.astype(np.float64))
        along_y = np.exp(-2j * np.pi * (middle + y) * self.ky.astype(np.float64))
        return np.asarray((along_y.astype(np.complex64)) * along_x.astype(np.complex64))

    def image(self, scene: Array, fwhm_px: float) -> Array:
        """(size, size), float32: the scene seen through a point-spread function of that width."""
        blurred = scene * _blur(self.size, self.padded, self.sharp, round(fwhm_px, 3))
        pixels = np.fft.irfft2(self._fold(blurred), s=(self.padded, self.padded))
        edge = (self.padded - self.size) // 2
        return np.asarray(pixels[edge : edge + self.size, edge : edge + self.size])

    def _fold(self, scene: Array) -> Array:
        """Add wavenumbers the pixels cannot carry to those they look like."""
        if not self.sharp:
            return scene
        half = self.padded // 2
        extra = self.padded // 4
        rows = np.concatenate([scene[:half], scene[-half:]])
        rows[half : half + extra] += scene[half : half + extra]
        rows[half - extra : half] += scene[-half - extra : -half]
        folded = rows[:, : half + 1].copy()
        beyond = np.conj(rows[:, half:])  # a real image: F(-k) is the conjugate of F(k)
        mirrored = np.concatenate([beyond[:1], beyond[:0:-1]])
        folded[:, half - extra :] += mirrored[:, ::-1]
        return folded


@lru_cache(maxsize=16)
def canvas(size: int, padded: int, sharp: bool) -> Canvas:
    """The canvas of a cutout of `size` pixels on a period of `padded` pixels.

    Args:
        size: pixels on a side.
        padded: a multiple of 4, at least `size`; sources repeat with this period.
        sharp: True for a point-spread function narrower than about 3 pixels.
    """
    reach = 3 * padded // 4 if sharp else padded // 2
    kx = (np.arange(reach + 1) / padded).astype(np.float32)[None, :]
    ky = (np.fft.ifftshift(np.arange(-reach, reach)) / padded).astype(np.float32)[:, None]
    return Canvas(size=size, padded=padded, sharp=sharp, kx=kx, ky=ky, k2=kx**2 + ky**2)


@lru_cache(maxsize=512)
def _blur(size: int, padded: int, sharp: bool, fwhm_px: float) -> Array:
    return psf_transform(fwhm_px, canvas(size, padded, sharp).k2)


def draw_spots(size: int, x: Array, y: Array, sigma: Array, flux: Array, fwhm_px: Array) -> Array:
    """Round Gaussian spots blurred by the point-spread function of each band.

    Args:
        size: pixels on a side.
        x: (m,) offsets from the middle of the cutout, columns; pixels.
        y: (m,) the same for rows.
        sigma: (m,) widths before blurring, pixels; 0 = a point.
        flux: (m, bands) total flux.
        fwhm_px: (bands,) full widths of the point-spread functions, pixel included.

    Returns:
        (bands, size, size), float32.
    """
    grid = np.arange(size, dtype=np.float32) - np.float32(0.5 * (size - 1))
    out = np.empty((flux.shape[1], size, size), dtype=np.float32)
    dx = (grid[None, :] - x[:, None].astype(np.float32)) ** 2
    dy = (grid[None, :] - y[:, None].astype(np.float32)) ** 2
    for band in range(flux.shape[1]):
        variance = sigma[None, :] ** 2 + psf_sigmas(float(fwhm_px[band]))[:, None] ** 2
        weight = PSF_WEIGHTS[:, None] * flux[None, :, band] / (2 * np.pi * variance)
        scale = (-0.5 / variance).astype(np.float32)[:, :, None]
        columns = np.exp(scale * dx[None]).reshape(-1, size)
        rows = np.exp(scale * dy[None]) * weight.astype(np.float32)[:, :, None]
        out[band] = rows.reshape(-1, size).T @ columns
    return out
