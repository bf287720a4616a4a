"""Noise-free cutouts of a galaxy with its surroundings, in one instrument."""

from dataclasses import dataclass

import numpy as np

from fmb import Array
from fmb_surveys.demo.bands import BANDS, Instrument
from fmb_surveys.demo.galaxies import Galaxies
from fmb_surveys.demo.surroundings import Others, Spots
from fmb_surveys.planting.canvas import Canvas, Ellipse, canvas, draw_spots

__all__ = ["Scene", "render"]

# A round exponential disc of unit half-light radius as two Gaussians: shares and sigmas. Enough for
# neighbours smaller than the seeing; fitted to second and fourth moments.
_DISC_SHARES = np.array([0.62, 0.38])
_DISC_SIGMAS = np.array([0.52, 1.29])


@dataclass(frozen=True, eq=False)
class Scene:
    """Everything on the cutouts of one object."""

    galaxies: Galaxies
    row: int
    """The target, a row of `galaxies`."""
    flux_ujy: Array
    """(3, 8): bulge, disc and young stars of the target in all bands."""
    knots: Spots
    blends: Others
    neighbours: Others


def render(scene: Scene, instrument: Instrument, psf_fwhm_arcsec: Array) -> Array:
    """The scene in one instrument, without noise.

    Args:
        scene: what to draw.
        instrument: bands, size and pixel scale.
        psf_fwhm_arcsec: (bands,) widths of the point-spread functions.

    Returns:
        (bands, size, size), float32, in the instrument's unit.
    """
    scale = instrument.pixel_scale_arcsec
    bands = slice(*_band_range(instrument))
    unit_flux = 1.0 / instrument.ujy_per_unit
    fwhm_px = psf_fwhm_arcsec / scale
    sharp = bool(fwhm_px.min() < 3.0)
    half_field = 0.5 * instrument.size_px * scale
    near = _within(scene.neighbours, half_field + 1.0)
    drawn = scene.blends if not sharp else _join(scene.blends, near)
    pad = 96 if scene.galaxies.bulge_re_arcsec[scene.row] > 0.3 * half_field else 48
    pad = pad if sharp else 28
    board = canvas(instrument.size_px, instrument.size_px + pad, sharp)
    image = _ellipses(scene, drawn, board, scale, bands, fwhm_px)
    x, y, sigma, flux = _spots(scene, _empty(near) if sharp else near, bands)
    image += draw_spots(instrument.size_px, x / scale, y / scale, sigma / scale, flux, fwhm_px)
    image *= np.float32(unit_flux)
    return image


def _band_range(instrument: Instrument) -> tuple[int, int]:
    first = BANDS.index(instrument.bands[0])
    return first, first + len(instrument.bands)


def _ellipses(
    scene: Scene, drawn: Others, board: Canvas, scale: float, bands: slice, fwhm_px: Array
) -> Array:
    """Target and the others that are drawn as ellipses, blurred: (bands, size, size)."""
    g, row = scene.galaxies, scene.row
    angle = float(g.angle_rad[row])
    bulge = Ellipse(
        0.0,
        0.0,
        float(g.bulge_re_arcsec[row]) / scale,
        float(g.bulge_sersic[row]),
        float(g.bulge_axis_ratio[row]),
        angle,
    )
    disc = Ellipse(
        0.0, 0.0, float(g.disc_re_arcsec[row]) / scale, 1.0, float(g.disc_axis_ratio[row]), angle
    )
    smooth = 1.0 - float(g.clumpiness[row])
    sources = [
        (board.ellipse(bulge), scene.flux_ujy[0, bands]),
        (board.ellipse(disc), scene.flux_ujy[1, bands] + smooth * scene.flux_ujy[2, bands]),
    ]
    for k in range(len(drawn.x)):
        other = Ellipse(
            float(drawn.x[k]) / scale,
            float(drawn.y[k]) / scale,
            float(drawn.re[k]) / scale,
            float(drawn.sersic[k]),
            float(drawn.axis_ratio[k]),
            float(drawn.angle_rad[k]),
        )
        sources.append((board.ellipse(other), drawn.flux_ujy[k, bands]))
    image = np.empty((len(fwhm_px), board.size, board.size), dtype=np.float32)
    for band in range(len(fwhm_px)):
        light = sum(shape * np.float32(flux[band]) for shape, flux in sources)
        image[band] = board.image(np.asarray(light), float(fwhm_px[band]))
    return image


def _spots(scene: Scene, round_ones: Others, bands: slice) -> tuple[Array, ...]:
    """Places, widths (arcsec) and fluxes (m, bands) of all that is drawn as round spots."""
    clumped = float(scene.galaxies.clumpiness[scene.row]) * scene.flux_ujy[2, bands]
    knots = scene.knots
    flux = [knots.share[:, None] * clumped]
    sigma = [knots.sigma]
    for share, width in zip(_DISC_SHARES, _DISC_SIGMAS, strict=True):
        flux.append(share * round_ones.flux_ujy[:, bands])
        sigma.append(width * round_ones.re * np.sqrt(round_ones.axis_ratio))
    return (
        np.concatenate([knots.x, round_ones.x, round_ones.x]),
        np.concatenate([knots.y, round_ones.y, round_ones.y]),
        np.concatenate(sigma),
        np.concatenate(flux),
    )


def _take(others: Others, rows: Array) -> Others:
    return Others(**{name: value[rows] for name, value in vars(others).items()})


def _within(others: Others, half_arcsec: float) -> Others:
    return _take(others, np.maximum(np.abs(others.x), np.abs(others.y)) < half_arcsec)


def _empty(others: Others) -> Others:
    return _take(others, np.zeros(len(others.x), dtype=bool))


def _join(first: Others, second: Others) -> Others:
    other = vars(second)
    return Others(
        **{name: np.concatenate([value, other[name]]) for name, value in vars(first).items()}
    )
