import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fmb import Spectra
from fmb_astropt.recipes import SpectrumRecipe
from fmb_astropt.spectra import tokenise_spectra

PIXELS = 400
WAVELENGTH = 4000 + 4.0 * np.arange(PIXELS)


def recipe(**changes):
    values = {
        "start_aa": 4000.0,
        "step_aa": 4.0,
        "n_pixels": PIXELS,
        "patch_px": 16,
        "normalisation": "robust",
        "positions": "index",
    }
    return SpectrumRecipe(**{**values, **changes})


def spectra(flux, ivar=None, mask=None, wavelength=WAVELENGTH):
    flux = np.asarray(flux, dtype=np.float32)
    return Spectra(
        flux=flux,
        ivar=np.ones(flux.shape, np.float32) if ivar is None else np.asarray(ivar, np.float32),
        mask=np.zeros(flux.shape, dtype=bool) if mask is None else mask,
        wavelength_aa=wavelength,
        unit="ct",
    )


def noise(n=1, seed=0):
    return np.random.default_rng(seed).normal(size=(n, PIXELS))


def tokens(given_, min_coverage=0.3, **changes):
    return tokenise_spectra(given_, recipe(**changes), min_coverage)


def test_the_last_patch_is_filled_up_with_zeros():
    made = tokens(spectra(noise() + 5), patch_px=150, normalisation="none")
    assert made.values.shape == (1, 3, 150)
    assert (made.values[0, 2, 100:] == 0).all()
    assert (made.values[0, 2, :100] != 0).all()
    assert made.mask.all()


def test_std_divides_by_the_sample_deviation_and_keeps_the_mean():
    flux = noise(2) * [[3.0], [1e-3]] + [[4.0], [1.0]]
    made = tokens(spectra(flux), normalisation="std")
    expected = flux / (flux.std(axis=1, ddof=1, keepdims=True) + 1e-8)
    # float32 input
    np.testing.assert_allclose(made.values.reshape(2, PIXELS), expected, rtol=2e-4)


def test_robust_is_zero_at_the_median_and_does_not_know_the_unit():
    flux = noise(3)
    plain = tokens(spectra(flux))
    other = tokens(spectra(flux * 1e-17 + 5e-17, ivar=np.full(flux.shape, 1e34)))
    assert np.abs(np.median(plain.values)) < 0.01
    np.testing.assert_allclose(other.values, plain.values, atol=2e-5)  # float32 of 5 +- 1


def test_strong_lines_are_compressed_not_clipped():
    flux = noise()
    flux[0, [100, 200]] = [1e3, 1e6]
    values = tokens(spectra(flux)).values.reshape(-1)
    assert values[200] - values[100] == pytest.approx(np.log(1e3), rel=1e-3)


def test_a_noise_burst_shows_when_the_ivar_hides_it_and_not_when_it_tells():
    burst = slice(150, 250)
    flux = noise(200)
    flux[:, burst] *= 6
    ivar = np.ones(flux.shape)
    ivar[:, burst] = 1 / 36
    plain = tokens(spectra(noise(200))).values.reshape(200, PIXELS)[:, burst].std()
    hidden = tokens(spectra(flux)).values.reshape(200, PIXELS)[:, burst].std()
    told = tokens(spectra(flux, ivar=ivar)).values.reshape(200, PIXELS)[:, burst].std()
    assert hidden > 2 * plain
    assert told == pytest.approx(plain, rel=0.1)


@settings(max_examples=20)
@given(st.sampled_from([np.nan, np.inf, 0.0, -1e20]), st.integers(0, 99))
def test_the_value_under_a_mask_does_not_matter(value, seed):
    mask = np.random.default_rng(seed).random((2, PIXELS)) < 0.3
    made = [tokens(spectra(np.where(mask, v, noise(2)), mask=mask)).values for v in (value, 1.0)]
    np.testing.assert_array_equal(made[0], made[1])


@pytest.mark.parametrize("normalisation", ["none", "std", "robust"])
def test_a_masked_pixel_carries_its_surroundings(normalisation):
    flux = np.linspace(1, 3, PIXELS)[None].repeat(2, axis=0)
    mask = np.zeros(flux.shape, dtype=bool)
    mask[1, 90:96] = True
    made = tokens(spectra(flux, mask=mask), normalisation=normalisation)
    values = made.values.reshape(2, PIXELS)
    # The mean of a window on a slope with a hole near its middle; leaving 6 of 400 pixels out moves
    # the median by 3 steps of 0.005. The slope rises by 0.5 from the hole to the median.
    np.testing.assert_allclose(values[1], values[0], atol=0.05)


def test_a_patch_without_covered_pixels_is_masked_and_zero():
    mask = np.zeros((1, PIXELS), dtype=bool)
    mask[0, 16:32] = True
    made = tokens(spectra(noise(), mask=mask))
    np.testing.assert_array_equal(made.mask[0], [True, False] + [True] * 23)
    assert (made.values[0, 1] == 0).all()
    partly = mask.copy()
    partly[0, 20] = False
    assert tokens(spectra(noise(), mask=partly)).mask.all()


def test_unusable_spectra_say_why_and_leave_the_others_alone():
    flux, mask = noise(4), np.zeros((4, PIXELS), dtype=bool)
    flux[1] = np.nan
    mask[2, 100:] = True
    flux[3] = 2.5
    made = tokens(spectra(flux, mask=mask))
    assert made.reasons == [
        "",
        "no good pixel within 3998-5598 A",
        "covers 25% of 3998-5598 A, the least is 30%",
        "flat: no variation to scale by",
    ]
    assert np.isnan(made.values[1:]).all()
    alone = tokens(spectra(flux[:1], mask=mask[:1]))
    np.testing.assert_array_equal(made.values[0], alone.values[0])


def test_coverage_at_the_limit_is_enough():
    mask = np.zeros((1, PIXELS), dtype=bool)
    mask[0, 100:] = True
    assert tokens(spectra(noise(), mask=mask), min_coverage=0.25).reasons == [""]


def test_descending_wavelengths_are_said():
    made = tokens(spectra(noise(), wavelength=WAVELENGTH[::-1]))
    assert made.reasons == ["good pixels do not have ascending wavelengths"]
