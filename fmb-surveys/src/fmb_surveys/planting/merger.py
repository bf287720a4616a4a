"""Merger: a close companion of the host's colours, tidal tails and young stars."""

import numpy as np

from fmb import Array
from fmb_surveys.planting.canvas import Ellipse
from fmb_surveys.planting.colours import host_fluxes_ujy, reference_band, tilted
from fmb_surveys.planting.cosmology import kpc_per_arcsec
from fmb_surveys.planting.lightmap import blurred_ellipse, blurred_points
from fmb_surveys.planting.lines import NARROW, gaussian_line
from fmb_surveys.planting.target import Cutouts, Spectrum, Target

__all__ = ["plant_merger", "tail_points"]

WEAK_MAG, STRONG_MAG = 1.5, 0.2
_TAIL_MAG_ARCSEC2 = (25.5, 23.5)
_MIN_H_ALPHA_EW_AA = 4.0
_USUAL_REDSHIFT = 0.3
"""Of hosts whose redshift is not known; a kiloparsec is 0.22 arcsec there."""


def plant_merger(target: Target, fainter_mag: float, rng: np.random.Generator) -> None:
    """Add a companion 3-15 kpc away, two tails and brighter emission lines.

    The surface brightness of the tails goes with the companion's magnitude: 25.5 to 23.5
    mag/arcsec2 near 7000 Angstrom from the weakest to the strongest.

    Args:
        target: changed in place.
        fainter_mag: companion minus host, magnitudes near 7000 Angstrom.
        rng: geometry and noise.
    """
    known = np.isfinite(target.redshift)
    per_arcsec = float(kpc_per_arcsec(target.redshift if known else _USUAL_REDSHIFT))
    # A companion beyond the edge of the narrowest cutout would be planted unseen.
    reach = 0.8 * min(_half_arcsec(cutouts) for cutouts in target.images.values())
    distance = rng.uniform(3.0, min(15.0, reach * per_arcsec)) / per_arcsec
    direction = rng.random() * 2 * np.pi
    x, y = distance * np.cos(direction), distance * np.sin(direction)
    size = 3.0 * 10 ** (-0.1 * fainter_mag + rng.normal(0.0, 0.1)) / per_arcsec
    companion = Ellipse(
        x, y, size, float(rng.choice([1.0, 1.5, 3.0])), rng.uniform(0.4, 0.9), rng.random() * np.pi
    )
    share_strong = (WEAK_MAG - fainter_mag) / (WEAK_MAG - STRONG_MAG)
    surface_mag = _TAIL_MAG_ARCSEC2[0] + share_strong * (
        _TAIL_MAG_ARCSEC2[1] - _TAIL_MAG_ARCSEC2[0]
    )
    tail_x, tail_y, brightness, cell = tail_points(x, y, 4.0 / per_arcsec, rng)
    tail_ujy = float(brightness.sum()) * cell * 10 ** (0.4 * (23.9 - surface_mag))
    bluer = rng.normal(-0.15, 0.15)
    for cutouts in target.images.values():
        host = host_fluxes_ujy(cutouts)
        total = host[reference_band(cutouts)] * 10 ** (-0.4 * fainter_mag)
        light = blurred_ellipse(cutouts, companion) * _column(tilted(host, cutouts, total, bluer))
        tails = blurred_points(cutouts, tail_x, tail_y, brightness / brightness.sum())
        light += tails * _column(tilted(host, cutouts, tail_ujy, -0.4))
        cutouts.add_light(light / cutouts.in_ujy(), rng)
    boost = rng.uniform(1.5, 3.0)
    for spectrum in target.spectra.values():
        spectrum.add_light(_younger(spectrum, target.redshift, boost), rng)


def _half_arcsec(cutouts: Cutouts) -> float:
    return 0.5 * float(min(cutouts.flux.shape[1:])) * cutouts.pixel_scale_arcsec


def _column(values: Array) -> Array:
    return values[:, None, None]


def tail_points(
    x: float, y: float, scale_arcsec: float, rng: np.random.Generator
) -> tuple[Array, Array, Array, float]:
    """Two curved tails, one from each nucleus, that fade outwards.

    Args:
        x: offset of the companion, arcsec.
        y: the same along rows.
        scale_arcsec: length over which a tail fades.
        rng: bends them.

    Returns:
        x, y (arcsec), relative surface brightness (at most about 1) and the area of one point in
        arcsec2.
    """
    cell = 0.05
    half = 4.0 * scale_arcsec + np.hypot(x, y)
    axis = np.arange(-half, half, cell) + 0.5 * cell
    px, py = np.meshgrid(axis, axis)
    total = np.zeros_like(px)
    sense = float(rng.choice([-1.0, 1.0]))
    for start_x, start_y, side in ((0.0, 0.0, 0.0), (x, y, np.pi)):
        # Tails leave on the sides that face away from each other and bend the same way round.
        leave = np.arctan2(-y, -x) + side + sense * rng.uniform(0.3, 0.9)
        bend = sense * rng.uniform(0.25, 0.6)
        steps = np.linspace(0.0, 3.2, 26)
        turn = leave + bend * steps
        path_x = start_x + scale_arcsec * np.cumsum(np.cos(turn)) * (steps[1] - steps[0])
        path_y = start_y + scale_arcsec * np.cumsum(np.sin(turn)) * (steps[1] - steps[0])
        width = scale_arcsec * rng.uniform(0.16, 0.28)
        tail = np.zeros_like(px)
        for k, step in enumerate(steps):
            spot = (px - path_x[k]) ** 2 + (py - path_y[k]) ** 2
            widened = width * (1 + 0.25 * step)
            tail = np.maximum(tail, np.exp(-step / 2.0) * np.exp(-0.5 * spot / widened**2))
        total = np.maximum(total, tail)
    seen = total > 0.01
    return px[seen], py[seen], total[seen], cell**2


def _younger(spectrum: Spectrum, redshift: float, boost: float) -> Array:
    """(pixels,) emission lines that raise star formation by a factor, in the spectrum's unit."""
    wave = spectrum.wavelength_aa
    centre = 6564.6 * (1 + redshift)
    if not spectrum.covers(centre):
        centre = 3728.8 * (1 + redshift)
    continuum = spectrum.continuum(centre)
    near = spectrum.good() & (np.abs(wave - centre) < 25.0)
    step = np.gradient(wave)
    measured = float(np.sum((spectrum.flux[near] - continuum) * step[near])) / continuum
    width = max(measured, _MIN_H_ALPHA_EW_AA * (1 + redshift))
    h_alpha = (boost - 1.0) * width * continuum
    lines = [gaussian_line(wave, aa * (1 + redshift), r * h_alpha, 90.0) for aa, r in NARROW]
    return np.asarray(np.sum(lines, axis=0))
