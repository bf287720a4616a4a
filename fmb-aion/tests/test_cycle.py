"""The way through the frozen codec: upstream's numbers, straight-through gradients, the loss."""

import numpy as np
import pytest
import torch
from aion.codecs.image import ImageCodec
from aion.modalities import Image
from safetensors.torch import load_file, save_file

from fmb import ConfigError, WeightsError
from fmb.weights import Card
from fmb_aion.codecs import IMAGE_DECODER_SIDE, round_trip
from fmb_aion.config import AionConfig
from fmb_aion.importing import import_folder
from fmb_aion.model import AionModel
from fmb_aion.parts import Parts
from fmb_aion.presets import random_card, sizes_of
from fmb_aion.surveys import DES_BANDS, EUCLID_BANDS, HSC_BANDS
from fmb_aion.training import AionTraining

SOURCES = {"image": "euclid"}
SMALL = {"hidden": 8}


@pytest.fixture(scope="module")
def codec():
    """The whole codec of a random preset."""
    return Parts.drawn(sizes_of("small"), 3, decoder=True).image_codec.requires_grad_(False)


@pytest.fixture
def euclid(images_of, batch_of):
    """Blobs of differing colours on noise, in four bands: euclid(n)."""

    def build(n, *, seed=0, **fields):
        rng = np.random.default_rng(seed)
        y, x = np.mgrid[:96, :96] - 47.5
        blob = rng.uniform(0.2, 2, (n, 4, 1, 1)) * np.exp(
            -(y**2 + x**2) / (2 * rng.uniform(3, 9, (n, 4, 1, 1)) ** 2)
        )
        flux = blob + 0.01 * rng.normal(size=(n, 4, 96, 96))
        defaults = {"unit": "uJy", "pixel_scale_arcsec": 0.1}
        return batch_of(euclid=images_of(flux, EUCLID_BANDS, **defaults | fields))

    return build


@pytest.fixture
def task(random_model):
    """The task of random weights."""
    return random_model(seed=3).task(AionTraining(**SMALL), SOURCES)


def flux_of(n, bands, seed=0):
    rng = np.random.default_rng(seed)
    # up to 600: beyond every clamp
    return torch.tensor(rng.exponential(50, (n, bands, 96, 96)), dtype=torch.float32)


