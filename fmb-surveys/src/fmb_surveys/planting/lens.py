"""Strong lens: arcs of a distant blue galaxy round an early type."""

import numpy as np

from fmb import Array
from fmb_surveys.planting.colours import host_fluxes_ujy, tilted
from fmb_surveys.planting.fibre import spot_share
from fmb_surveys.planting.lightmap import blurred_points
from fmb_surveys.planting.lines import add_doublet
from fmb_surveys.planting.photometry import flambda_from_ujy
from fmb_surveys.planting.target import Target

__all__ = ["lensed_points", "plant_lens"]

_CELL_ARCSEC = 0.02
_FIELD_ARCSEC = 4.0
_OII_AA = 3728.8
_OII_EW_AA = 60.0
"""Rest equivalent width of [O II] in blue galaxies at z = 1 (Cooper et al. 2006)."""


def plant_lens(target: Target, magnitude: float, rng: np.random.Generator) -> None:
    """Add arcs of a total magnitude near 7000 Angstrom to images, their leak to spectra.

    Einstein radius 0.5-2 arcsec, source at z 0.9-1.6, arcs 0.7-1.5 mag bluer than the host
    between VIS and H, [O II] of the source in the fibre.

    Args:
        target: changed in place.
        magnitude: AB, of all images of the source together.
        rng: geometry, source and noise.
    """
    einstein = rng.uniform(0.5, 2.0)
    x, y, share = lensed_points(einstein, rng)
    # A power of the wavelength: VIS - H bluer by 0.98 mag for each unit of its index.
    index = rng.uniform(0.7, 1.5) / 0.98
    total_ujy = 10 ** (0.4 * (23.9 - magnitude))
    for cutouts in target.images.values():
        fluxes = tilted(host_fluxes_ujy(cutouts), cutouts, total_ujy, -index)
        light = blurred_points(cutouts, x, y, share) * fluxes[:, None, None]
        cutouts.add_light(light / cutouts.in_ujy(), rng)
    caught = float(share @ spot_share(np.zeros_like(x), np.hypot(x, y)))
    source_z = rng.uniform(0.9, 1.6)
    for spectrum in target.spectra.values():
        wave = spectrum.wavelength_aa
        # Flat in f_nu between the Balmer break and the ultraviolet, as blue galaxies are.
        continuum = np.asarray(flambda_from_ujy(total_ujy * caught, wave))
        line_aa = _OII_AA * (1 + source_z)
        strength = (
            _OII_EW_AA * (1 + source_z) * float(flambda_from_ujy(total_ujy * caught, line_aa))
        )
        light = continuum + add_doublet(wave, line_aa, strength)
        spectrum.add_light(light / spectrum.in_flambda(), rng)


def lensed_points(einstein_arcsec: float, rng: np.random.Generator) -> tuple[Array, Array, Array]:
    """Images of an exponential disc behind a singular isothermal ellipsoid.

    Args:
        einstein_arcsec: Einstein radius.
        rng: draws the ellipticity, its direction, the source's place and size.

    Returns:
        x, y (arcsec from the lens) and share of the light of the points that carry light.

    Source: Kormann, Schneider & Bartelmann 1994, A&A 284, 285, eq. 27a (deflection).
    """
    q = rng.uniform(0.65, 0.95)
    turn = rng.random() * np.pi
    # Even in area out to 0.65 radii: an arc and its counter-image more often than a ring.
    distance = einstein_arcsec * 0.65 * np.sqrt(rng.uniform(0.01, 1.0))
    direction = rng.random() * 2 * np.pi
    re, thin = rng.uniform(0.06, 0.16), rng.uniform(0.4, 1.0)
    lean = rng.random() * np.pi
    axis = np.arange(-_FIELD_ARCSEC, _FIELD_ARCSEC, _CELL_ARCSEC) + 0.5 * _CELL_ARCSEC
    x, y = np.meshgrid(axis, axis)
    u = x * np.cos(turn) + y * np.sin(turn)
    v = -x * np.sin(turn) + y * np.cos(turn)
    core = np.sqrt(q**2 * u**2 + v**2) + 1e-9
    flat = np.sqrt(1 - q**2)
    scale = einstein_arcsec * np.sqrt(q) / flat
    source_u = u - scale * np.arctan(flat * u / core)
    source_v = v - scale * np.arctanh(flat * v / (core + 1e-9))
    du = source_u - distance * np.cos(direction)
    dv = source_v - distance * np.sin(direction)
    along = du * np.cos(lean) + dv * np.sin(lean)
    across = (dv * np.cos(lean) - du * np.sin(lean)) / thin
    light = np.exp(-1.678 * np.hypot(along, across) / re)
    light[np.hypot(x, y) < 0.05] = 0.0  # the central image of a singular lens is infinitely faint
    bright = light > 1e-3 * light.max()
    return x[bright], y[bright], light[bright] / light[bright].sum()
