"""A folder in upstream's layout becomes a weights folder, or is refused in one line."""

import json
import shutil

import pytest
import torch
from safetensors.torch import load_file, save_file

from fmb import WeightsError
from fmb.weights import read_card
from fmb_aion.config import AionConfig
from fmb_aion.importing import import_folder
from fmb_aion.model import AionModel
from fmb_aion.presets import DECODER_FILE, FILES


def load(folder):
    model = AionModel(AionConfig())
    model.load(folder)
    return model


def refused(path, folder, told):
    with pytest.raises(WeightsError, match=told) as raised:
        import_folder(path, folder, AionConfig())
    assert "\n" not in str(raised.value)
    assert not (folder / "card.json").exists()
    return str(raised.value)


def change_json(path, **values):
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


def change_tensors(path, edit):
    state = load_file(path)
    edit(state)
    save_file(state, path)


@pytest.mark.parametrize("file", FILES.values())
def test_every_tensor_that_embeds_is_copied_unchanged(imported, golden_model, file):
    stored, kept = load_file(golden_model / file), load_file(imported / file)
    assert kept
    for name, tensor in kept.items():
        # upstream's file holds this shared tensor under the decoder's name only
        source = name if name in stored else name.replace("encoder_", "decoder_", 1)
        assert tensor.dtype == stored[source].dtype
        assert torch.equal(tensor, stored[source]), name


def test_a_sharded_model_is_imported_as_the_whole_is(imported, published, tmp_path):
    whole = published / "model.safetensors"
    stored, places = load_file(whole), {}
    whole.unlink()
    for number, name in enumerate(stored):
        places[name] = f"model-{number % 3}.safetensors"
    for shard in set(places.values()):
        held = {name: stored[name] for name in stored if places[name] == shard}
        save_file(held, published / shard)
    index = published / "model.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": places}))
    import_folder(published, tmp_path / "w", AionConfig())
    made, kept = (load_file(folder / "model.safetensors") for folder in (tmp_path / "w", imported))
    assert made.keys() == kept.keys()
    assert all(torch.equal(made[name], kept[name]) for name in kept)


def test_no_tensor_of_a_decoder_is_kept_beside_those_that_embed(imported):
    names = [name for file in FILES.values() for name in load_file(imported / file)]
    assert not [n for n in names if "decoder" in n and not n.startswith("decoder_proj_context.")]
    assert not [n for n in names if "post_quant" in n or "conv_out" in n or "subsample_out" in n]


def test_the_card_says_how_the_networks_are_built_and_fed(imported):
    card = read_card(imported)
    assert card.model == "aion"
    assert card.files == (*FILES.values(), DECODER_FILE)
    assert card.licence == "MIT"
    assert card.architecture["encoder"]["dim"] == 32
    assert card.architecture["image_codec"]["quantizer_levels"] == [7, 5, 5, 5, 5]
    assert card.architecture["spectrum_codec"]["encoder_dims"] == [8, 16, 32, 48]
    assert [s["domain"] for s in card.preprocessing["images"]] == ["tok_image_hsc", "tok_image"]
    assert {a.slot for a in card.accepts} == {"image", "spectrum"}


def test_tokens_of_domains_that_are_not_used_stay_behind(published, tmp_path):
    config = json.loads((published / "config.json").read_text())
    change_json(published / "config.json", domains_in=[*config["domains_in"], "tok_z"])

    def edit(state):
        state["encoder_embeddings.tok_z.token_emb.weight"] = torch.zeros(1025, 32)

    change_tensors(published / "model.safetensors", edit)
    import_folder(published, tmp_path / "w", AionConfig())
    assert not [n for n in load_file(tmp_path / "w" / "model.safetensors") if "tok_z" in n]


def test_misfitting_tensors_are_listed_in_one_line(published, tmp_path):
    def edit(state):
        del state["encoder.0.attn.qkv.weight"]
        state["extra"] = torch.zeros(2)
        state["encoder_embeddings.tok_image.token_emb.weight"] = torch.zeros(5000, 32)

    change_tensors(published / "model.safetensors", edit)
    told = refused(published, tmp_path / "w", "do not fit the network")
    assert "missing: encoder.0.attn.qkv.weight" in told
    assert "unexpected: extra" in told
    # a vocabulary of another size
    assert "tok_image.token_emb.weight (5000, 32), expected (4375, 32)" in told


def test_tensors_of_another_size_list_a_few_and_count_the_rest(published, tmp_path):
    change_json(published / "config.json", dim=64)
    refused(published, tmp_path / "w", r"other size: .* and \d+ more$")


