import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from matplotlib.colors import to_rgb

from fmb import Images
from fmb_viz.palette import NO_DATA
from fmb_viz.rgb import band_weights, choose_bands, display_range, picture

ALL = (True,) * 5


@pytest.mark.parametrize(
    ("bands", "red_first"),
    [
        (("VIS",), ("VIS",)),
        (("F606W", "F814W"), ("F814W", "F606W")),
        (("g", "r", "z"), ("z", "r", "g")),
        (("g", "r", "i", "z"), ("z", "r", "g")),
        (("VIS", "Y", "J", "H"), ("H", "Y", "VIS")),
        (("g", "r", "i", "z", "y"), ("y", "i", "g")),
        (("R", "G", "B"), ("R", "G", "B")),
        (("blue", "green", "red"), ("red", "green", "blue")),
    ],
)
def test_the_longest_band_is_red_and_the_shortest_blue(bands, red_first):
    assert tuple(bands[i] for i in choose_bands(bands, ALL[: len(bands)])) == red_first


def test_an_absent_band_is_never_shown():
    assert choose_bands(("g", "r", "i", "z"), (True, True, False, False)) == (1, 0)
    assert choose_bands(("R", "G", "B"), (True, False, True)) == (0, 2)
    assert choose_bands(("g", "r"), (False, False)) == ()
    assert choose_bands(("g", "r"), (True, False), ("r", "g")) == (0,)


def test_bands_that_are_asked_for_are_shown_in_that_order():
    assert choose_bands(("g", "r", "i", "z"), ALL[:4], ("i", "g")) == (2, 0)


def test_the_colour_of_a_pixel_does_not_depend_on_its_brightness(images):
    # A sky of zeros has no noise, so that black is at zero and colours are ratios of flux.
    flux = np.zeros((1, 3, 40, 40), dtype=np.float32)
    flux[0, :, :, :] = 1e-6
    ratio = np.array([1.0, 2.0, 4.0], dtype=np.float32)
    for i, level in enumerate((1.0, 5.0, 20.0, 50.0)):
        flux[0, :, 10 * i, 5] = level * ratio
    made = images(1, flux=flux, bands=("g", "r", "z"), band_valid=np.ones((1, 3), dtype=bool))
    rgb = picture(made, 0, (0, 1, 2), scale=np.ones(3)).rgb
    shown = rgb[[0, 10, 20, 30], 5]
    # 1e-5: the sky of 1e-6 is subtracted from a flux of 1.
    assert shown / shown.sum(axis=1, keepdims=True) == pytest.approx(
        np.broadcast_to(ratio / ratio.sum(), (4, 3)), rel=1e-5
    )
    assert (np.diff(shown.sum(axis=1)) >= 0).all()


def test_the_asinh_stretch_follows_its_formula(images):
    flux = np.full((1, 1, 40, 40), 0.0, dtype=np.float32)
    flux[0, 0] = np.arange(1600).reshape(40, 40)
    made = images(1, flux=flux, bands=("VIS",), band_valid=np.ones((1, 1), dtype=bool))
    rgb = picture(made, 0, (0,), scale=np.ones(1)).rgb[..., 0].ravel()
    # Independent of the code: pixels 1..1599 are not zero, their median is 800, the distances of
    # the darker half (0..799) have the median 399.5, white is the 99.8th percentile.
    noise = 1.4826 * 399.5
    x = np.arange(1600) - (800.0 - noise)
    white = 1 + 0.998 * 1598 - (800.0 - noise)
    soft = 4 * noise
    expected = np.clip(np.arcsinh(x / soft) / np.arcsinh(white / soft), 0.0, 1.0)
    assert rgb[1:] == pytest.approx(expected[1:], abs=1e-9)


def test_a_masked_or_missing_pixel_is_striped_and_changes_no_other(images):
    clean = images(1)
    mask = np.zeros(clean.flux.shape, dtype=bool)
    mask[0, 1, 3:6, 7] = True
    spoilt = clean.flux.copy()
    spoilt[0, 1, 3:6, 7] = 1e6
    spoilt[0, 2, 20, 20] = np.nan
    calm = clean.flux.copy()
    calm[0, 1, 3:6, 7] = -5.0
    calm[0, 2, 20, 20] = np.inf
    first, second = (
        picture(images(1, flux=flux, mask=mask), 0, (2, 1, 0), scale=np.ones(3))
        for flux in (spoilt, calm)
    )
    lost = mask[0].any(axis=0)
    lost[20, 20] = True
    assert np.array_equal(first.no_data, lost)
    assert np.array_equal(first.rgb, second.rgb)
    stripes = {to_rgb(colour) for colour in NO_DATA}
    assert {tuple(colour) for colour in first.rgb[lost].tolist()} <= stripes
    assert not {tuple(colour) for colour in first.rgb[~lost].tolist()} & stripes


