"""Spectra in the survey's unit become the codec's, or are refused with a reason."""

import numpy as np
import pytest

from fmb import DataError
from fmb_aion.presets import sizes_of
from fmb_aion.recipes import SpectrumRecipe
from fmb_aion.spectra import noise_ivar, prepare_spectra

CODEC = sizes_of("small").spectrum_codec
GRID = np.linspace(3600, 9824, 1000)


def prepare(spectra, min_coverage=0.3):
    return prepare_spectra(spectra, SpectrumRecipe(), CODEC, min_coverage)


def noise(n=2, pixels=1000, seed=0):
    return np.random.default_rng(seed).normal(5, 1, size=(n, pixels))


@pytest.mark.parametrize(
    ("unit", "factor"),
    [
        ("1e-17 erg / (s cm2 Angstrom)", 1.0),
        ("erg / (s cm2 Angstrom)", 1e17),
        ("W / (m2 um)", 1e16),  # 1 W/m2/um = 1e3 erg/s/cm2/um = 0.1 erg/s/cm2/A
    ],
)
def test_flux_and_inverse_variance_are_converted_together(spectra_of, unit, factor):
    flux, ivar = noise() / factor, np.full((2, 1000), 4.0)
    given = spectra_of(flux, ivar=(ivar * factor**2).astype(np.float64), unit=unit)
    found = prepare(given)
    np.testing.assert_allclose(found.flux, flux * factor, rtol=1e-6)
    np.testing.assert_allclose(found.ivar, ivar, rtol=1e-6)


@pytest.mark.parametrize("unit", ["counts", "Jy", "nonsense"])
def test_a_unit_that_is_no_flux_per_wavelength_is_refused(spectra_of, unit):
    with pytest.raises(DataError, match=f"spectra have unit {unit!r}, which cannot be converted"):
        prepare(spectra_of(noise(), unit=unit))


def test_uncalibrated_spectra_are_refused(spectra_of):
    with pytest.raises(DataError, match="not flux-calibrated"):
        prepare(spectra_of(noise(), calibrated=False))


def test_pixels_without_value_or_information_are_masked(spectra_of):
    flux, ivar = noise(1), np.ones((1, 1000))
    flux[0, 3] = np.nan
    ivar[0, 5], ivar[0, 7], ivar[0, 9] = 0, np.nan, -1
    mask = np.zeros((1, 1000), dtype=bool)
    mask[0, 11] = True
    found = prepare(spectra_of(flux, ivar=ivar, mask=mask))
    assert np.flatnonzero(found.mask[0]).tolist() == [3, 5, 7, 9, 11]
    assert np.flatnonzero(found.ivar[0] == 0).tolist() == [5, 7, 9]
    assert found.ivar[0, 11] == 1  # what the survey says of a masked pixel is kept, as in training
    assert found.reasons == [""]


def test_padding_is_cut_and_gaps_without_wavelength_are_closed(spectra_of):
    grid = np.tile(GRID, (3, 1))
    grid[0, 990:] = -1
    grid[1, :20] = np.nan
    grid[2, 500:510] = 0
    flux = noise(3)
    found = prepare(spectra_of(flux, wavelength_aa=grid, mask=~(grid > 0)))
    assert found.reasons == ["", "", ""]
    assert found.flux.shape == (3, 990)
    assert (found.wavelength > 0).sum(axis=1).tolist() == [990, 980, 990]
    for row in range(3):
        kept = grid[row] > 0
        count = kept.sum()
        np.testing.assert_allclose(found.wavelength[row, :count], grid[row, kept], rtol=1e-6)
        np.testing.assert_allclose(found.flux[row, :count], flux[row, kept], rtol=1e-6)
        assert not found.mask[row, :count].any()
        assert found.mask[row, count:].all()


@pytest.mark.parametrize(
    ("grid", "told"),
    [
        (GRID[::-1], "wavelengths do not ascend"),
        (GRID / 10, "covers 360-982 A, not 3500-10462 A; are these nanometres?"),
        (GRID + 10_000, "no good pixel within 3500-10462 A"),
        (np.linspace(3600, 4600, 1000), "covers 14% of 3500-10462 A, the least is 30%"),
        (np.full(1000, -1.0), "no good pixel within 3500-10462 A"),
    ],
)
def test_a_spectrum_at_other_wavelengths_is_not_valid(spectra_of, grid, told):
    assert prepare(spectra_of(noise(), wavelength_aa=grid)).reasons == [told] * 2


def test_a_fully_masked_spectrum_is_not_valid(spectra_of):
    mask = np.zeros((2, 1000), dtype=bool)
    mask[1] = True
    found = prepare(spectra_of(noise(), mask=mask))
    assert found.reasons == ["", "no good pixel within 3500-10462 A"]


def test_without_inverse_variance_the_noise_is_measured(spectra_of):
    rng = np.random.default_rng(3)
    sigma = np.array([[0.5], [2.0]])
    flux = 10 + np.sin(GRID / 800) + sigma * rng.normal(size=(2, 1000))
    found = prepare(spectra_of(flux, ivar=None))
    # the median of 1000 values scatters by about 4 %
    np.testing.assert_allclose(found.ivar[:, 0] ** -0.5, sigma[:, 0], rtol=0.15)
    assert (np.ptp(found.ivar, axis=1) == 0).all()
    assert found.reasons == ["", ""]


def test_noise_is_measured_from_good_pixels_only():
    flux = noise(1)
    bad = np.zeros((1, 1000), dtype=bool)
    bad[0, 100:400] = True
    clean = noise_ivar(flux, bad)
    flux[bad] = np.nan
    np.testing.assert_array_equal(noise_ivar(flux, bad), clean)
    assert (clean[bad] == 0).all()


def test_a_flat_spectrum_has_no_noise_to_measure(spectra_of):
    ivar = noise_ivar(np.ones((1, 1000)), np.zeros((1, 1000), dtype=bool))
    assert (ivar == 0).all()
    found = prepare(spectra_of(np.ones((1, 1000)), ivar=None))
    assert found.reasons == ["flat: no noise to measure, and the survey gives none"]