@pytest.mark.parametrize(
    ("codec", "values", "told"),
    [
        ("image", {"quantizer_levels": [8, 5, 5, 5, 5]}, "vocabulary of 5000 codes, AION has 4375"),
        ("image", {"quantizer_levels": [7, 5, 5, 5]}, "4 levels for 5 numbers"),
        ("spectrum", {"codebook_size": 2048}, "vocabulary of 2048 codes, AION has 1024"),
        ("spectrum", {"num_pixels": 4352}, "makes 137 tokens, AION takes 273"),
        ("spectrum", {"encoder_dims": [8, 16, 32, 64]}, "encoder_dims ending in latent_channels"),
    ],
)
def test_a_codec_that_does_not_speak_the_models_language_is_refused(
    published, tmp_path, codec, values, told
):
    path = published / "codecs" / codec / "config.json"
    change_json(path, **values)
    assert str(path) in refused(published, tmp_path / "w", told)


@pytest.mark.parametrize("file", FILES.values())
def test_a_truncated_file_is_said_in_one_line(published, tmp_path, file):
    path = published / file
    path.write_bytes(path.read_bytes()[:5000])
    refused(published, tmp_path / "w", f"{file}: not a whole safetensors file")


@pytest.mark.parametrize("codec", ["image", "spectrum"])
def test_a_missing_codec_folder_says_where_codecs_come_from(published, tmp_path, codec):
    (published / "codecs" / codec).rename(published / "elsewhere")
    refused(
        published,
        tmp_path / "w",
        f"folder codecs/{codec} is missing; the codecs are published with aion-base",
    )


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"domains_in": None}, "not an AION: it names no domains_in"),
        ({"domains_in": ["tok_image"]}, "made without tok_image_hsc, tok_spectrum_desi"),
        ({"num_register_tokens": 4}, "register tokens are not supported"),
        ({"model_type": "vit"}, "unknown entry 'model_type'"),
        ({"encoder_depth": 10**7}, "encoder_depth = 10000000: input should be less than or equal"),
        ({"dim": 2**20}, "dim = 1048576: input should be less than or equal to 65536"),
        ({"note": "\x1b[2J"}, "a text holds control characters"),
        ({"num_heads": 5}, "not a multiple of 4 and 5 heads"),
        ({"act_layer": "Module"}, "act_layer = 'Module'"),
    ],
)
def test_a_checkpoint_of_another_model_is_refused(published, tmp_path, values, told):
    change_json(published / "config.json", **values)
    refused(published, tmp_path / "w", told)


def test_what_is_no_configuration_is_refused(published, tmp_path):
    place = published / "config.json"
    place.write_text("{")
    refused(published, tmp_path / "w", "config.json: not JSON")
    place.write_text("[]")
    refused(published, tmp_path / "w", "config.json: not a table")
    place.unlink()
    refused(published, tmp_path / "w", "config.json: cannot be read")


def test_a_single_file_is_refused_with_what_is_wanted(published, tmp_path):
    refused(published / "model.safetensors", tmp_path / "w", "imported from a folder with")


def test_entries_of_a_codec_that_upstream_ignores_are_ignored(published, tmp_path):
    change_json(published / "codecs" / "image" / "config.json", note="trained in 2024")
    import_folder(published, tmp_path / "w", AionConfig())
    assert load(tmp_path / "w")


def test_half_precision_becomes_float32(published, tmp_path):
    def edit(state):
        state.update({name: t.half() for name, t in state.items() if t.is_floating_point()})

    change_tensors(published / "model.safetensors", edit)
    # save_file drops the note on shared tensors; the name alone must do
    import_folder(published, tmp_path / "w", AionConfig())
    kinds = {t.dtype for t in load_file(tmp_path / "w" / "model.safetensors").values()}
    assert kinds == {torch.float32}
    assert load(tmp_path / "w")


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('"model":"aion"', '"model":"astropt"', "are for model 'astropt'"),
        ('"embedding_dim":5', '"embedding_dim":4', "5 levels for 4 numbers"),
        ('"size_px":96', '"size_pixels":96', "unknown key preprocessing.size_pixels"),
        ('"codecs/image/model.', '"codecs/image/b.', "aion loads codecs/image/model.safetensors"),
    ],
)
def test_a_card_that_is_wrong_is_refused(imported, tmp_path, old, new, told):
    text = json.dumps(json.loads((imported / "card.json").read_text()), separators=(",", ":"))
    assert old in text
    shutil.copytree(imported, tmp_path, dirs_exist_ok=True)
    (tmp_path / "card.json").write_text(text.replace(old, new))
    with pytest.raises(WeightsError, match=told) as raised:
        load(tmp_path)
    assert str(tmp_path / "card.json") in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_weights_folder_is_loaded_strictly(imported, tmp_path):
    (tmp_path / "card.json").write_bytes((imported / "card.json").read_bytes())
    with pytest.raises(WeightsError, match=r"model\.safetensors: cannot be read"):
        load(tmp_path)
    state = load_file(imported / "model.safetensors")
    save_file(state | {"decoder_norm.weight": torch.ones(32)}, tmp_path / "model.safetensors")
    with pytest.raises(WeightsError, match=r"unexpected: decoder_norm\.weight"):
        load(tmp_path)
