"""What else is on a cutout: star-forming knots and arms, blends, neighbours."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from fmb import Array
from fmb_surveys.demo.galaxies import Galaxies, draw_galaxies
from fmb_surveys.demo.starlight import band_fluxes_ujy

__all__ = ["Others", "Spots", "background", "draw_blends", "draw_knots", "draw_neighbours"]

FIELD_ARCSEC = 40.0
"""Side of the field in which neighbours are drawn; the wider of the two cutouts."""
_PER_ARCSEC2 = 0.5 / 9.6**2
_MAG_LIMITS = (19.5, 24.5)
_COUNT_SLOPE = 0.35
_BLEND_SHARE = 0.10


@dataclass(frozen=True, eq=False)
class Spots:
    """Round Gaussian spots in a galaxy, arcsec from its centre, (m,) each."""

    x: Array
    y: Array
    sigma: Array
    share: Array
    """Shares of the light of all knots; they sum to 1."""


@dataclass(frozen=True, eq=False)
class Others:
    """Unrelated galaxies, arcsec from the target, (m,) each."""

    x: Array
    y: Array
    re: Array
    axis_ratio: Array
    angle_rad: Array
    sersic: Array
    template: Array
    """Row of `background()`."""
    flux_ujy: Array
    """(m, 8), VIS first."""


@lru_cache(maxsize=1)
def background() -> tuple[Galaxies, Array]:
    """160 background galaxies and their band fluxes (160, 8), microjansky."""
    rng = np.random.default_rng(160)
    redshift = rng.uniform(0.15, 1.1, 160)
    logmass = rng.normal(10.1 + 0.3 * redshift, 0.4)
    galaxies = draw_galaxies(redshift, logmass, np.full(160, 0.04), rng)
    return galaxies, band_fluxes_ujy(galaxies.light).sum(1)


def draw_knots(galaxies: Galaxies, row: int, rng: np.random.Generator) -> Spots:
    """Knots and arms of the young stars of one galaxy: two arms, or scattered ones."""
    n_arm, n_loose = (32, 10) if rng.random() < 0.6 else (0, 24)
    re = float(galaxies.disc_re_arcsec[row])
    q = float(galaxies.disc_axis_ratio[row])
    angle = float(galaxies.angle_rad[row])
    outwards = np.geomspace(0.4, 2.0, n_arm) * rng.normal(1.0, 0.05, n_arm)
    radius = re * np.concatenate([outwards, np.minimum(rng.gamma(2.0, 0.6, n_loose), 2.6)])
    winding = np.tan(np.radians(rng.uniform(12.0, 28.0))) * rng.choice([-1.0, 1.0])
    along = np.log(radius[:n_arm] / re) / winding + np.pi * (np.arange(n_arm) % 2)
    along += rng.random() * 2 * np.pi + rng.normal(0, 0.09, n_arm)
    turn = np.concatenate([along, rng.random(n_loose) * 2 * np.pi])
    u, v = radius * np.cos(turn), q * radius * np.sin(turn)
    width = np.concatenate([rng.uniform(0.09, 0.16, n_arm), rng.uniform(0.03, 0.12, n_loose)])
    scatter = np.concatenate([np.full(n_arm, 0.4), np.full(n_loose, 0.7)])
    share = np.exp(-radius / (1.1 * re)) * rng.lognormal(0.0, scatter)
    share[:n_arm] *= radius[:n_arm] / re
    share[n_arm:] *= 0.4
    return Spots(
        x=u * np.cos(angle) - v * np.sin(angle),
        y=u * np.sin(angle) + v * np.cos(angle),
        sigma=width * re * (0.35 + 0.65 * q),
        share=share / share.sum(),
    )


def draw_blends(vis_mag: float, rng: np.random.Generator) -> Others:
    """None, or in one galaxy of ten one unrelated galaxy 1-3 arcsec away, 0-3 mag fainter."""
    n = int(rng.random() < _BLEND_SHARE)
    distance, turn = rng.uniform(1.0, 3.0, n), rng.random(n) * 2 * np.pi
    mag = vis_mag + rng.uniform(0.0, 3.0, n)
    return _others(distance * np.cos(turn), distance * np.sin(turn), mag, rng)


def draw_neighbours(rng: np.random.Generator) -> Others:
    """Faint galaxies over the field, half a galaxy on each `euclid` cutout."""
    n = int(rng.poisson(_PER_ARCSEC2 * FIELD_ARCSEC**2))
    x, y = (rng.random((2, n)) - 0.5) * FIELD_ARCSEC
    low, high = (10 ** (_COUNT_SLOPE * mag) for mag in _MAG_LIMITS)
    mag = np.log10(low + rng.random(n) * (high - low)) / _COUNT_SLOPE
    clear = np.hypot(x, y) > 2.0  # closer ones are blends and have their own rule
    return _others(x[clear], y[clear], mag[clear], rng)


def _others(x: Array, y: Array, mag: Array, rng: np.random.Generator) -> Others:
    n = len(x)
    galaxies, fluxes = background()
    template = rng.integers(len(galaxies), size=n)
    vis_ujy = 10 ** (0.4 * (23.9 - mag))
    quiet = galaxies.kind[template] == "quiescent"
    return Others(
        x=x,
        y=y,
        re=0.45 * 10 ** (-0.11 * (mag - 21.0) + rng.normal(0.0, 0.15, n)),
        axis_ratio=rng.uniform(0.35, 1.0, n),
        angle_rad=rng.random(n) * np.pi,
        sersic=np.where(quiet, 3.0, 1.0),
        template=template,
        flux_ujy=vis_ujy[:, None] * fluxes[template] / fluxes[template, :1],
    )
