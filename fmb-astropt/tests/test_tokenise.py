import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fmb import DataError, ShapeError
from fmb_astropt.recipes import ImageRecipe
from fmb_astropt.tokenise import cut, spiral_order, tokenise_images


def recipe(**changes):
    values = {
        "bands": ("B0",),
        "size_px": 32,
        "min_size_px": 8,
        "patch_px": 8,
        "patch_order": "raster",
        "patch_layout": "c p1 p2",
        "scaling": "none",
    }
    return ImageRecipe(**{**values, **changes})


def sky(n=1, bands=1, side=32, seed=0):
    return np.random.default_rng(seed).normal(size=(n, bands, side, side))


def test_spiral_order_is_upstreams():
    # `GalaxyImageDataset._spiral(4)` of astropt 2.0.9: the place of each patch in the sequence.
    upstream = np.array([[15, 14, 13, 12], [4, 3, 2, 11], [5, 0, 1, 10], [6, 7, 8, 9]])
    np.testing.assert_array_equal(upstream.ravel()[spiral_order(4)], np.arange(16))


@given(st.integers(1, 20))
def test_spiral_is_one_unbroken_path_from_the_centre(grid):
    order = spiral_order(grid)
    assert sorted(order) == list(range(grid * grid))
    y, x = np.divmod(order, grid)
    assert (np.abs(np.diff(y)) + np.abs(np.diff(x)) == 1).all()
    assert max(abs(y[0] - (grid - 1) / 2), abs(x[0] - (grid - 1) / 2)) <= 0.5


@given(st.integers(1, 9))
def test_a_smaller_image_has_the_first_positions_of_a_larger_one(grid):
    small, large = (np.stack(np.divmod(spiral_order(g), g)) - (g - 1) / 2 for g in (grid, grid + 2))
    np.testing.assert_array_equal(small, large[:, : grid * grid])


def test_layouts_differ_in_the_order_of_bands_and_pixels():
    planes = np.arange(2 * 4 * 4).reshape(1, 2, 4, 4)  # 16 * band + 4 * row + column
    by_band = cut(planes, recipe(patch_px=2, min_size_px=2, patch_layout="c p1 p2"))
    by_pixel = cut(planes, recipe(patch_px=2, min_size_px=2, patch_layout="p1 p2 c"))
    np.testing.assert_array_equal(by_band[0, 1], [2, 3, 6, 7, 18, 19, 22, 23])
    np.testing.assert_array_equal(by_pixel[0, 1], [2, 18, 3, 19, 6, 22, 7, 23])


def test_transposed_swaps_rows_and_columns_in_and_between_patches():
    planes = np.arange(16).reshape(1, 1, 4, 4)
    tokens = cut(planes, recipe(patch_px=2, min_size_px=2, transposed=True))
    np.testing.assert_array_equal(tokens[0, 1], [8, 12, 9, 13])


def test_the_central_square_is_the_largest_multiple_of_the_patch(images_of):
    flux = np.zeros((1, 1, 21, 19))
    flux[0, 0, 10, 9] = 1
    made = tokenise_images(images_of(flux), recipe(patch_px=4, min_size_px=4))
    assert made.values.shape == (1, 16, 16)
    # 16 x 16 from row 2 and column 1: the pixel is at (8, 8) of it, first of patch (2, 2)
    assert made.values[0, 10, 0] == 1
    assert made.values.sum() == 1


def test_bands_are_taken_by_name_in_the_order_of_the_weights(images_of):
    flux = np.stack([np.full((8, 8), 1.0), np.full((8, 8), 2.0)])[None]
    made = tokenise_images(images_of(flux, ("Y", "X")), recipe(bands=("X", "Y")))
    np.testing.assert_array_equal(made.values[0, 0], [2.0] * 64 + [1.0] * 64)


def test_scaling_by_noise_does_not_know_the_unit(images_of):
    flux = sky(3)
    plain = tokenise_images(images_of(flux), recipe(scaling="asinh-noise"))
    other = tokenise_images(images_of(1e4 * flux + 2e3), recipe(scaling="asinh-noise"))
    np.testing.assert_allclose(other.values, plain.values, atol=1e-3)  # float32 of 2e3 +- 1e4


def test_scaling_by_noise_makes_the_sky_unit_noise(images_of):
    made = tokenise_images(images_of(7 * sky(4, side=96)), recipe(scaling="asinh-noise"))
    # 9216 pixels a plane: the quantile's own scatter is 1.5 %
    assert np.sinh(made.values).std() == pytest.approx(1, rel=0.05)


