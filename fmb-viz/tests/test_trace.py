import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fmb_viz.line_marks import spread
from fmb_viz.spectrum_panel import flux_limits
from fmb_viz.trace import Trace, smooth, trace


def test_masked_and_useless_pixels_are_breaks(spectra):
    made = spectra(1)
    mask = made.mask.copy()
    mask[0, 100:110] = True
    ivar = made.ivar.copy()
    ivar[0, 200] = 0.0
    flux = made.flux.copy()
    flux[0, 300] = np.nan
    got = trace(spectra(1, mask=mask, ivar=ivar, flux=flux), 0)
    assert np.flatnonzero(~got.good).tolist() == [*range(100, 110), 200, 300]
    assert np.isnan(got.error[~got.good]).all()


def test_the_error_is_the_inverse_root_of_ivar(spectra):
    got = trace(spectra(1, ivar=np.full((1, 600), 4.0, dtype=np.float32)), 0)
    assert got.error == pytest.approx(np.full(600, 0.5))


def test_a_spectrum_without_ivar_has_no_error(spectra):
    assert trace(spectra(1, ivar=None), 0).error is None


def test_a_line_breaks_where_the_grid_jumps(spectra):
    wavelength = 4000.0 + 10.0 * np.arange(600)
    wavelength[300:] += 500.0
    got = trace(spectra(1, wavelength_aa=wavelength), 0)
    assert len(got.flux) == 601
    assert np.flatnonzero(np.isnan(got.wavelength_aa)).tolist() == [300]
    assert np.flatnonzero(~got.good).tolist() == [300]


def test_padding_at_wavelength_zero_is_no_pixel(spectra):
    wavelength = 4000.0 + 10.0 * np.arange(600)
    wavelength[590:] = -1.0
    got = trace(spectra(1, wavelength_aa=wavelength), 0)
    assert np.isnan(got.wavelength_aa[590:]).all()
    assert got.good.sum() == 590


def plain(flux, error=None):
    n = len(flux)
    return Trace(4000.0 + np.arange(float(n)), np.asarray(flux, dtype=np.float64), error)


def test_smoothing_keeps_a_constant():
    assert smooth(plain(np.full(50, 3.0)), 8.0) == pytest.approx(np.full(50, 3.0))


def test_smoothing_a_spike_gives_the_gaussian_of_that_width():
    flux = np.zeros(101)
    flux[50] = 1.0
    got = smooth(plain(flux), 6.0)
    assert got[53] / got[50] == pytest.approx(0.5)  # half maximum at half the width
    assert got.sum() == pytest.approx(1.0, abs=1e-3)  # cut at 4 standard deviations


def test_a_bad_pixel_has_no_say_and_no_smoothed_value():
    flux = np.full(50, 3.0)
    flux[20] = np.nan
    got = smooth(plain(flux), 8.0)
    assert np.flatnonzero(np.isnan(got)).tolist() == [20]
    assert got[~np.isnan(got)] == pytest.approx(3.0)


def test_a_noisy_pixel_weighs_by_its_inverse_variance():
    error = np.ones(51)
    error[25] = 10.0
    flux = np.zeros(51)
    flux[25] = 1.0
    equal, weighted = smooth(plain(flux), 5.0), smooth(plain(flux, error), 5.0)
    total = 1.0 / equal[25]  # sum of the kernel
    assert weighted[25] == pytest.approx(0.01 / (total - 1.0 + 0.01))


def test_nothing_is_smoothed_across_a_jump(spectra):
    wavelength = 4000.0 + 10.0 * np.arange(600)
    wavelength[300:] += 500.0
    flux = np.zeros((1, 600), dtype=np.float32)
    flux[0, 300:] = 1.0
    got = smooth(trace(spectra(1, wavelength_aa=wavelength, flux=flux), 0), 100.0)
    assert got[:300] == pytest.approx(0.0)
    assert got[301:] == pytest.approx(1.0)


@pytest.mark.parametrize("n_good", [0, 1])
def test_too_few_pixels_are_left_as_they_are(n_good):
    flux = np.full(10, np.nan)
    flux[:n_good] = 2.0
    assert np.array_equal(smooth(plain(flux), 5.0), flux, equal_nan=True)


def test_a_line_far_above_the_continuum_stays_inside_the_axis():
    flux = np.ones(200)
    flux[100] = 500.0
    low, high = flux_limits(plain(flux, np.ones(200)), flux)
    assert low < 1.0
    assert high > 500.0


def test_a_useless_edge_does_not_set_the_axis():
    flux, error = np.ones(200), np.ones(200)
    flux[:5], error[:5] = 1e5, 1e4
    _, high = flux_limits(plain(flux, error), flux)
    assert high < 10.0


def test_a_constant_spectrum_has_an_axis():
    for level in (0.0, 5.0, -5.0):
        low, high = flux_limits(plain(np.full(9, level)), np.full(9, level))
        assert low < level < high


places = st.lists(st.floats(0.0, 100.0), min_size=1, max_size=15).map(sorted)


@given(places)
def test_names_keep_their_distance_and_stay_inside(at):
    got = spread(np.array(at), 4.0, 0.0, 100.0)
    assert (np.diff(got) >= 4.0 - 1e-9).all()
    assert got.min() >= -1e-9
    assert got.max() <= 100.0 + 1e-9


@given(st.lists(st.integers(0, 20), min_size=1, max_size=15, unique=True).map(sorted))
def test_names_that_are_apart_stay_where_they_are(at):
    wanted = 5.0 * np.array(at)
    assert spread(wanted, 5.0, 0.0, 100.0) == pytest.approx(wanted)


def test_two_names_at_one_place_part_evenly():
    assert spread(np.array([50.0, 50.0]), 4.0, 0.0, 100.0) == pytest.approx([48.0, 52.0])


def test_more_names_than_fit_share_the_width():
    assert spread(np.full(5, 3.0), 10.0, 0.0, 20.0) == pytest.approx([0, 5, 10, 15, 20])
