"""Galaxies drawn from mass and redshift: star formation, dust, sizes and shapes, with scatter."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from fmb import Array, Rows, per_row
from fmb_surveys.demo.emission import nebular_lines, old_star_lines
from fmb_surveys.demo.starlight import Starlight
from fmb_surveys.demo.stellar_populations import AGES_GYR, surviving_fraction
from fmb_surveys.planting.cosmology import age_gyr, kpc_per_arcsec

__all__ = ["Galaxies", "draw_galaxies", "join_galaxies"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Galaxies(Rows):
    """Latent properties of n galaxies; everything observed follows from these."""

    redshift: Array = per_row()
    logmass: Array = per_row()
    """log10 of solar masses in living stars."""
    logsfr: Array = per_row()
    """log10 of solar masses a year."""
    kind: Array = per_row()
    """str: "star-forming", "quiescent", "starburst" or "post-starburst"."""
    light: Starlight
    bulge_re_arcsec: Array = per_row()
    """Half-light radius along the major axis."""
    disc_re_arcsec: Array = per_row()
    bulge_sersic: Array = per_row()
    bulge_axis_ratio: Array = per_row()
    disc_axis_ratio: Array = per_row()
    angle_rad: Array = per_row()
    """Position angle of the major axis, from +x towards +y of the image."""
    dispersion_km_s: Array = per_row()
    """Velocity dispersion of the stars."""
    gas_dispersion_km_s: Array = per_row()
    clumpiness: Array = per_row()
    """Share of the young light that sits in knots and arms."""

    def __len__(self) -> int:
        return len(self.redshift)

    def take(self, rows: npt.ArrayLike) -> "Galaxies":
        """The same galaxies for `rows`, in that order, with their stars."""
        return replace(super().take(rows), light=self.light.take(rows))


def join_galaxies(parts: Sequence[Galaxies]) -> Galaxies:
    """All galaxies of several containers, one after the other."""
    light = {
        name: np.concatenate([getattr(part.light, name) for part in parts])
        for name in vars(parts[0].light)
    }
    own = {
        name: np.concatenate([getattr(part, name) for part in parts])
        for name in vars(parts[0])
        if name != "light"
    }
    return Galaxies(light=Starlight(**light), **own)


def draw_galaxies(
    redshift: Array, logmass: Array, ebv: Array, rng: np.random.Generator
) -> Galaxies:
    """Galaxies of given redshifts and stellar masses.

    Args:
        redshift: (n,) 0-2.
        logmass: (n,) log10 solar masses.
        ebv: (n,) E(B-V) of the Milky Way.
        rng: consumed by a fixed number of draws for n.

    Source: quiescent share after Baldry et al. 2012; main sequence of Elbaz et al. 2007; sizes of
    van der Wel et al. 2014, table 1; attenuation after Garn & Best 2010; abundances of
    Kewley & Ellison 2008; dispersions after Gallazzi et al. 2006.
    """
    kind, logsfr, main = _activity(redshift, logmass, rng)
    quiet = (kind == "quiescent") | (kind == "post-starburst")
    bulge_share = _bulge_shares(quiet, logmass, rng)
    shape = _shapes(redshift, logmass, quiet, bulge_share, rng)
    a_v = _attenuations(logmass, kind, quiet, shape["disc_axis_ratio"], rng)
    light = Starlight(
        redshift=redshift,
        mass_formed=_formed(redshift, logmass, logsfr, kind, bulge_share, rng),
        a_v=a_v,
        lines_erg_s=_lines(logmass, logsfr, main, quiet, 2.3 * a_v[:, 1], rng),
        ebv=ebv,
    )
    clumpiness = np.where(quiet, 0.05, np.clip(rng.normal(0.5, 0.15, len(redshift)), 0.1, 0.85))
    return Galaxies(
        redshift=redshift,
        logmass=logmass,
        logsfr=logsfr,
        kind=kind,
        light=light,
        clumpiness=clumpiness,
        **shape,
    )


def _activity(
    redshift: Array, logmass: Array, rng: np.random.Generator
) -> tuple[Array, Array, Array]:
    """Kind, log star-formation rate and that of the main sequence, (n,) each."""
    n = len(redshift)
    quiet = rng.random(n) < 0.9 / (1.0 + np.exp(-(logmass - 10.55 - 0.6 * redshift) / 0.28))
    kind = np.where(quiet, "quiescent", "star-forming")
    chance = rng.random(n)
    # One object in a hundred is rare but ordinary: half bursts, half what is left of a burst.
    kind = np.where(chance < 0.01, np.where(quiet, "post-starburst", "starburst"), kind)
    main = 0.77 * logmass - 7.65 + 2.6 * np.log10(1 + redshift)
    logsfr = main + rng.normal(0.0, 0.28, n) + np.where(kind == "starburst", 0.9, 0.0)
    calm = logmass - 11.9 + rng.normal(0.0, 0.35, n)
    logsfr = np.where(quiet, np.minimum(calm, logsfr), logsfr)
    return kind, logsfr, main


def _bulge_shares(quiet: Array, logmass: Array, rng: np.random.Generator) -> Array:
    """(n,) share of the stellar mass in the bulge."""
    n = len(logmass)
    round_ones = rng.beta(4.0, 1.6, n)
    flat_ones = rng.beta(1.3, 6.0, n) + np.clip(0.13 * (logmass - 10.0), 0.0, 0.2)
    return np.clip(np.where(quiet, round_ones, flat_ones), 0.01, 0.97)


def _shapes(
    redshift: Array, logmass: Array, quiet: Array, bulge_share: Array, rng: np.random.Generator
) -> dict[str, Array]:
    n = len(redshift)
    late = 10 ** (0.22 * (logmass - 10.7) + 0.80 + rng.normal(0, 0.16, n)) * (1 + redshift) ** -0.75
    early = 10 ** (0.72 * (logmass - 10.7) + 0.58 + rng.normal(0, 0.11, n))
    # The steep relation of early types flattens below 10^10 solar masses.
    early = np.hypot(early * (1 + redshift) ** -1.2, 1.1)
    size = np.where(quiet, early, late) / kpc_per_arcsec(redshift)
    cos_tilt = rng.random(n)
    disc_axis = np.sqrt(cos_tilt**2 * (1 - 0.2**2) + 0.2**2)
    bulge_axis = np.where(quiet, 1 - 0.45 * rng.beta(1.4, 1.8, n), 0.4 + 0.6 * disc_axis)
    ratio = 0.16 * 10 ** rng.normal(0, 0.15, n)
    dispersion = 190.0 * 10 ** (0.28 * (logmass - 11.0) + rng.normal(0, 0.06, n))
    turning = 170.0 * 10 ** (0.26 * (logmass - 10.7)) * np.sqrt(1 - cos_tilt**2)
    return {
        "disc_re_arcsec": size * np.where(quiet, 1.5, 1.05),
        "bulge_re_arcsec": size * np.where(quiet, 0.55 + 0.45 * bulge_share, ratio),
        "bulge_sersic": np.where(quiet, rng.uniform(3.0, 4.0, n), rng.uniform(1.2, 3.0, n)),
        "bulge_axis_ratio": bulge_axis,
        "disc_axis_ratio": disc_axis,
        "angle_rad": rng.random(n) * np.pi,
        "dispersion_km_s": np.hypot(dispersion, np.where(quiet, 20.0, 0.5 * turning)),
        "gas_dispersion_km_s": np.hypot(35.0, 0.45 * turning),
    }


def _attenuations(
    logmass: Array, kind: Array, quiet: Array, disc_axis: Array, rng: np.random.Generator
) -> Array:
    """(n, 3) A_V of bulge, disc and young stars; tilted discs are dustier."""
    n = len(logmass)
    face_on = np.clip(0.11 + 0.16 * (logmass - 9.5), 0.03, 0.7) * 10 ** rng.normal(0, 0.18, n)
    disc = face_on * (1.0 + 0.9 * (1.0 - disc_axis))
    disc = np.where(quiet, 0.06 * disc, disc) * np.where(kind == "starburst", 1.4, 1.0)
    return np.stack([0.6 * disc, disc, 1.5 * disc], axis=1)


def _lines(
    logmass: Array, logsfr: Array, main: Array, quiet: Array, a_v: Array, rng: np.random.Generator
) -> Array:
    """(n, 3, lines): gas around young stars, and in a third of early types around old ones."""
    n = len(logmass)
    oh12 = 8.80 - 0.30 * np.log10(1 + 10 ** (1.3 * (9.6 - logmass))) + rng.normal(0, 0.07, n)
    oh12 = np.clip(oh12 - 0.12 * np.clip(logsfr - main, -0.5, 1.0), 7.9, 8.85)
    excited = rng.normal(0.0, 0.12, n)
    young = nebular_lines(10**logsfr, oh12, a_v, excited)
    strength = np.where(rng.random(n) < 0.35, 10 ** rng.normal(0.0, 0.25, n), 0.08)
    old = old_star_lines(10**logmass * 1.6, strength * np.where(quiet, 1.0, 0.3))
    return np.stack([old, np.zeros_like(old), young], axis=1)


_YOUNG_YEARS = np.array([6e6, 12e6, 37e6, 115e6])
_MIDDLE_YEARS = np.array([290e6, 540e6])
_OLD_WIDTHS_GYR = np.array([1.2, 2.1, 3.7, 5.0])
_OLD_AGES_GYR = np.array([1.5, 3.0, 6.0, 11.0])


def _formed(
    redshift: Array,
    logmass: Array,
    logsfr: Array,
    kind: Array,
    bulge_share: Array,
    rng: np.random.Generator,
) -> Array:
    """(n, 3, 20): masses formed by component, metal family and age."""
    n = len(redshift)
    limit = age_gyr(redshift) - 0.8
    formed = np.zeros((n, 3, 10))
    mass = 10**logmass / surviving_fraction(np.full(n, 6.0))
    quiet = (kind == "quiescent") | (kind == "post-starburst")
    age = np.where(quiet, rng.normal(6.2, 1.6, n), rng.normal(4.5, 1.6, n))
    age = np.minimum(np.clip(age, 2.0, None), 0.92 * limit)
    formed[:, 0] = (mass * bulge_share)[:, None] * _spread(age)
    formed[:, 2, :4] = 10 ** logsfr[:, None] * _YOUNG_YEARS
    disc = mass * (1 - bulge_share)
    middle = 10 ** np.minimum(logsfr, logmass - 9.2)[:, None] * _MIDDLE_YEARS
    middle *= np.where(kind == "starburst", 0.2, 1.0)[:, None]
    formed[:, 1, 4:6] = middle
    rest = np.clip(disc - middle.sum(1), 0.1 * disc, None)
    decline = np.where(quiet, 0.5, rng.uniform(-0.20, 0.05, n))  # per Gyr; negative = rising
    history = _OLD_WIDTHS_GYR * np.exp(np.minimum(_OLD_AGES_GYR, limit[:, None]) * decline[:, None])
    history = np.where(limit[:, None] + 1.0 >= _OLD_AGES_GYR, history, 0.0)
    formed[:, 1, 6:] = rest[:, None] * history / history.sum(1, keepdims=True)
    burst = np.where(kind == "post-starburst", rng.uniform(0.06, 0.2, n), 0.0)
    formed[:, 0, 4:6] += (burst * mass)[:, None] * np.array([0.6, 0.4])
    rich = np.clip(0.45 + 0.3 * (logmass - 10.7) + rng.normal(0, 0.12, n), 0.0, 1.0)
    shares = np.stack([rich, rich - 0.15, rich - 0.15], axis=1).clip(0.0, 1.0)[:, :, None, None]
    families = np.concatenate([1.0 - shares, shares], axis=2)
    return np.asarray((families * formed[:, :, None, :]).reshape(n, 3, 20))


def _spread(age: Array) -> Array:
    """(n, 10) shares of single ages, between the neighbouring nodes of the basis."""
    place = np.interp(np.log(age), np.log(AGES_GYR), np.arange(10.0))
    return np.asarray(np.clip(1.0 - np.abs(place[:, None] - np.arange(10.0)), 0.0, None))
