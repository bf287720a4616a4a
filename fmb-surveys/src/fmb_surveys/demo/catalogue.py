"""The catalogue of the simulated survey, with units."""

import numpy as np
import pandas as pd

from fmb import Array
from fmb_surveys.demo.bands import BANDS
from fmb_surveys.demo.galaxies import Galaxies
from fmb_surveys.demo.selection import magnitudes
from fmb_surveys.demo.sky import Cells, Plan
from fmb_surveys.demo.sky_spectrum import WAVELENGTH_AA, noise_curve

__all__ = ["MAG_COLUMNS", "survey_catalog"]

MAG_COLUMNS = ("mag_vis", "mag_y", "mag_j", "mag_h", "mag_g", "mag_r", "mag_i", "mag_z")
"""In the order of `BANDS`."""

_UNITS = {
    "ra": "deg",
    "dec": "deg",
    "logmass": "dex(solMass)",
    "logsfr": "dex(solMass / yr)",
    "size": "arcsec",
    "ebv": "mag",
    "depth": "mag",
    "psf_vis": "arcsec",
} | dict.fromkeys(MAG_COLUMNS, "mag(AB)")

_ROLES = {
    "magnitude": "mag_r",
    "size": "size",
    "redshift": "redshift",
    "snr": "snr",
    "depth": "depth",
    "psf": "psf_vis",
    "ebv": "ebv",
    "class": "label",
    "group": "group",
    "field": "cell",
}


def survey_catalog(
    plan: Plan, cells: Cells, galaxies: Galaxies, flux_ujy: Array, shares: Array, seed: int
) -> pd.DataFrame:
    """One row an object.

    Args:
        plan: rows of the survey.
        cells: conditions.
        galaxies: the galaxies the rows observe.
        flux_ujy: (galaxies, 3, 8) fluxes by component.
        shares: (galaxies, 2) shares inside the fibre.
        seed: for the errors of catalogue quantities.
    """
    rng = np.random.default_rng([seed, 7])
    source = plan.source
    n = len(source)
    mags = magnitudes(flux_ujy.sum(1))[source]
    errors = rng.normal(0.0, 1.0, (n, 3))
    z = galaxies.redshift[source]
    columns = {
        "object_id": plan.ids,
        "ra": plan.ra_deg,
        "dec": plan.dec_deg,
        "redshift": z + 1e-4 * (1 + z) * errors[:, 0],
        "logmass": galaxies.logmass[source] + 0.08 * errors[:, 1],
        "logsfr": galaxies.logsfr[source] + 0.15 * errors[:, 2],
        **{name: mags[:, k] for k, name in enumerate(MAG_COLUMNS)},
        "size": _sizes(galaxies, flux_ujy)[source],
        "snr": _signal_to_noise(plan, cells, flux_ujy, shares),
        "ebv": galaxies.light.ebv[source],
        "cell": plan.cell,
        "depth": cells.depth_mag[plan.cell],
        "psf_vis": BANDS[0].psf_fwhm_arcsec * cells.psf_factor[plan.cell],
        "galaxy_type": galaxies.kind[source].astype(object),
        "group": plan.ids[plan.first],
        "label": np.full(n, "ordinary", dtype=object),
    }
    table = pd.DataFrame(columns)
    table.attrs["units"] = dict(_UNITS)
    table.attrs["roles"] = dict(_ROLES)
    return table


def _sizes(galaxies: Galaxies, flux_ujy: Array) -> Array:
    """(n,) half-light radius in VIS along the major axis, the light-weighted mean of the parts."""
    light = flux_ujy[:, :, 0]
    outer = light[:, 1] + light[:, 2]
    total = light[:, 0] * galaxies.bulge_re_arcsec + outer * galaxies.disc_re_arcsec
    return np.asarray(total / light.sum(1))


def _signal_to_noise(plan: Plan, cells: Cells, flux_ujy: Array, shares: Array) -> Array:
    """(n,) expected continuum signal-to-noise a pixel at 6500 Angstrom; NaN without spectrum."""
    # 1 microjansky at 6500 Angstrom is 1e-29 c / lambda^2 erg/s/cm2/Angstrom.
    per_ujy = 1e-29 * 2.99792458e18 / 6500.0**2 * 1e17
    red = flux_ujy[:, :, 5]
    flux = per_ujy * (red[:, 0] * shares[:, 0] + (red[:, 1] + red[:, 2]) * shares[:, 1])
    sigma, per_flux = (c[np.searchsorted(WAVELENGTH_AA, 6500.0)] for c in noise_curve())
    caught = flux[plan.source]
    noise = np.sqrt((sigma * cells.spectrum_noise[plan.cell]) ** 2 + per_flux * caught)
    return np.asarray(np.where(plan.has_spectrum, caught / noise, np.nan))
