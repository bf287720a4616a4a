"""Images become pictures: colours, centre, masked pixels, units."""

import numpy as np
import pytest

from fmb import DataError, ShapeError
from fmb_astroclip.images import prepare_images, to_rgb
from fmb_astroclip.presets import PUBLISHED

RECIPE = PUBLISHED.image


def flat(value, n=1, side=152):
    """Images of four bands with one value."""
    return np.full((n, 4, side, side), value)


def test_colours_follow_the_formula_of_the_viewer():
    flux = np.array([0.05, 0.1, 0.3])  # g, r, z in nanomaggies
    x = flux * [6.0, 3.4, 2.2] + 0.03
    intensity = x.mean()
    blue, green, red = x * np.arcsinh(20 * intensity) / np.sqrt(20) / intensity
    found = to_rgb(flux.reshape(1, 3, 1, 1), RECIPE).ravel()
    np.testing.assert_allclose(found, np.clip([red, green, blue], 0, 1), rtol=1e-6)


def test_a_pixel_below_zero_in_all_bands_is_black():
    assert not to_rgb(np.full((1, 3, 2, 2), -5.0), RECIPE).any()


def test_the_centre_is_cut_out_and_rows_and_columns_change_places(images_of):
    flux = flat(0.0)
    flux[0, 3, 4, 147] = 1.0  # band z is red; first row and last column of the centre
    picture = prepare_images(images_of(flux), RECIPE).values
    assert picture.shape == (1, 3, 144, 144)
    brightest = np.unravel_index(picture[0, 0].argmax(), (144, 144))
    assert brightest == (143, 0)


@pytest.mark.parametrize(
    ("unit", "factor"),
    [("nmgy", 1), ("3.631e-06 Jy", 1), ("Jy", 1 / 3.631e-6), ("nJy", 1 / 3631), ("mgy", 1e9)],
)
def test_units_are_converted(images_of, unit, factor):
    flux = flat(0.1)
    wanted = prepare_images(images_of(flux), RECIPE).values
    found = prepare_images(images_of(flux / factor, unit=unit), RECIPE).values
    np.testing.assert_allclose(found, wanted, rtol=1e-5)  # float32 flux


@pytest.mark.parametrize("unit", ["counts", "display", "ct", "erg / (s cm2 Angstrom)"])
def test_other_units_are_refused(images_of, unit):
    with pytest.raises(DataError, match=r"cannot be converted to nmgy or 3\.631e-06 Jy"):
        prepare_images(images_of(flat(0.1), unit=unit), RECIPE)


def test_a_missing_band_is_named(images_of):
    images = images_of(flat(0.1)[:, :3], ("DES-G", "DES-R", "DES-I"))
    with pytest.raises(DataError, match="need DES-Z too"):
        prepare_images(images, RECIPE)


def test_images_below_144_px_are_refused(images_of):
    with pytest.raises(ShapeError, match="143 x 152 px are smaller than the 144 px"):
        prepare_images(images_of(flat(0.1)[:, :, :143]), RECIPE)


@pytest.mark.parametrize("bad", ["mask", "ivar", "nan", "inf"])
def test_a_hole_is_bridged_from_its_neighbours(images_of, bad):
    ramp = np.broadcast_to(np.linspace(0, 0.2, 152), (1, 4, 152, 152))
    wanted = prepare_images(images_of(ramp), RECIPE).values
    hole = np.zeros(ramp.shape, dtype=bool)
    hole[:, :, 70:74, 60:63] = True
    flux = np.where(hole, {"nan": np.nan, "inf": np.inf}.get(bad, 1e4), ramp)
    more = {"mask": {"mask": hole}, "ivar": {"ivar": np.where(hole, 0, 1).astype(np.float32)}}
    found = prepare_images(images_of(flux, **more.get(bad, {})), RECIPE)
    assert found.reasons == [""]
    # A line across is exact on a ramp along the rows; the one down the column is the value itself.
    np.testing.assert_allclose(found.values, wanted, atol=1e-6)


def test_a_masked_border_gets_the_median_of_the_band(images_of):
    flux = flat(0.05)
    flux[:, :, :, 100:] = np.nan
    found = prepare_images(images_of(flux), RECIPE)
    np.testing.assert_allclose(found.values, prepare_images(images_of(flat(0.05)), RECIPE).values)


def test_unusable_images_have_a_reason_and_the_others_are_as_alone(images_of):
    rng = np.random.default_rng(0)
    flux = rng.normal(0, 0.1, (5, 4, 152, 152))
    flux[1] = np.nan
    flux[2, 1, :100] = np.nan
    flux[4, 2] = np.nan  # DES-I is not used
    there = np.ones((5, 4), dtype=bool)
    there[3, 3] = False
    found = prepare_images(images_of(flux, band_valid=there), RECIPE)
    assert found.reasons == [
        "",
        "band DES-G has no good pixel",
        "67% of band DES-R is masked or not finite, the limit is 50%",  # 96 of 144 rows
        "band DES-Z is absent",
        "",
    ]
    assert np.isnan(found.values[1:4]).all()
    for i in (0, 4):
        alone = prepare_images(images_of(flux[i : i + 1]), RECIPE).values[0]
        np.testing.assert_array_equal(found.values[i], alone)


def test_the_survey_is_left_as_it_was(images_of):
    flux = flat(0.1)
    flux[0, 0, 70, 70] = np.nan
    images = images_of(flux)
    images.flux.flags.writeable = False
    prepare_images(images, RECIPE)


def test_a_value_that_no_source_has_makes_an_image_unusable(images_of):
    flux = flat(0.1, 2)
    flux[1, 1, 76, 76] = 1e30
    found = prepare_images(images_of(flux), RECIPE)
    assert found.reasons == ["", "band DES-R has a flux of 1.0e+30 nmgy: no data"]
    assert np.isfinite(found.values[0]).all()


def test_no_objects_make_no_pictures(images_of):
    assert prepare_images(images_of(flat(0.1, 0)), RECIPE).values.shape == (0, 3, 144, 144)
