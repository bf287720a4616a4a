import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fmb import Spectra
from fmb_astropt.recipes import SpectrumRecipe
from fmb_astropt.resample import resample


def grid(start_aa, step_aa, n_pixels):
    return SpectrumRecipe(
        start_aa=start_aa,
        step_aa=step_aa,
        n_pixels=n_pixels,
        patch_px=1,
        normalisation="none",
        positions="index",
    )


def spectra(flux, wavelength, ivar=None, mask=None):
    flux = np.atleast_2d(np.asarray(flux, dtype=np.float32))
    return Spectra(
        flux=flux,
        ivar=None if ivar is None else np.atleast_2d(np.asarray(ivar, dtype=np.float32)),
        mask=np.zeros(flux.shape, dtype=bool) if mask is None else np.atleast_2d(mask),
        wavelength_aa=np.asarray(wavelength, dtype=np.float64),
        unit="ct",
    )


def test_the_same_grid_changes_nothing():
    rng = np.random.default_rng(0)
    flux, ivar = rng.normal(size=(3, 50)), rng.uniform(0.1, 9, (3, 50))
    given_ = spectra(flux, 4000 + 2.0 * np.arange(50), ivar)
    made = resample(given_, grid(4000, 2, 50))
    np.testing.assert_allclose(made.flux, given_.flux, rtol=1e-12)
    np.testing.assert_allclose(made.information, given_.ivar, rtol=1e-12)
    assert made.covered.all()


def test_two_pixels_in_one_are_weighted_by_inverse_variance():
    made = resample(spectra([[10, 20]], [4000, 4001], [[1, 3]]), grid(4000.5, 2, 2))
    assert made.flux[0, 0] == (10 * 1 + 20 * 3) / 4
    assert made.information[0, 0] == 4
    np.testing.assert_array_equal(made.covered, [[True, False]])


def test_a_pixel_is_covered_from_half_of_its_width_on():
    # Good input from 3999.5 A on; grid pixels of 10 A end at 4004.4 (49 %) and at 4004.5 A (50 %).
    given_ = spectra(np.ones(40), 3999.75 + 0.5 * np.arange(40))
    assert resample(given_, grid(3999.4, 10, 2)).covered.tolist() == [[False, True]]
    assert resample(given_, grid(3999.5, 10, 2)).covered.tolist() == [[True, True]]
    assert resample(given_, grid(3999.4, 10, 2)).information[0, 0] > 0


def test_a_pixel_cut_by_a_border_gives_each_side_its_share():
    # Input pixels 3999.5-4000.5, 4000.5-4001.5, ...; grid pixels 3999.5-4001, 4001-4002.5.
    made = resample(spectra([[1, 4, 7]], [4000, 4001, 4002], [[2, 2, 2]]), grid(4000.25, 1.5, 2))
    np.testing.assert_allclose(made.information, [[3, 3]])
    np.testing.assert_allclose(made.flux, [[(1 * 1 + 4 * 0.5) / 1.5, (4 * 0.5 + 7 * 1) / 1.5]])


@settings(max_examples=50)
@given(st.integers(0, 2**32 - 1), st.integers(3, 40))
def test_rebinning_conserves_information_and_weighted_flux(seed, pixels):
    rng = np.random.default_rng(seed)
    wavelength = 4000 + np.cumsum(rng.uniform(0.5, 0.7, pixels))
    ivar = rng.uniform(0, 5, pixels) * (rng.random(pixels) < 0.8)
    given_ = spectra(rng.normal(size=pixels), wavelength, ivar)
    made = resample(given_, grid(3990, 1.0, 100))
    assert made.information.sum() == pytest.approx(given_.ivar.sum(dtype=float), rel=1e-9)
    weighted = (given_.ivar.astype(float) * given_.flux).sum()
    assert (made.information * made.flux).sum() == pytest.approx(weighted, rel=1e-9, abs=1e-9)


def test_a_finer_grid_interpolates_between_good_pixels():
    wavelength = 4000 + 10.0 * np.arange(9)
    flux = wavelength / 100
    mask = np.arange(9) == 4
    made = resample(spectra(np.where(mask, 1e9, flux), wavelength, mask=mask), grid(4000, 2, 41))
    np.testing.assert_allclose(made.flux[0], (4000 + 2.0 * np.arange(41)) / 100, rtol=1e-6)
    covered = made.covered[0]
    np.testing.assert_array_equal(~covered, np.abs(np.arange(41) - 20) < 2.5)


def test_a_gap_between_chips_is_not_covered():
    wavelength = np.r_[4000 + np.arange(10), 4060 + np.arange(10.0)]
    made = resample(spectra(np.ones(20), wavelength), grid(4000, 5, 15))
    gap = slice(3, 12)  # 4012.5-4057.5 A
    assert not made.covered[0, gap].any()
    assert made.covered[0, [0, 1, 12, 13]].all()


def test_own_grids_and_a_shared_grid_give_the_same():
    rng = np.random.default_rng(1)
    flux, ivar = rng.normal(size=(4, 300)), rng.uniform(0, 2, (4, 300))
    wavelength = 4000 + np.cumsum(rng.uniform(0.3, 0.9, 300))
    shared = resample(spectra(flux, wavelength, ivar), grid(4010, 3, 60))
    own = resample(spectra(flux, np.tile(wavelength, (4, 1)), ivar), grid(4010, 3, 60))
    for name in ("flux", "information", "covered"):
        np.testing.assert_allclose(getattr(own, name), getattr(shared, name), rtol=1e-12)


@pytest.mark.parametrize("filler", [-1.0, 0.0, np.nan, 4000.0])
def test_masked_pixels_may_carry_any_wavelength(filler):
    wavelength = np.r_[4000 + np.arange(20.0), np.full(5, filler)]
    mask = np.arange(25) >= 20
    made = resample(spectra(np.ones(25), wavelength[None], mask=mask), grid(4000, 2, 10))
    assert made.usable.all()
    assert made.covered.all()
    np.testing.assert_allclose(made.flux, 1)


@pytest.mark.parametrize("wavelength", [[4002, 4001, 4000], [-1, -1, -1], [4000, np.nan, -1]])
def test_good_pixels_without_ascending_wavelengths_are_not_usable(wavelength):
    made = resample(spectra([[1, 2, 3]], wavelength), grid(4000, 1, 3))
    assert not made.usable.any()
    assert not made.covered.any()


def test_without_inverse_variance_good_pixels_count_alike():
    made = resample(spectra([[2, 4, np.nan, 8]], [1, 2, 3, 4]), grid(1.5, 2, 2))
    np.testing.assert_allclose(made.flux, [[3, 8]])
    np.testing.assert_allclose(made.information, [[2, 1]])