def test_patches_are_standardised_one_by_one(images_of):
    flux = sky(2, bands=2)
    bands = {"bands": ("B0", "B1"), "scaling": "patch-standard"}
    made = tokenise_images(images_of(flux * 5 + 100), recipe(**bands))
    np.testing.assert_allclose(made.values.mean(axis=2), 0, atol=1e-4)
    np.testing.assert_allclose(made.values.std(axis=2, ddof=1), 1, rtol=1e-4)


def test_a_masked_column_across_a_smooth_galaxy_changes_nothing(images_of):
    y, x = np.mgrid[:32, :32]
    flux = (3.0 * x + 2.0 * y)[None, None]
    mask = np.zeros(flux.shape, dtype=bool)
    mask[..., 13:15] = True
    broken = np.where(mask, np.nan, flux)
    whole = tokenise_images(images_of(flux), recipe())
    masked = tokenise_images(images_of(broken, mask=mask), recipe())
    np.testing.assert_allclose(masked.values, whole.values, rtol=1e-5)


@pytest.mark.parametrize("value", [np.nan, np.inf, -1e30, 0.0])
def test_the_value_under_a_mask_does_not_matter(images_of, value):
    flux, mask = sky(2), np.zeros((2, 1, 32, 32), dtype=bool)
    mask[0, 0, 5:9, 20:] = True
    made = [
        tokenise_images(
            images_of(np.where(mask, v, flux), mask=mask), recipe(scaling="asinh-noise")
        )
        for v in (value, 12.0)
    ]
    np.testing.assert_array_equal(made[0].values, made[1].values)


def test_no_information_is_a_mask(images_of):
    flux, ivar = sky(1), np.ones((1, 1, 32, 32), dtype=np.float32)
    ivar[0, 0, :8, :8] = 0
    made = tokenise_images(images_of(flux, ivar=ivar), recipe())
    np.testing.assert_array_equal(made.mask[0], [False] + [True] * 15)
    assert (made.values[0, 0] == 0).all()


def test_unusable_images_say_why_and_leave_the_others_alone(images_of):
    flux = sky(5, bands=2)
    flux[1] = np.nan
    flux[2, 1, :20] = np.nan
    flux[3, 1] = 5.5
    valid = np.ones((5, 2), dtype=bool)
    valid[4, 0] = False
    kind = recipe(bands=("B0", "B1"), scaling="asinh-noise")
    made = tokenise_images(images_of(flux, band_valid=valid), kind)
    assert made.reasons == [
        "",
        "band B0 has no good pixel",
        "62% of band B1 is masked or not finite, the limit is 50%",
        "band B1 is flat: no noise to scale by",
        "band B0 is absent",
    ]
    assert np.isnan(made.values[1:]).all()
    alone = tokenise_images(images_of(flux[:1]), kind)
    np.testing.assert_array_equal(made.values[0], alone.values[0])


def test_a_picture_whose_sky_is_one_grey_level_is_not_flat(images_of):
    flux = np.ones((1, 1, 32, 32))
    flux[0, 0, :8, :8] = 255
    made = tokenise_images(images_of(flux, unit="display"), recipe(scaling="asinh-noise"))
    assert made.reasons == [""]
    # rounding noise: 1/sqrt(12)
    assert made.values.max() == pytest.approx(np.arcsinh(254 * 12**0.5), rel=1e-5)


def test_an_8_bit_recipe_refuses_what_is_no_8_bit_picture(images_of):
    flux = np.full((2, 1, 32, 32), 128.0)
    flux[1, 0, 0, 0] = 300
    made = tokenise_images(images_of(flux), recipe(scaling="uint8"))
    assert made.reasons == ["", "band B0 has values outside 0-255: not an 8-bit picture"]
    np.testing.assert_allclose(made.values[0], 128 / 255, rtol=1e-6)


def test_a_missing_band_is_named(images_of):
    with pytest.raises(DataError, match="have bands B0; these weights need NISP-H too"):
        tokenise_images(images_of(sky()), recipe(bands=("B0", "NISP-H")))


def test_images_smaller_than_the_patch_are_refused(images_of):
    with pytest.raises(ShapeError, match="7 x 32 px are smaller than the 8 px"):
        tokenise_images(images_of(np.zeros((1, 1, 7, 32))), recipe())
