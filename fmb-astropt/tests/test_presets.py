import numpy as np
import pytest
from pydantic import ValidationError

from fmb import Batch
from fmb.plugins.registry import Component
from fmb_astropt import plugin
from fmb_astropt.config import AstroPTConfig
from fmb_astropt.presets import random_card
from fmb_astropt.recipes import Architecture, unpack_card

PRESETS = ["tiny", "tiny-one-band", "small", "one-band", "full"]


@pytest.mark.parametrize("preset", PRESETS)
def test_a_presets_card_agrees_with_itself(preset):
    card = random_card(AstroPTConfig(preset=preset), 3)
    architecture, recipe = unpack_card(card, "card")
    assert card.random_seed == 3
    assert card.name == f"random-{preset}"
    assert {a.slot for a in card.accepts} == {"image", "spectrum"}
    assert recipe.image.n_tokens + recipe.spectrum.n_tokens <= architecture.block_size


def test_full_has_the_originals_sizes():
    architecture, recipe = unpack_card(random_card(AstroPTConfig(preset="full"), 0), "card")
    assert (architecture.n_layer, architecture.n_embd, architecture.n_head) == (12, 768, 12)
    assert (recipe.image.n_tokens, recipe.spectrum.n_tokens) == (196, 779)


def test_every_grid_covers_desi():
    for preset in PRESETS:
        _, recipe = unpack_card(random_card(AstroPTConfig(preset=preset), 0), "card")
        low, high = recipe.spectrum.range_aa
        assert low == pytest.approx(3600, abs=0.5)
        assert high == pytest.approx(9824, abs=0.5)


@pytest.mark.parametrize("preset", PRESETS)
def test_bands_may_be_chosen(preset):
    card = random_card(AstroPTConfig(preset=preset, bands=("F606W", "F814W")), 0)
    image = next(a for a in card.accepts if a.slot == "image")
    assert image.bands == ("F606W", "F814W")
    assert unpack_card(card, "card")


@pytest.mark.parametrize(("side", "tokens"), [(79, 36), (201, 256), (12, 1), (500, 256)])
def test_one_band_takes_images_of_any_size_from_one_patch_on(random_model, images_of, side, tokens):
    model = random_model(preset="one-band")
    flux = np.random.default_rng(0).normal(size=(1, 1, side, side))
    batch = Batch(
        ids=np.array([1]),
        inputs={"vis": images_of(flux, ("VIS",))},
        rows={"vis": np.array([0])},
    )
    inputs = model.preparer({"image": "vis"})(batch)
    assert model.encode(inputs, ["image"])["image"].values.shape == (1, tokens, 128)


@pytest.mark.parametrize(
    "values",
    [{"preset": "large"}, {"min_coverage": 0}, {"min_coverage": 1.1}, {"image_size_px": -1}],
)
def test_options_out_of_range_are_refused(values):
    with pytest.raises(ValidationError):
        AstroPTConfig(**values)


def test_everything_the_plugin_names_is_there():
    specs = [*plugin.fmb_register_models(), *plugin.fmb_register_embedders()]
    assert [spec.name for spec in specs] == ["astropt", "exp-decay"]
    model = specs[0]
    for spec in specs:
        component = Component(spec, "astropt", "fmb-astropt", "0")
        assert component.load()
        assert component.load_config()
    component = Component(model, "astropt", "fmb-astropt", "0")
    assert component.resolve(model.importer)
    assert component.resolve(model.weights[-1].card)(AstroPTConfig(), 1).model == model.name
    assert set(model.embedders) == {"mean", "last", "exp-decay", "tails"}


def test_a_network_needs_a_modality():
    with pytest.raises(ValidationError):
        Architecture(n_layer=1, n_head=1, n_embd=4, block_size=8)
