"""Sizes of the network, what it can be fed, and that vectors do not depend on their company."""

import numpy as np
import pytest
import torch

from fmb_astroclip.network import build_empty
from fmb_astroclip.presets import FULL, PUBLISHED, SMALL
from fmb_astroclip.specformer import cut_sections


def test_the_full_size_is_that_of_the_published_weights():
    """370.80 M numbers in 446 tensors: counted on a rebuilt upstream model."""
    state = build_empty(FULL, PUBLISHED).state_dict()
    numbers = [tensor.numel() for tensor in state.values()]
    assert len(numbers) == 446
    assert sum(numbers) == pytest.approx(370.80e6, abs=0.005e6)
    of_images = sum(t.numel() for name, t in state.items() if name.startswith("image"))
    assert of_images == pytest.approx(315.55e6, abs=0.005e6)
    towers = {
        "image_encoder.backbone.": 302.95e6,
        "spectrum_encoder.backbone.": 43.18e6,
    }
    for prefix, wanted in towers.items():
        count = sum(t.numel() for name, t in state.items() if name.startswith(prefix))
        assert count == pytest.approx(wanted, abs=0.01e6)


def test_blocks_are_numbered_through_the_whole_tower():
    names = build_empty(FULL, PUBLISHED).state_dict()
    found = {name.split("blocks.")[1].split(".norm1")[0] for name in names if ".norm1.bias" in name}
    assert found == {f"{i // 6}.{i}" for i in range(24)}


def test_the_order_of_patches_does_not_change_an_image_vector(reference):
    """There is no position embedding, so the tokens do not know where they are."""
    picture = torch.rand(1, 3, 48, 48, generator=torch.Generator().manual_seed(0))
    moved = torch.roll(picture, (12, 24), (2, 3))
    with torch.inference_mode():
        first, second = reference.image_encoder(picture), reference.image_encoder(moved)
    torch.testing.assert_close(first, second, atol=1e-5, rtol=0)  # float32 sums in another order


@pytest.mark.parametrize("shape", [(12, 12), (60, 60), (120, 144), (204, 36)])
def test_an_image_may_be_any_multiple_of_the_patch(reference, shape):
    with torch.inference_mode():
        tokens = reference.image_encoder.backbone(torch.rand(2, 3, *shape))
    assert tokens.shape == (2, shape[0] * shape[1] // 144, 48)


@pytest.mark.parametrize("length", [21, 22, 30, 31, 1024, 4700, 7781, 8009, 8010])
def test_a_spectrum_of_any_length_becomes_sections_of_20_px_10_px_apart(length):
    flux = torch.randn(1, length, dtype=torch.float64)
    tokens = cut_sections(flux, PUBLISHED.spectrum)
    assert tokens.shape == (1, -(-(length - 10) // 10), 22)
    assert tokens.shape[1] <= SMALL.spectrum.max_tokens
    mean, std = flux.numpy().mean(), flux.numpy().std(ddof=1)
    np.testing.assert_allclose(tokens[0, 0, :2], [(mean - 2) / 2, (std - 2) / 8], rtol=1e-12)
    assert not tokens[0, 0, 2:].any()
    assert not tokens[0, 1:, :2].any()
    for i in (1, tokens.shape[1] - 1):
        pixels = flux[0, 10 * (i - 1) : 10 * (i - 1) + 20]
        np.testing.assert_allclose(tokens[0, i, 2:], (pixels - mean) / std, rtol=1e-9, atol=1e-12)


def test_a_nearly_constant_spectrum_is_divided_by_the_floor():
    flux = torch.full((1, 100), 3.0, dtype=torch.float64)
    flux[0, ::2] += 0.02
    tokens = cut_sections(flux, PUBLISHED.spectrum)
    assert tokens[0, 0, 1].item() == pytest.approx((0.2 - 2) / 8)
    assert tokens[0, 1, 2:].abs().max().item() == pytest.approx(0.01 / 0.2)