def without_rounding(codec, flux, bands):
    """The same way with every code left where it is."""
    quantise = codec.quantizer.quantize
    codec.quantizer.quantize = lambda z: (
        codec.quantizer._bound(z.moveaxis(1, -1)) / (codec.quantizer.levels // 2)
    ).moveaxis(-1, 1)
    try:
        return round_trip(codec, flux, bands)
    finally:
        codec.quantizer.quantize = quantise


def test_in_des_bands_the_way_is_upstreams_encode_and_decode(codec):
    flux = flux_of(2, 4)
    given = flux.clone()
    ours = round_trip(codec, flux, DES_BANDS)
    assert torch.equal(flux, given)
    own = ImageCodec(quantizer_levels=[7, 5, 5, 5, 5], hidden_dims=32,
                     multisurvey_projection_dims=12, num_consecutive=1)  # fmt: skip
    own.load_state_dict(codec.state_dict())
    with torch.no_grad():
        tokens = own.encode(Image(flux=flux.clone(), bands=list(DES_BANDS)))
        expected = own.decode(tokens, bands=list(DES_BANDS)).flux
    torch.testing.assert_close(ours, expected, rtol=1e-4, atol=1e-5)  # sinh of float32 sums


def test_hsc_comes_back_in_zero_point_27(codec):
    """Upstream divides by 63.0957 on the way in; on the way back its method does not exist."""
    channels = codec.subsample_out
    saved = channels.weight.clone(), channels.bias.clone()
    # the channels are HSC-G, R, I, Z, Y, then DES-G, R, I, Z: decode both from the same numbers
    channels.weight[5:9], channels.bias[5:9] = channels.weight[:4], channels.bias[:4]
    latent = torch.randn(1, 5, 576, generator=torch.Generator().manual_seed(1)).clamp(-1, 1)
    nanomaggies = codec._decode(latent, bands=list(DES_BANDS)).flux
    hsc = codec._decode(latent, bands=list(HSC_BANDS)).flux
    channels.weight[:], channels.bias[:] = saved
    torch.testing.assert_close(hsc[:, :4], nanomaggies * 10 ** ((27.0 - 22.5) / 2.5))


def test_gradients_pass_the_rounding_straight_through(codec):
    """The decoder's slope at the rounded codes times the encoder's at the given flux."""
    flux = flux_of(1, 5, seed=1).requires_grad_()
    seed = torch.randn(1, 5, 96, 96, generator=torch.Generator().manual_seed(2))
    (found,) = torch.autograd.grad((round_trip(codec, flux, HSC_BANDS) * seed).sum(), flux)
    latent = codec._encode(Image(flux=flux, bands=list(HSC_BANDS)))
    bound = codec.quantizer._bound(latent.moveaxis(1, -1)) / (codec.quantizer.levels // 2)
    codes = bound.moveaxis(-1, 1)
    rounded = codec.quantizer.quantize(latent).detach().requires_grad_()
    decoded = codec._decode(rounded, bands=list(HSC_BANDS)).flux
    (slope,) = torch.autograd.grad((decoded * seed).sum(), rounded)
    (expected,) = torch.autograd.grad((codes * slope).sum(), flux)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-6)
    assert (found.abs().amax((0, 2, 3)) > 0).all()
    # beyond the clamps nothing is learned; HSC-G is clamped at 80
    assert (found[:, 0][flux[:, 0] > 80] == 0).all()


def test_the_codec_really_rounds(codec):
    flux = flux_of(1, 5)
    assert not torch.allclose(
        round_trip(codec, flux, HSC_BANDS), without_rounding(codec, flux, HSC_BANDS), rtol=1e-3
    )


def test_the_decoder_is_drawn_from_the_seed_and_changes_no_other_tensor(codec):
    plain = Parts.drawn(sizes_of("small"), 3).image_codec.state_dict()
    whole = codec.state_dict()
    assert all(torch.equal(whole[name], plain[name]) for name in plain)
    assert all(name.startswith(IMAGE_DECODER_SIDE) for name in set(whole) - set(plain))
    again = Parts.drawn(sizes_of("small"), 3, decoder=True).image_codec.state_dict()
    assert all(torch.equal(whole[name], again[name]) for name in whole)


def test_the_loss_is_the_mean_of_bands_over_observed_pixels(task, euclid):
    mask = np.zeros((2, 4, 96, 96), dtype=bool)
    mask[0, 1, 30:50] = True
    inputs = task.preparer(SOURCES)(euclid(2, mask=mask))
    loss, parts = task.loss(inputs)
    flux = torch.tensor(inputs.arrays["adapted.flux"])
    with torch.no_grad():
        back = task.module.back(round_trip(task.codec, task.module(flux), HSC_BANDS))
    softening = np.array([0.0072, 0.079, 0.072, 0.079])[:, None, None]
    squares = (back.numpy() - np.arcsinh(flux.numpy() / softening)) ** 2
    expected = np.array([[squares[i, b][~mask[i, b]].mean() for b in range(4)] for i in range(2)])
    np.testing.assert_allclose(loss.detach(), expected.mean(1), rtol=1e-4)
    assert list(parts) == list(EUCLID_BANDS)
    np.testing.assert_allclose(torch.stack([*parts.values()], 1), expected, rtol=1e-4)


def test_the_loss_of_an_object_does_not_depend_on_the_batch(task, euclid):
    torch.nn.init.normal_(task.module.to_hsc.out.weight, std=0.1)
    inputs = task.preparer(SOURCES)(euclid(3))
    with torch.no_grad():
        together = task.loss(inputs)[0]
        alone = torch.cat([task.loss(inputs.take(np.array([i])))[0] for i in range(3)])
    torch.testing.assert_close(together, alone, rtol=1e-4, atol=1e-5)


def test_only_the_adapter_learns_and_both_its_networks_do(task, euclid):
    before = {name: value.clone() for name, value in task.codec.state_dict().items()}
    inputs = task.preparer(SOURCES)(euclid(2))
    optimiser = torch.optim.SGD(task.module.parameters(), lr=0.01)
    for _ in range(2):  # the first update moves the last layers alone, which begin at 0
        optimiser.zero_grad()
        task.train(True)
        task.loss(inputs)[0].mean().backward()
        optimiser.step()
    for name, parameter in task.module.named_parameters():
        assert parameter.grad is not None
        assert parameter.grad.abs().max() > 0, name
    assert not [
        n for n, p in task.codec.named_parameters() if p.requires_grad or p.grad is not None
    ]
    after = task.codec.state_dict()
    assert all(torch.equal(after[name], before[name]) for name in before)


def test_a_new_adapter_is_drawn_from_the_seed_of_the_training(write_card, random_model):
    torch.manual_seed(1)
    state = torch.get_rng_state()
    drawn = []
    for seed in (5, 5, 6):
        model = AionModel(AionConfig(), seed=seed)
        model.load(write_card(random_card(AionConfig(), 0)))
        drawn.append(model.task(AionTraining(**SMALL), SOURCES).weights()["to_hsc.inc.0.weight"])
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.equal(drawn[0], drawn[1])
    assert not torch.equal(drawn[0], drawn[2])


def test_an_imported_folder_holds_the_decoder_in_a_file_of_its_own(imported, golden_model):
    stored = load_file(golden_model / "codecs/image/model.safetensors")
    kept = load_file(imported / "codecs/image/decoder.safetensors")
    assert set(kept) == {n for n in stored if n.startswith(IMAGE_DECODER_SIDE)}
    assert all(torch.equal(kept[name], stored[name]) for name in kept)
    model = AionModel(AionConfig())
    model.load(imported)
    task = model.task(AionTraining(**SMALL), SOURCES)
    whole = task.codec.state_dict()
    assert set(whole) == set(stored)
    assert all(torch.equal(whole[name], stored[name]) for name in stored)
    # what was there is copied, not written anew
    files = task.files()
    assert {name for name, held in files.items() if held is not None} == {"adapter.safetensors"}
    assert len(files) == 5


def test_a_folder_without_a_decoder_embeds_but_cannot_train(published, tmp_path):
    path = published / "codecs/image/model.safetensors"
    state = load_file(path)
    save_file({n: t for n, t in state.items() if not n.startswith(IMAGE_DECODER_SIDE)}, path)
    import_folder(published, tmp_path / "w", AionConfig())
    model = AionModel(AionConfig())
    model.load(tmp_path / "w")
    with pytest.raises(WeightsError, match=r"have no codecs/image/decoder\.safetensors") as raised:
        model.task(AionTraining(), SOURCES)
    assert "\n" not in str(raised.value)


def test_a_decoder_that_does_not_fit_is_refused(published, tmp_path):
    path = published / "codecs/image/model.safetensors"
    state = load_file(path)
    del state["subsample_out.bias"]
    save_file(state, path)
    with pytest.raises(WeightsError, match=r"missing: subsample_out\.bias"):
        import_folder(published, tmp_path / "w", AionConfig())


@pytest.mark.parametrize("option", ["hidden", "field_px"])
def test_options_that_change_a_trained_adapter_are_refused(random_model, write_card, option):
    task = random_model().task(AionTraining(**SMALL), SOURCES)
    card = random_card(AionConfig(), 0).model_dump() | dict(task.card_changes())
    model = AionModel(AionConfig())
    model.load(write_card(Card.model_validate(card)))
    with pytest.raises(ConfigError, match=rf"train\.{option} = 160: the adapter of these weights"):
        model.task(AionTraining(**{option: 160}), SOURCES)
