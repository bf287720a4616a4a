"""Euclid images become what the adapter takes, or are refused; its networks, untrained."""

import numpy as np
import pytest
import torch

from fmb import DataError, ShapeError
from fmb_aion.adapted import prepare_adapted, regrid
from fmb_aion.adapter import Adapter, UNet
from fmb_aion.config import AionConfig
from fmb_aion.prepare import Preparer
from fmb_aion.presets import sizes_of
from fmb_aion.recipes import AdapterRecipe, AdapterSizes, Recipe
from fmb_aion.surveys import DES_BANDS, EUCLID_BANDS

RECIPE = AdapterRecipe()


def prepare(images, max_masked=0.5, **recipe):
    return prepare_adapted(images, RECIPE.model_copy(update=recipe), max_masked)


def noise(n=2, side=96, seed=0):
    return np.random.default_rng(seed).normal(size=(n, 4, side, side))


@pytest.fixture
def euclid(images_of):
    """Images in Euclid's bands: euclid(flux, fields of Images)."""

    def build(flux, bands=EUCLID_BANDS, **fields):
        return images_of(flux, bands, **{"unit": "uJy", "pixel_scale_arcsec": 0.1} | fields)

    return build


@pytest.fixture
def preparer():
    """What feeds weights that have an adapter."""
    recipe = Recipe(adapter=RECIPE)
    codec = sizes_of("small").spectrum_codec
    return Preparer(recipe, codec, AionConfig(), image_source="camera", spectrum_source=None)


@pytest.mark.parametrize(
    ("unit", "factor"), [("uJy", 1.0), ("nJy", 1e-3), ("Jy", 1e6), ("nmgy", 3.631)]
)
def test_flux_becomes_microjansky(euclid, unit, factor):
    flux = noise()
    found = prepare(euclid(flux, unit=unit))
    np.testing.assert_allclose(found.flux, flux * factor, rtol=1e-6)  # float32
    assert found.good.all()


def test_bands_in_another_order_are_put_in_the_adapters(euclid):
    flux = noise()
    found = prepare(euclid(flux, ("NISP-H", "VIS", "NISP-J", "NISP-Y")))
    np.testing.assert_array_equal(found.flux, flux[:, [1, 3, 2, 0]].astype(np.float32))


@pytest.mark.parametrize("how", ["nan", "mask", "ivar"])
def test_bad_pixels_are_bridged_and_not_called_good(euclid, how):
    ramp = np.broadcast_to(np.arange(96.0), (1, 4, 96, 96)).copy()
    hole = (0, 1, slice(40, 44), slice(50, 53))
    bad = np.zeros(ramp.shape, dtype=bool)
    bad[hole] = True
    spoilt = np.where(bad, np.nan if how == "nan" else 1e6, ramp)
    fields = {
        "nan": {},
        "mask": {"mask": bad},
        "ivar": {"ivar": np.where(bad, 0, 1).astype(np.float32)},
    }[how]
    found = prepare(euclid(spoilt, **fields))
    np.testing.assert_allclose(found.flux, ramp, atol=1e-4)  # a ramp is bridged exactly
    np.testing.assert_array_equal(found.good, ~bad)


def test_a_larger_field_keeps_its_flux_and_what_a_bad_pixel_touches_is_not_good(euclid):
    flux = np.ones((1, 4, 200, 200))
    flux[0, 2, 4 + 10, 4 + 20] = np.nan  # the square of 192 begins at pixel 4
    found = prepare(euclid(flux), field_px=192)
    np.testing.assert_allclose(found.flux, 4.0)  # 2 x 2 pixels of flux 1 in one
    assert np.argwhere(~found.good).tolist() == [[0, 2, 5, 10]]


def test_sharing_out_pixels_is_the_arithmetic_of_their_overlap():
    plane = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0], [7.0, 8.0, 9.0]])
    # a new pixel has one old one, half of two neighbours and a quarter of the centre
    expected = [[1 + 1 + 2 + 1.25, 3 + 1 + 3 + 1.25], [7 + 2 + 4 + 1.25, 9 + 3 + 4 + 1.25]]
    np.testing.assert_allclose(regrid(plane, 2), expected)
    np.testing.assert_array_equal(regrid(plane, 3), plane)
    np.testing.assert_allclose(regrid(np.full((1, 1), 8.0), 2), 2.0)


