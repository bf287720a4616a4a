"""Measures of cutouts whose sky, noise and light are known."""

import numpy as np
import pytest

from fmb import Images
from fmb.measured.images import IMAGE_ROLES, measure_images
from fmb.measured.light import log_light

SIDE, WIDTH = 40, 4
"""The border is a tenth of the side."""
CIRCLE = np.hypot(*(np.mgrid[:SIDE, :SIDE] - (SIDE - 1) / 2)) <= SIDE / 2 - WIDTH


def picture(sky=10.0, source=1000.0, at=(20, 20)):
    """A border of sky + 1 and sky - 1 by turns, sky within, and all the light in one pixel."""
    flux = np.full((SIDE, SIDE), sky)
    border = np.ones((SIDE, SIDE), dtype=bool)
    border[WIDTH:-WIDTH, WIDTH:-WIDTH] = False
    flux[border] += np.where(np.indices((SIDE, SIDE)).sum(axis=0)[border] % 2, 1, -1)
    flux[at] += source
    return flux


def images(*pictures, **more):
    flux = np.stack(pictures)[:, None].astype(np.float32)
    valid = np.ones((len(pictures), 1), dtype=bool)
    told = {"bands": ("r",), "unit": "nJy", "pixel_scale_arcsec": 0.2, "band_valid": valid}
    return Images(flux=flux, **{**told, **more})


def measures(*pictures, **more):
    """Role -> one number a picture."""
    values = measure_images(images(*pictures, **more))
    return dict(zip(IMAGE_ROLES, values.T, strict=True))


def test_sky_and_noise_are_those_of_the_border():
    found = measures(picture(sky=10))
    assert found["sky"] == 10
    # Half of the border is one above, half one below: the median deviation is 1.
    assert found["noise"] == pytest.approx(np.log10(1.4826))


def test_light_is_the_sum_within_the_circle_and_its_error_that_of_the_sum():
    error = 1.4826 * np.sqrt(CIRCLE.sum())
    found = measures(picture(source=1000), picture(source=1e6), picture(source=1e6, at=(5, 5)))
    expected = np.log10((1000 + np.hypot(1000, 2 * error)) / 2)
    assert found["light"][0] == pytest.approx(expected, rel=1e-6)
    assert found["measured_snr"][0] == pytest.approx(expected - np.log10(error), rel=1e-6)
    assert found["light"][1] == pytest.approx(6, abs=1e-4)
    assert found["light"][2] == pytest.approx(np.log10(error))  # in the corner: no light of it


def test_another_unit_adds_its_logarithm_and_another_sky_changes_nothing_but_the_sky():
    first = measures(picture())
    scaled, raised = measures(8 * picture()), measures(picture() + 64)
    for role in ("noise", "light"):
        assert scaled[role] - first[role] == pytest.approx(np.log10(8))
        assert raised[role] == pytest.approx(first[role])
    for other in (scaled, raised):
        assert other["measured_snr"] == pytest.approx(first["measured_snr"])
        assert other["off_centre"] == pytest.approx(first["off_centre"])
    assert (first["sky"], scaled["sky"], raised["sky"]) == (10, 80, 74)


def test_no_stretch_of_a_picture_changes_what_is_measured_on_it():
    noisy = picture() + np.random.default_rng(0).normal(0, 1, (SIDE, SIDE))
    first, stretched = (measures(one, unit="display") for one in (noisy, 7 * noisy + 30))
    for role in ("light", "measured_snr", "off_centre"):
        assert stretched[role] == pytest.approx(first[role], rel=1e-5)
    for role in ("sky", "noise"):
        assert np.isnan(first[role])
    flux = measures(noisy)
    assert first["light"] == pytest.approx(flux["light"] - flux["noise"])


def test_the_distance_from_the_centre_is_in_arcsec():
    # The centre is (19.5, 19.5); (23, 25) is 3.5 and 5.5 pixels of 0.2 arcsec away.
    assert measures(picture(at=(23, 25)))["off_centre"] == pytest.approx(0.2 * np.hypot(3.5, 5.5))
    assert np.isnan(measures(picture(source=0))["off_centre"])


def test_lost_pixels_are_masked_ones_those_without_a_value_and_those_cut_off_at_the_top():
    flux = picture()
    flux[10, 10:14] = np.nan
    flux[11, 10:16] = 5000.0
    mask, ivar = (np.zeros((1, 1, SIDE, SIDE), dtype=bool) for _ in range(2))
    mask[0, 0, 12, 10:18] = True
    ivar[0, 0, 13, 10:20] = True
    found = measures(flux, mask=mask, ivar=(~ivar).astype(np.float32))
    assert found["masked"] == pytest.approx((4 + 6 + 8 + 10) / SIDE**2)
    assert measures(picture())["masked"] == 0  # one brightest pixel is not saturated


def test_masked_pixels_change_neither_the_sky_nor_the_level_of_the_light():
    flux, mask = picture(source=1e6), np.zeros((1, 1, SIDE, SIDE), dtype=bool)
    mask[0, 0, 0] = mask[0, 0, 17, 10:20] = True
    flux[mask[0, 0]] = 1e9
    found, whole = measures(flux, mask=mask), measures(picture(source=1e6))
    assert found["sky"] == whole["sky"]
    # Ten of the circle's pixels are lost: what is seen counts for all.
    seen = CIRCLE.sum() - 10
    assert found["light"] - whole["light"] == pytest.approx(np.log10(CIRCLE.sum() / seen), abs=1e-5)


def test_what_cannot_be_measured_is_not_a_number():
    absent = measures(picture(), band_valid=np.zeros((1, 1), dtype=bool))
    assert all(np.isnan(values).all() for values in absent.values())
    no_sky, no_core = picture(), picture()
    no_sky[:WIDTH] = no_sky[-WIDTH:] = no_sky[:, :WIDTH] = no_sky[:, -WIDTH:] = np.nan
    no_core[8:32, 8:32] = np.nan
    blank = np.full((SIDE, SIDE), 3.0)
    found = measures(no_sky, no_core, blank, np.full((SIDE, SIDE), np.nan))
    known = {role: np.isfinite(values).tolist() for role, values in found.items()}
    assert known == {
        "sky": [False, True, True, False],
        "noise": [False, True, False, False],
        "light": [False, False, False, False],
        "measured_snr": [False, False, False, False],
        "masked": [True, True, True, True],
        "off_centre": [False, False, False, False],
    }
    assert found["masked"][2:].tolist() == [1, 1]


def test_measures_of_an_object_do_not_depend_on_the_others():
    pictures = [picture(at=(20, k)) for k in range(12, 28)]
    together = measure_images(images(*pictures))
    alone = np.concatenate([measure_images(images(one)) for one in pictures[::-1]])[::-1]
    np.testing.assert_array_equal(together, alone)


def test_light_below_the_noise_keeps_a_place_at_the_faint_end():
    lights = np.array([-1e9, -50, -1, 0, 1, 50, 1e9])
    values = [log_light(light, 2.0) for light in lights]
    assert values == sorted(values)
    assert values[3] == pytest.approx(np.log10(2.0))
    assert values[-1] == pytest.approx(9)
    # (L + sqrt(L^2 + 4 e^2)) / 2 at L and at -L multiply to e^2.
    assert values[1] + values[5] == pytest.approx(2 * np.log10(2.0))
    assert values[0] + values[6] == pytest.approx(2 * np.log10(2.0))
    assert np.isnan(log_light(0.0, 0.0))
    assert np.isnan(log_light(-1.0, 0.0))
    assert log_light(100.0, 0.0) == pytest.approx(2)
