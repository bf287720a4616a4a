"""Starlight of galaxies: from stars, dust and lines to band fluxes and to a spectrum."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from fmb import Array, Rows, per_row
from fmb_surveys.demo.bands import BANDS, transmission
from fmb_surveys.demo.dust import attenuation_curve, milky_way_curve
from fmb_surveys.demo.emission import LINES_AA
from fmb_surveys.demo.stars import LN_STEP, WAVELENGTH_AA
from fmb_surveys.demo.stellar_populations import basis
from fmb_surveys.planting.cosmology import luminosity_distance_mpc

__all__ = ["COMPONENTS", "Starlight", "band_fluxes_ujy", "line_fluxes", "stellar_flux"]

COMPONENTS = ("bulge", "disc", "young")
"""What a galaxy is made of: old bulge, disc older than 200 Myr, stars of the last 200 Myr."""

_SOLAR_ERG_S = 3.828e33
_MPC_CM = 3.0856776e24
_LIGHT_AA_S = 2.99792458e18
_COARSE = 16
_CHUNK = 256
_MARGIN = 32  # pixels beyond the range, so that blurring by velocities does not see its ends


@dataclass(frozen=True, kw_only=True, eq=False)
class Starlight(Rows):
    """Stars, dust and gas of n galaxies."""

    redshift: Array = per_row()
    """(n,)."""
    mass_formed: Array = per_row()
    """(n, 3, 20): solar masses formed by component and by metal family and age (flattened)."""
    a_v: Array = per_row()
    """(n, 3): attenuation in magnitudes in V."""
    lines_erg_s: Array = per_row()
    """(n, 3, lines): line luminosities by component."""
    ebv: Array = per_row()
    """(n,): E(B-V) of the Milky Way in front."""

    def __len__(self) -> int:
        return len(self.redshift)


@lru_cache(maxsize=1)
def _flat_basis() -> Array:
    flat = basis().reshape(-1, len(WAVELENGTH_AA))
    return flat.astype(np.float32)


@lru_cache(maxsize=1)
def _coarse() -> tuple[Array, Array]:
    """Grid and basis averaged over 16 pixels: enough for photometry."""
    n = len(WAVELENGTH_AA) // _COARSE
    wave = WAVELENGTH_AA[: n * _COARSE].reshape(n, _COARSE).mean(1)
    light = _flat_basis()[:, : n * _COARSE].reshape(-1, n, _COARSE).mean(2)
    return wave, light


@lru_cache(maxsize=1)
def _transmission_table() -> tuple[float, float, Array]:
    """First ln(wavelength), step and (pixels, 8) transmission divided by its AB normalisation."""
    start, step = np.log(1500.0), 5e-4
    wave = np.exp(np.arange(start, np.log(70000.0), step))
    table = np.stack([transmission(band, wave) for band in BANDS], axis=1)
    return start, step, table / (table.sum(0) * step)


def _transmission(ln_wave: Array) -> Array:
    start, step, table = _transmission_table()
    return np.asarray(table[np.rint((ln_wave - start) / step).astype(np.int64)])


def _dilution(redshift: Array) -> Array:
    """1 / (4 pi D_L^2) in 1/cm2."""
    return np.asarray(1.0 / (4 * np.pi * (luminosity_distance_mpc(redshift) * _MPC_CM) ** 2))


def band_fluxes_ujy(light: Starlight) -> Array:
    """(n, 3, 8): flux of each component in each of `BANDS`, microjansky, behind all dust.

    Source: AB flux of a photon counter, Hogg 2022, arXiv:2206.00989, eq. 12.
    """
    parts = [
        _chunk_fluxes(light.take(np.arange(i, min(i + _CHUNK, len(light)))))
        for i in range(0, len(light), _CHUNK)
    ]
    extinction = 10 ** (
        -0.4 * light.ebv[:, None] * milky_way_curve(np.array([band.effective_aa for band in BANDS]))
    )
    return np.concatenate(parts) * extinction[:, None, :]


def _chunk_fluxes(light: Starlight) -> Array:
    wave, coarse = _coarse()
    ln_stretch = np.log1p(light.redshift)[:, None]
    sed = light.mass_formed.astype(np.float32) @ coarse
    dust = np.exp((-0.4 * np.log(10.0) * light.a_v[:, :, None]) * attenuation_curve(wave)).astype(
        np.float32
    )
    sed *= dust * (wave**2 * _COARSE * LN_STEP).astype(np.float32)
    through = _transmission(np.log(wave)[None, :] + ln_stretch).astype(np.float32)
    starlight = (sed @ through).astype(np.float64) * _SOLAR_ERG_S  # beyond float32's range
    ln_lines = np.log(LINES_AA)[None, :] + ln_stretch
    # A line is a spike at its wavelength: integral of f_lambda lambda T dlambda = F lambda T.
    spikes = _transmission(ln_lines) * LINES_AA[None, :, None]
    gas = light.lines_erg_s @ spikes
    scale = (1.0 + light.redshift) * _dilution(light.redshift) / _LIGHT_AA_S * 1e29
    return np.asarray((starlight + gas) * scale[:, None, None])


def stellar_flux(light: Starlight, row: int, range_aa: tuple[float, float]) -> tuple[Array, Array]:
    """Stellar spectrum of one galaxy, component by component.

    Args:
        light: galaxies.
        row: which of them.
        range_aa: observed wavelengths to cover.

    Returns:
        Observed wavelengths (pixels,) on a logarithmic grid of 60 km/s, and flux (3, pixels) in
        1e-17 erg/s/cm2/Angstrom behind the galaxy's own dust, not the Milky Way's.
    """
    z = float(light.redshift[row])
    first, last = np.searchsorted(WAVELENGTH_AA, np.array(range_aa) / (1 + z))
    part = slice(max(first - _MARGIN, 0), last + _MARGIN)
    flux = light.mass_formed[row].astype(np.float32) @ _flat_basis()[:, part]
    curve = _stellar_curve()[part]
    flux *= np.exp((-0.4 * np.log(10.0) * light.a_v[row][:, None]).astype(np.float32) * curve)
    flux *= np.float32(float(_dilution(np.array(z))) / (1 + z) * _SOLAR_ERG_S * 1e17)
    return WAVELENGTH_AA[part] * (1 + z), flux


@lru_cache(maxsize=1)
def _stellar_curve() -> Array:
    return attenuation_curve(WAVELENGTH_AA).astype(np.float32)


def line_fluxes(light: Starlight, row: int) -> tuple[Array, Array]:
    """Observed wavelengths (lines,) and fluxes (3, lines) in 1e-17 erg/s/cm2, no Milky Way."""
    z = float(light.redshift[row])
    flux = light.lines_erg_s[row] * float(_dilution(np.array(z))) * 1e17
    return LINES_AA * (1 + z), flux
