"""Images in the survey's unit become the codec's, or are refused in one line."""

import numpy as np
import pytest

from fmb import DataError, ShapeError
from fmb_aion.images import prepare_images
from fmb_aion.recipes import Recipe
from fmb_aion.surveys import DES_BANDS, HSC_BANDS, HSC_UNIT

RECIPE = Recipe()


def prepare(images, max_masked=0.5):
    return prepare_images(images, RECIPE, max_masked)


def noise(n=2, bands=4, side=96, seed=0):
    return np.random.default_rng(seed).normal(size=(n, bands, side, side))


@pytest.mark.parametrize(
    ("bands", "unit", "factor"),
    [
        (DES_BANDS, "nmgy", 1.0),
        (DES_BANDS, "3.631e-06 Jy", 1.0),
        (DES_BANDS, "uJy", 1 / 3.631),
        (DES_BANDS, "1e-09 mgy", 1.0),
        (HSC_BANDS, HSC_UNIT, 1.0),
        (HSC_BANDS, "nmgy", 10**1.8),  # 27 - 22.5 = 4.5 mag
        (HSC_BANDS, "uJy", 10 ** (0.4 * (27 - 23.9))),
    ],
)
def test_flux_is_converted_to_what_the_survey_expects(images_of, bands, unit, factor):
    flux = noise(bands=len(bands))
    found = prepare(images_of(flux, bands, unit=unit))
    # 23.9 mag is 1.0023 uJy in the AB system of 3631 Jy
    np.testing.assert_allclose(found.flux, flux * factor, rtol=1e-3)


def test_the_survey_is_told_by_the_bands(images_of):
    assert prepare(images_of(noise(), DES_BANDS)).domain == "tok_image"
    assert prepare(images_of(noise(bands=5), HSC_BANDS)).domain == "tok_image_hsc"


def test_some_bands_in_any_order_are_put_in_the_surveys_order(images_of):
    flux = noise(bands=2)
    found = prepare(images_of(flux, ("DES-Z", "DES-G")))
    np.testing.assert_array_equal(found.flux, flux[:, ::-1].astype(np.float32))
    assert found.bands.tolist() == [[True, False, False, True]] * 2


@pytest.mark.parametrize("shape", [(97, 101), (160, 152)])
def test_the_central_square_is_used(images_of, shape):
    flux = np.zeros((1, 4, *shape))
    top, left = (shape[0] - 96) // 2, (shape[1] - 96) // 2
    flux[:, :, top : top + 96, left : left + 96] = 5.0
    assert (prepare(images_of(flux)).flux == 5.0).all()


@pytest.mark.parametrize(
    ("bands", "told"),
    [
        (("VIS", "NISP-Y", "NISP-J", "NISP-H"), "bands VIS, NISP-Y, NISP-J, NISP-H; AION takes"),
        (("DES-G", "DES-R", "HSC-I", "HSC-Z"), "some of one survey: HSC-G, HSC-R"),
        (("des-g", "des-r", "des-i", "des-z"), "bands des-g"),
    ],
)
def test_other_bands_and_mixed_surveys_are_refused(images_of, bands, told):
    with pytest.raises(DataError, match=told) as raised:
        prepare(images_of(noise(), bands))
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("unit", ["display", "counts", "adu", "erg / (s cm2 Angstrom)", "nonsense"])
def test_a_unit_that_is_no_flux_is_refused(images_of, unit):
    with pytest.raises(DataError, match=r"images have unit '.*', which .* converted to nmgy"):
        prepare(images_of(noise(), unit=unit))


def test_images_below_96_pixels_are_refused(images_of):
    with pytest.raises(ShapeError, match="images of 95 x 95 px are smaller than the 96 px"):
        prepare(images_of(noise(side=95)))


def test_an_image_without_a_good_pixel_is_not_valid_and_says_which_band(images_of):
    flux = noise()
    flux[1] = np.nan
    found = prepare(images_of(flux))
    assert found.reasons == ["", "band DES-G has no good pixel in the central square"]
    assert np.isnan(found.flux[1]).all()


def test_an_absent_band_is_not_taken_for_a_dark_one(images_of):
    valid = np.ones((2, 4), dtype=bool)
    valid[0, 2] = False
    assert prepare(images_of(noise(), band_valid=valid)).reasons == ["band DES-I is absent", ""]


def test_an_image_with_too_many_bad_pixels_is_not_valid(images_of):
    mask = np.zeros((2, 4, 96, 96), dtype=bool)
    mask[0, 3, :60] = True  # 62.5 %
    mask[1, 3, :40] = True  # 41.7 %
    found = prepare(images_of(noise(), mask=mask))
    assert found.reasons == ["62% of band DES-Z is masked or not finite, the limit is 50%", ""]
    stricter = prepare(images_of(noise(), mask=mask), max_masked=0.4)
    assert "42% of band DES-Z" in stricter.reasons[1]


@pytest.mark.parametrize("how", ["nan", "mask", "ivar"])
def test_bad_pixels_are_bridged_from_their_neighbours_and_the_rest_is_untouched(images_of, how):
    ramp = np.broadcast_to(np.arange(96.0), (1, 4, 96, 96)).copy()
    hole = (0, 1, slice(40, 44), slice(50, 53))
    spoilt = ramp.copy()
    spoilt[hole] = np.nan if how == "nan" else 1e6
    fields = {}
    if how == "mask":
        fields["mask"] = np.zeros(ramp.shape, dtype=bool)
        fields["mask"][hole] = True
    if how == "ivar":
        fields["ivar"] = np.ones(ramp.shape, dtype=np.float32)
        fields["ivar"][hole] = 0
    found = prepare(images_of(spoilt, **fields))
    # a ramp along the rows is bridged exactly, in both directions
    np.testing.assert_allclose(found.flux, ramp, atol=1e-4)


def test_the_survey_s_arrays_are_left_as_they_were(images_of):
    images = images_of(noise())
    images.flux[0, 0, 10, 10] = np.nan
    before = images.flux.copy()
    prepare(images)
    np.testing.assert_array_equal(images.flux, before)