def test_a_pixel_without_information_is_no_data(images):
    ivar = np.ones((1, 3, 24, 24), dtype=np.float32)
    ivar[0, 0, 2, 2] = 0.0
    shown = picture(images(1, ivar=ivar), 0, (2, 1, 0), scale=np.ones(3))
    assert np.argwhere(shown.no_data).tolist() == [[2, 2]]


def test_a_border_of_zeros_does_not_change_the_rest(images):
    flux = images(1).flux
    wide = np.zeros((1, 3, 24, 60), dtype=np.float32)
    wide[..., :24] = flux
    alone, bordered = (
        picture(images(1, flux=each), 0, (2, 1, 0), scale=np.ones(3)).rgb for each in (flux, wide)
    )
    assert np.array_equal(bordered[:, :24], alone)


@pytest.mark.parametrize("value", [0.0, 7.5, -2.0])
def test_a_constant_image_is_shown_and_said_to_be_constant(images, value):
    flux = np.full((1, 3, 24, 24), value, dtype=np.float32)
    constant = images(1, flux=flux)
    shown = picture(constant, 0, (2, 1, 0), scale=band_weights(constant))
    assert shown.constant
    assert np.array_equal(shown.rgb, np.zeros((24, 24, 3)))


def test_display_pictures_keep_their_values(images):
    flux = np.tile(np.array([0.0, 51.0, 255.0], dtype=np.float32), (1, 1, 3, 1))
    made = images(
        1, flux=flux, bands=("VIS",), band_valid=np.ones((1, 1), dtype=bool), unit="display"
    )
    rgb = picture(made, 0, (0,), scale=display_range(made)).rgb
    assert rgb[0, :, 0] == pytest.approx([0.0, 0.2, 1.0])


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [(0.0, 0.9, (0, 1)), (0.0, 200.0, (0, 255)), (-3.0, 2.0, (-3, 2)), (300.0, 300.0, (300, 301))],
)
def test_display_pictures_of_any_range_are_scaled_once_for_all(images, low, high, expected):
    flux = np.full((2, 1, 4, 4), low, dtype=np.float32)
    flux[1] = high
    made = images(2, flux=flux, bands=("VIS",), band_valid=np.ones((2, 1), dtype=bool))
    assert display_range(made) == pytest.approx(expected)


def test_zero_points_of_the_bands_do_not_matter(images):
    plain = images(5)
    factor = np.array([1.0, 300.0, 0.01], dtype=np.float32)[None, :, None, None]
    scaled = images(5, flux=plain.flux * factor)
    first, second = (
        picture(each, 2, (2, 1, 0), scale=band_weights(each)).rgb for each in (plain, scaled)
    )
    assert second == pytest.approx(first, abs=1e-4)  # float32 flux, stretched


@settings(max_examples=60, deadline=None)
@given(
    flux=hnp.arrays(
        np.float32,
        (1, 3, 6, 5),
        elements=st.floats(-(2.0**100), 2.0**100, width=32) | st.sampled_from([np.nan, np.inf]),
    ),
    stretch=st.sampled_from(["asinh", "linear"]),
)
def test_any_image_gives_colours_between_zero_and_one(flux, stretch):
    made = Images(
        flux=flux,
        bands=("g", "r", "z"),
        band_valid=np.ones((1, 3), dtype=bool),
        unit="nJy",
        pixel_scale_arcsec=0.25,
    )
    rgb = picture(made, 0, (2, 1, 0), scale=band_weights(made), stretch=stretch).rgb
    assert np.isfinite(rgb).all()
    assert rgb.min() >= 0.0
    assert rgb.max() <= 1.0


def test_the_noise_of_the_sky_is_grey_and_a_bright_source_is_not(images):
    flux = np.random.default_rng(0).normal(0.0, 1.0, (1, 3, 40, 40)).astype(np.float32)
    flux[0, 0, 20, 20] += 100.0
    made = images(1, flux=flux, band_valid=np.ones((1, 3), dtype=bool))
    rgb = picture(made, 0, (2, 1, 0), scale=np.ones(3)).rgb
    spread = rgb.max(axis=-1) - rgb.min(axis=-1)
    assert spread[20, 20] > 0.9
    assert np.median(np.delete(spread.ravel(), 820)) < 0.1
