"""Spectra of the wrong object: swapped, or of a fibre that sits on a neighbour."""

import numpy as np

from fmb import Array
from fmb_surveys.planting.canvas import Ellipse
from fmb_surveys.planting.colours import host_fluxes_ujy, reference_band
from fmb_surveys.planting.fibre import FIBRE_RADIUS_ARCSEC, SEEING_FWHM_ARCSEC, ellipse_share
from fmb_surveys.planting.lightmap import blurred_ellipse
from fmb_surveys.planting.photometry import ujy_from_flambda
from fmb_surveys.planting.target import Cutouts, Spectrum, Target

__all__ = ["plant_fibre_offset", "plant_swap"]


def plant_swap(target: Target, value: float, rng: np.random.Generator) -> None:
    """Give the target the spectra of its donor, pixel for pixel.

    Args:
        target: its spectra are replaced; its images stay.
        value: not used: a swap has no strength.
        rng: not used.
    """
    donor = target.giver()
    for name, spectrum in target.spectra.items():
        other = donor.spectra[name]
        spectrum.flux[:], spectrum.mask[:] = other.flux, other.mask
        if spectrum.ivar is not None and other.ivar is not None:
            spectrum.ivar[:] = other.ivar
        if not np.array_equal(spectrum.wavelength_aa, other.wavelength_aa):
            spectrum.wavelength_aa[:] = other.wavelength_aa


def plant_fibre_offset(target: Target, distance_arcsec: float, rng: np.random.Generator) -> None:
    """Move the fibre off the centre, onto a compact neighbour that is put there.

    The neighbour has the spectrum and the colours of the donor and 0.5-2 mag less light than the
    host. The spectrum becomes what the fibre catches of both; noise is filled up to that of the
    host, so that the level of the noise gives nothing away.

    Args:
        target: images and spectra are changed in place.
        distance_arcsec: of the fibre, and of the neighbour, from the centre.
        rng: direction, neighbour and noise.
    """
    donor = target.giver()
    direction = rng.random() * 2 * np.pi
    x, y = distance_arcsec * np.cos(direction), distance_arcsec * np.sin(direction)
    fainter = rng.uniform(0.5, 2.0)
    size, axis = rng.uniform(0.2, 0.45), rng.uniform(0.5, 1.0)
    neighbour = Ellipse(x, y, size, 1.0, axis, rng.random() * np.pi)
    sharp = target.sharpest()
    kept = _aperture(sharp, x, y) / _aperture(sharp, 0.0, 0.0)
    host_ujy = host_fluxes_ujy(sharp)[reference_band(sharp)]
    neighbour_ujy = float(host_ujy * 10 ** (-0.4 * fainter))
    caught = float(ellipse_share(np.array([size]), np.ones(1), np.array([axis]))[0])
    for name, spectrum in target.spectra.items():
        _mix(spectrum, donor.spectra[name], kept, neighbour_ujy * caught, sharp, rng)
    donor_ujy = host_fluxes_ujy(donor.images[sharp.name])[reference_band(sharp)]
    for name, cutouts in target.images.items():
        flux = host_fluxes_ujy(donor.images[name]) * (neighbour_ujy / donor_ujy)
        light = blurred_ellipse(cutouts, neighbour) * flux[:, None, None]
        cutouts.add_light(light / cutouts.in_ujy(), rng)


def _aperture(cutouts: Cutouts, x: float, y: float) -> float:
    """Light in the fibre at an offset, in 1 arcsec seeing, from the band nearest 7000 Angstrom."""
    band = reference_band(cutouts)
    height, width = cutouts.flux.shape[1:]
    rows, columns = np.mgrid[:height, :width]
    scale = cutouts.pixel_scale_arcsec
    away = np.hypot((columns - (width - 1) / 2) * scale - x, (rows - (height - 1) / 2) * scale - y)
    # A round aperture smeared by the seeing, close to an error function of the distance.
    weight = 0.5 - 0.5 * np.tanh((away - FIBRE_RADIUS_ARCSEC) / (0.6 * SEEING_FWHM_ARCSEC))
    flux = np.nan_to_num(cutouts.flux[band].astype(np.float64))
    noise = cutouts.sigma(band) * float(np.sqrt(np.sum(weight**2)))
    return max(float(np.sum(weight * flux)), noise)


def _mix(
    host: Spectrum,
    donor: Spectrum,
    kept: float,
    neighbour_ujy: float,
    cutouts: Cutouts,
    rng: np.random.Generator,
) -> None:
    """Replace the host's spectrum by its kept share plus the neighbour's light, in place."""
    pivot = float(cutouts.wavelengths()[reference_band(cutouts)])
    donor_ujy = float(ujy_from_flambda(donor.continuum(pivot) * host.in_flambda(), pivot))
    scale = neighbour_ujy / donor_ujy
    other = np.interp(host.wavelength_aa, donor.wavelength_aa, donor.flux)
    good = host.good() & np.interp(host.wavelength_aa, donor.wavelength_aa, donor.good()).astype(
        bool
    )
    variance = _variance(host)
    from_parts = kept**2 * variance + scale**2 * np.interp(
        host.wavelength_aa, donor.wavelength_aa, _variance(donor)
    )
    missing = np.sqrt(np.clip(variance - from_parts, 0.0, None))
    flux = kept * host.flux + scale * other + missing * rng.standard_normal(len(other))
    host.flux[good] = flux[good].astype(np.float32)
    if host.ivar is not None:
        host.ivar[good] = 1.0 / np.maximum(variance, from_parts)[good]


def _variance(spectrum: Spectrum) -> Array:
    return spectrum.sigma() ** 2 if spectrum.ivar is not None else np.zeros(len(spectrum.flux))