@pytest.mark.parametrize("n", [64, 97, 161])
def test_sharing_out_pixels_conserves_the_flux(n):
    planes = np.random.default_rng(n).normal(2, 1, (3, n, n))
    found = regrid(planes, 96)
    assert found.shape == (3, 96, 96)
    np.testing.assert_allclose(found.sum((1, 2)), planes.sum((1, 2)), rtol=1e-5)  # float32


def test_an_image_that_cannot_be_used_says_why(euclid):
    flux, valid = noise(3), np.ones((3, 4), dtype=bool)
    flux[0] = np.nan
    valid[1, 3] = False
    found = prepare(euclid(flux, band_valid=valid))
    assert found.reasons == [
        "band VIS has no good pixel in the central square", "band NISP-H is absent", "",
    ]  # fmt: skip
    assert np.isnan(found.flux[:2]).all()
    assert np.isfinite(found.flux[2]).all()


def test_small_images_are_refused(euclid):
    with pytest.raises(ShapeError, match="96 x 96 px are smaller than the 100 px"):
        prepare(euclid(noise()), field_px=100)


@pytest.mark.parametrize("unit", ["display", "counts", "erg / (s cm2 Angstrom)"])
def test_a_unit_that_is_no_flux_is_refused(euclid, unit):
    with pytest.raises(DataError, match="cannot be converted to uJy"):
        prepare(euclid(noise(), unit=unit))


def test_a_missing_band_is_refused_with_what_is_needed(preparer, euclid, batch_of):
    images = euclid(noise()[:, :3], EUCLID_BANDS[:3])
    with pytest.raises(DataError, match=r"have bands VIS, NISP-Y, NISP-J; .*or all of VIS, NISP-Y"):
        preparer(batch_of(camera=images))


def test_the_codecs_own_surveys_go_past_the_adapter(preparer, images_of, euclid, batch_of):
    assert "tok_image.flux" in preparer(batch_of(camera=images_of(noise(), DES_BANDS))).arrays
    found = preparer(batch_of(camera=euclid(noise())))
    assert set(found.arrays) == {"adapted.flux", "adapted.good"}


def test_untrained_it_gives_the_neighbouring_band_in_zero_point_27():
    adapter = Adapter(AdapterSizes())
    flux = torch.rand(2, 4, 16, 16) * torch.tensor([1.0, 2.0, 3.0, 4.0])[:, None, None]
    hsc = adapter(flux).detach()
    # a microjansky is magnitude 23.9 (23.90006 for 3631 Jy)
    for band, neighbour in enumerate([0, 0, 0, 1, 1]):
        expected = flux[:, neighbour] * 10 ** (0.4 * (27 - 23.9))
        torch.testing.assert_close(hsc[:, band], expected, rtol=2e-4, atol=1e-5)
    back = adapter.back(hsc).detach()
    for band, neighbour in enumerate([0, 1, 1, 1]):
        softening = 5 * 10 ** (0.4 * (23.9 - (31.0, 28.4, 28.5, 28.4)[band]))
        expected = torch.asinh(flux[:, neighbour] / softening)
        torch.testing.assert_close(back[:, band], expected, rtol=5e-3, atol=1e-3)  # two digits


def test_what_is_brighter_than_all_clamps_stays_finite():
    hsc = Adapter(AdapterSizes())(torch.full((1, 4, 8, 8), 1e30))
    assert torch.isfinite(hsc).all()
    assert (hsc > 500).all()


def test_a_trained_network_sees_each_image_alone_and_all_of_it():
    torch.manual_seed(0)
    network = UNet(4, 5, 8)
    torch.nn.init.normal_(network.out.weight)
    x = torch.randn(3, 4, 32, 32)
    together = network(x)
    torch.testing.assert_close(together[1:2], network(x[1:2]), rtol=1e-5, atol=1e-5)
    x[0, 0, 0, 0] += 5
    assert not torch.equal(network(x)[0, :, 31, 31], together[0, :, 31, 31])
    assert torch.allclose(network(x)[1:], together[1:])
