"""Sizes of the presets against arithmetic, and weights from a seed."""

import numpy as np
import pytest
import torch

from fmb_aion.config import AionConfig
from fmb_aion.parts import Parts
from fmb_aion.plugin import fmb_register_models
from fmb_aion.presets import random_card, sizes_of
from fmb_aion.recipes import unpack_card

DEPTHS = {"base": (768, 12, 12), "large": (1024, 24, 16), "xlarge": (2048, 24, 32)}


def count(module):
    return sum(p.numel() for p in module.parameters())


def encoder_parameters(d, depth, heads):
    """Attention, gated network of width int(8 d / 3), norms, embeddings, final projection."""
    hidden = int(2 * 4 * d / 3)
    block = 3 * d * d + d * d + 3 * d * hidden + 2 * d + 2 * d // heads
    embeddings = 2 * (4375 + 1) * d + 2 * (1024 + 1) * d
    return depth * block + d + embeddings + d * d + d


@pytest.mark.parametrize("preset", DEPTHS)
def test_published_sizes_have_the_parameters_of_the_formula(preset):
    sizes = sizes_of(preset)
    parts = Parts.empty(sizes)
    assert {p.device.type for p in parts.encoder.parameters()} == {"meta"}
    expected = encoder_parameters(*DEPTHS[preset])
    assert count(parts.encoder) == expected
    (spec,) = fmb_register_models()
    (declared,) = [w for w in spec.weights if w.name == preset]
    assert declared.parameters == expected
    assert declared.location == f"hf:polymathic-ai/aion-{preset}"


def test_base_without_the_other_36_domains_is_30_million_smaller_than_upstreams_encoder():
    # 124 M with all 40 domains, upstream measured on meta tensors
    assert count(Parts.empty(sizes_of("base")).encoder) == pytest.approx(124e6 - 30e6, abs=1e6)


def test_full_size_codecs_are_the_encoder_halves_of_upstreams():
    # whole codecs: 70.1 M and 24.5 M
    parts = Parts.empty(sizes_of("base"))
    assert count(parts.image_codec) == pytest.approx(40.8e6, rel=0.01)
    assert count(parts.spectrum_codec) == pytest.approx(18.7e6, rel=0.01)


def test_the_small_preset_is_small():
    parts = Parts.empty(sizes_of("small"))
    total = sum(count(p) for p in (parts.encoder, parts.image_codec, parts.spectrum_codec))
    assert total < 1.5e6


@pytest.mark.parametrize("preset", ["small", *DEPTHS])
def test_a_random_card_is_one_that_can_be_read(preset):
    card = random_card(AionConfig(preset=preset), 5)
    assert card.random_seed == 5
    sizes, recipe = unpack_card(card, "card")
    assert sizes == sizes_of(preset)
    assert [survey.domain for survey in recipe.images] == ["tok_image_hsc", "tok_image"]


def test_drawn_weights_come_from_the_seed_alone():
    sizes = sizes_of("small")
    torch.manual_seed(1)
    before = torch.get_rng_state()
    first = Parts.drawn(sizes, 7)
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(2)
    again, other = Parts.drawn(sizes, 7), Parts.drawn(sizes, 8)
    for part in ("encoder", "image_codec", "spectrum_codec"):
        states = [getattr(parts, part).state_dict() for parts in (first, again, other)]
        assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])
        assert any(not torch.equal(states[0][name], states[2][name]) for name in states[0])


def test_drawn_weights_are_upstreams_initialisation():
    state = Parts.drawn(sizes_of("small"), 0).encoder.state_dict()
    # MAE's scheme: embeddings normal with sigma 0.02, matrices Xavier, query, key, value apart
    assert state["encoder_embeddings.tok_image.token_emb.weight"].std() == pytest.approx(
        0.02, rel=0.02
    )
    bound = np.sqrt(6 / (64 + 64))
    qkv = state["encoder.0.attn.qkv.weight"]
    assert qkv.shape == (192, 64)
    assert bound * 0.99 < qkv.abs().max() <= bound
    assert (state["encoder.0.norm1.weight"] == 1).all()
