"""Upstream's tensors become a weights folder; those of other models are named."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from fmb import Inputs, WeightsError
from fmb.weights import read_card
from fmb_astroclip.checkpoints import convert, import_checkpoint
from fmb_astroclip.config import AstroCLIPConfig
from fmb_astroclip.model import AstroCLIPModel
from fmb_astroclip.network import build_empty
from fmb_astroclip.presets import FULL, PUBLISHED
from fmb_astroclip.recipes import unpack_card
from fmb_astroclip.sizes import sizes_of

TENSORS = Path(__file__).parent / "golden" / "astroclip.safetensors"
HEADS = AstroCLIPConfig(image_heads=4, spectrum_heads=4, cross_heads=4)


@pytest.fixture
def changed(tmp_path):
    """Writes the reference tensors after a change."""

    def write(edit):
        state = load_file(TENSORS)
        edit(state)
        path = tmp_path / "changed.safetensors"
        save_file(state, path)
        return path

    return write


def test_a_converted_folder_holds_every_tensor_and_gives_upstreams_vectors(tmp_path, golden):
    convert(TENSORS, tmp_path / "w", HEADS, "astroclip.ckpt")
    made = load_file(tmp_path / "w" / "model.safetensors")
    stored = load_file(TENSORS)
    assert made.keys() == stored.keys()
    assert all(torch.equal(made[name], stored[name]) for name in stored)
    model = AstroCLIPModel(AstroCLIPConfig())  # the card knows the heads now
    model.load(tmp_path / "w")
    inputs = {"image": golden["inputs.images"]}
    tokens = model.encode(Inputs(arrays=inputs, valid={"image": np.ones(5, bool)}), ["image"])
    wanted = golden["outputs.image_embedding"]
    np.testing.assert_allclose(tokens["image"].values[:, 0].numpy(), wanted, atol=3e-5, rtol=1e-5)


@pytest.mark.parametrize("given", ["model.safetensors.index.json", "."])
def test_sharded_tensors_of_a_wrapped_network_make_the_folder_that_the_whole_makes(tmp_path, given):
    stored = load_file(TENSORS)
    names, places = list(stored), {}
    for number, own in enumerate((names[::2], names[1::2])):
        shard = f"model-{number}.safetensors"
        save_file({f"module._orig_mod.{name}": stored[name] for name in own}, tmp_path / shard)
        places |= {f"module._orig_mod.{name}": shard for name in own}
    index = tmp_path / "model.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": places}))
    import_checkpoint(tmp_path / given, tmp_path / "w", HEADS)
    made = load_file(tmp_path / "w" / "model.safetensors")
    assert made.keys() == stored.keys()
    assert all(torch.equal(made[name], stored[name]) for name in stored)


def test_the_card_says_what_the_weights_are(tmp_path):
    convert(TENSORS, tmp_path, HEADS, "astroclip.ckpt")
    card = read_card(tmp_path)
    assert (card.model, card.name, card.licence) == ("astroclip", "astroclip", "MIT")
    assert card.source == "arXiv:2310.03024"
    assert card.random_seed is None
    assert card.architecture["image"] == {
        "width": 48, "depth": 8, "heads": 4, "patch_px": 12, "chunk": 2, "positions": 145
    }  # fmt: skip
    image, spectrum = card.preprocessing["image"], card.preprocessing["spectrum"]
    assert image["bands"] == ["DES-G", "DES-R", "DES-Z"]
    assert (image["scales"], image["planes"]) == ([6.0, 3.4, 2.2], [2, 1, 0])
    assert (image["offset"], image["softening"], image["size_px"]) == (0.03, 20, 144)
    assert image["transposed"] is True
    assert (spectrum["section_px"], spectrum["overlap_px"], spectrum["min_std"]) == (20, 10, 0.2)
    slots = {accepts.slot: accepts for accepts in card.accepts}
    assert slots["image"].min_size_px == 144
    assert slots["spectrum"].max_pixels == 8010


def test_the_published_sizes_need_no_settings():
    state = build_empty(FULL, PUBLISHED).state_dict()
    assert sizes_of(state, AstroCLIPConfig(), "astroclip.ckpt") == FULL


def test_other_sizes_need_the_numbers_of_heads(tmp_path):
    with pytest.raises(WeightsError, match=r"image is 48 wide, the published weights 1024.* set"):
        convert(TENSORS, tmp_path, AstroCLIPConfig(), "small.ckpt")
    wrong = HEADS.model_copy(update={"image_heads": 5})
    with pytest.raises(WeightsError, match="width 48 is not a multiple of 5 heads"):
        convert(TENSORS, tmp_path, wrong, "small.ckpt")
    assert not list(tmp_path.iterdir())


def test_a_learned_temperature_is_left_out(changed, tmp_path):
    path = changed(lambda state: state.update(logit_scale=torch.tensor(2.74)))
    convert(path, tmp_path / "w", HEADS, "astroclip.ckpt")
    assert "logit_scale" not in load_file(tmp_path / "w" / "model.safetensors")


def test_half_precision_becomes_float32(changed, tmp_path):
    path = changed(lambda state: state.update({k: v.half() for k, v in state.items()}))
    convert(path, tmp_path / "w", HEADS, "astroclip.ckpt")
    made = load_file(tmp_path / "w" / "model.safetensors")
    assert {tensor.dtype for tensor in made.values()} == {torch.float32}


def specformer(state):
    prefix = "spectrum_encoder.backbone."
    own = {k.removeprefix(prefix): v for k, v in state.items() if k.startswith(prefix)}
    state.clear()
    state.update(own)


def dino(prefix):
    def edit(state):
        tower = "image_encoder.backbone."
        own = {prefix + k.removeprefix(tower): v for k, v in state.items() if k.startswith(tower)}
        state.clear()
        state.update(own)

    return edit


def nothing_known(state):
    state.clear()
    state.update({"wte.weight": torch.zeros(2), "zzz": torch.zeros(1)})


@pytest.mark.parametrize(
    ("edit", "told"),
    [
        (specformer, "this is SpecFormer, the spectrum tower before"),
        (dino("teacher.backbone."), "this is a DINOv2 network"),
        (dino("module.backbone."), "this is a DINOv2 network"),
        (dino(""), "this is a DINOv2 network"),
        (nothing_known, "not AstroCLIP: no tensor image_encoder.*; its first of 2 is wte.weight"),
        (dict.clear, "not AstroCLIP: no tensor image_encoder.*; it has none"),
        (
            lambda s: s.update({"spectrum_encoder.backbone.data_embed.weight": torch.zeros(36, 9)}),
            "a token of a spectrum has 7 pixels; only 20 are known",
        ),
        (
            lambda s: s.pop("spectrum_encoder.mlp.encoder.bias"),
            "missing: spectrum_encoder.mlp.encoder.bias$",
        ),
    ],
)
def test_tensors_of_another_model_are_named_in_one_line(changed, tmp_path, edit, told):
    path = changed(edit)
    with pytest.raises(WeightsError, match=told) as raised:
        convert(path, tmp_path / "w", HEADS, "some.ckpt")
    assert str(raised.value).startswith("some.ckpt: ")
    assert "\n" not in str(raised.value)
    assert not (tmp_path / "w").exists()


def test_a_truncated_file_is_said_in_one_line(tmp_path):
    path = tmp_path / "cut.safetensors"
    path.write_bytes(TENSORS.read_bytes()[:-5])
    with pytest.raises(WeightsError, match="not a whole safetensors file") as raised:
        import_checkpoint(path, tmp_path / "w", HEADS)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("name", ["astroclip.ckpt", "weights.pt", "weights.pth"])
def test_a_pickle_is_refused_unread_and_the_way_out_is_named(tmp_path, name):
    path = tmp_path / name
    path.write_bytes(b"not even a pickle")
    with pytest.raises(WeightsError, match=r"`fmb weights convert .*` and give that folder"):
        import_checkpoint(path, tmp_path / "w", AstroCLIPConfig())


def test_a_folder_as_published_is_answered_with_its_checkpoint(tmp_path):
    with pytest.raises(WeightsError, match=r"holds neither card\.json nor astroclip\.ckpt"):
        import_checkpoint(tmp_path, tmp_path / "w", AstroCLIPConfig())
    (tmp_path / "astroclip.ckpt").write_bytes(b"")
    with pytest.raises(WeightsError, match=r"fmb weights convert .*/astroclip\.ckpt FOLDER"):
        import_checkpoint(tmp_path, tmp_path / "w", AstroCLIPConfig())


def test_a_bare_safetensors_file_is_imported(tmp_path):
    import_checkpoint(TENSORS, tmp_path / "w", HEADS)
    card = read_card(tmp_path / "w")
    assert card.name == "astroclip"
    assert unpack_card(card, "card")[0].cross_heads == 4


def test_the_card_is_written_last(tmp_path, monkeypatch):
    order, honest = [], Path.replace

    def replace(path, target):
        order.append(target.name)
        return honest(path, target)

    monkeypatch.setattr(Path, "replace", replace)
    convert(TENSORS, tmp_path, HEADS, "astroclip.ckpt")
    assert order == ["model.safetensors", "card.json"]
