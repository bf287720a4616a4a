import os
import pathlib
import pickle

import numpy as np
import pytest
import torch
from astropt.model import ModalityConfig, ModalityRegistry
from safetensors.torch import load_file

from fmb import ConfigError, FailedError, WeightsError
from fmb.weights import read_card
from fmb_astropt.checkpoints import import_checkpoint
from fmb_astropt.config import AstroPTConfig
from fmb_astropt.model import AstroPTModel
from fmb_astropt.recipes import unpack_card


@pytest.fixture
def original(golden):
    """The content of a checkpoint of the original benchmark, to be changed by a test."""
    return torch.load(golden / "fmb_L5.ckpt.pt", weights_only=True)


@pytest.fixture
def upstream(golden):
    with torch.serialization.safe_globals([ModalityRegistry, ModalityConfig]):
        return torch.load(golden / "upstream_L4.ckpt.pt", weights_only=True)


@pytest.fixture
def convert(tmp_path):
    """Saves a checkpoint, imports it and returns the folder."""

    def run(content, **options):
        path = tmp_path / "ckpt.pt"
        torch.save(content, path)
        import_checkpoint(path, tmp_path / "weights", AstroPTConfig(**options))
        return tmp_path / "weights"

    return run


def recipe_in(folder):
    return unpack_card(read_card(folder), "card")[1]


def test_the_originals_tokens_are_read_from_its_settings(original, convert):
    folder = convert(original)
    recipe = recipe_in(folder)
    assert recipe.image.model_dump() == {
        "bands": ("R", "G", "B"),
        "size_px": 64,
        "min_size_px": 64,
        "patch_px": 16,
        "patch_order": "raster",
        "patch_layout": "c p1 p2",
        "transposed": False,
        "scaling": "uint8",
        "max_masked": 0.5,
    }
    assert recipe.spectrum.model_dump() == {
        "start_aa": 3600.0,
        "step_aa": 0.8,
        "n_pixels": 300,
        "patch_px": 10,
        "normalisation": "std",
        "positions": "index",
    }
    accepted = {a.slot: a for a in read_card(folder).accepts}
    assert accepted["image"].units == ("display",)
    assert accepted["image"].min_size_px == 64
    assert accepted["spectrum"].wavelength_aa == pytest.approx((3599.6, 3839.6))


def test_upstreams_tokens_are_its_training_loaders(upstream, convert):
    recipe = recipe_in(convert(upstream, image_size_px=64))
    assert recipe.image.patch_order == "spiral"
    assert recipe.image.patch_layout == "p1 p2 c"
    assert recipe.image.scaling == "patch-standard"
    assert recipe.image.transposed
    assert recipe.spectrum.normalisation == "none"


def test_the_user_may_say_whose_tokens_they_are(upstream, convert):
    assert recipe_in(convert(upstream, tokenisation="fmb")).image.scaling == "uint8"


def test_settings_of_upstreams_trainer_are_honoured(upstream, convert):
    upstream["config"] |= {"image_size": 128, "spiral": False}
    recipe = recipe_in(convert(upstream))
    assert recipe.image.size_px == 128
    assert recipe.image.patch_order == "raster"


def test_images_are_no_larger_than_the_sequence_allows(upstream, convert):
    # 1024 places less 779 of the spectrum leave 15 x 15 patches of 16 px; the default is 14 x 14
    assert recipe_in(convert(upstream)).image.size_px == 224
    upstream["config"]["image_size"] = 512
    assert recipe_in(convert(upstream)).image.size_px == 240


def test_an_image_only_checkpoint_gives_the_image_view_only(upstream, convert):
    upstream["modality_registry"].modalities.pop("spectra")
    upstream["model"] = {k: v for k, v in upstream["model"].items() if ".spectra." not in k}
    folder = convert(upstream)
    assert [a.slot for a in read_card(folder).accepts] == ["image"]
    model = AstroPTModel(AstroPTConfig())
    model.load(folder)
    with pytest.raises(ConfigError, match="these weights give image"):
        model.encode(None, ["spectrum"])


@pytest.mark.parametrize("new_names", [False, True])
def test_compiled_and_renamed_tensors_are_found(original, convert, new_names):
    renamed = {
        "transformer.wte.": "encoders.",
        "transformer.wpe.": "embedders.",
        "lm_head.": "decoders.",
    }
    expected = dict(original["model"])
    state = {}
    for name, tensor in expected.items():
        for old, new in renamed.items():
            if new_names and name.startswith(old):
                name = new + name.removeprefix(old)
        state[f"_orig_mod.{name}"] = tensor
    original["model"] = state
    imported = load_file(convert(original) / "model.safetensors")
    assert imported.keys() == expected.keys()
    for name, tensor in expected.items():
        np.testing.assert_array_equal(imported[name], tensor)


@pytest.mark.parametrize("key", ["state_dict", "model_state_dict"])
@pytest.mark.parametrize("new", [True, False], ids=["zip", "before torch 1.6"])
def test_a_wrapped_network_under_another_key_is_found_in_both_formats(original, tmp_path, key, new):
    expected = original.pop("model")
    original[key] = {f"_orig_mod.module.{name}": tensor for name, tensor in expected.items()}
    path = tmp_path / "my ckpt (1).pt"
    torch.save(original, path, _use_new_zipfile_serialization=new)
    import_checkpoint(path, tmp_path / "weights", AstroPTConfig())
    imported = load_file(tmp_path / "weights" / "model.safetensors")
    assert imported.keys() == expected.keys()
    for name, tensor in expected.items():
        np.testing.assert_array_equal(imported[name], tensor)
    assert read_card(tmp_path / "weights").name == "my-ckpt-1"


@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16])
def test_half_precision_becomes_float32(original, convert, kind):
    halves = {name: tensor.to(kind) for name, tensor in original["model"].items()}
    original["model"] = halves
    imported = load_file(convert(original) / "model.safetensors")
    assert {tensor.dtype for tensor in imported.values()} == {torch.float32}
    for name, tensor in halves.items():
        np.testing.assert_array_equal(imported[name], tensor.float())


@pytest.mark.parametrize("name", ["model.safetensors", "model.safetensors.index.json", "."])
def test_bare_tensors_are_refused_with_what_is_wanted(tmp_path, name):
    with pytest.raises(WeightsError, match=r"imported from a \.pt file, which says the sizes"):
        import_checkpoint(tmp_path / name, tmp_path / "weights", AstroPTConfig())


def test_a_checkpoint_with_its_sizes_among_the_settings_only(original, convert):
    del original["model_args"]
    original["config"]["out_dir"] = pathlib.PosixPath("/nowhere/weights")  # as its trainer stores
    assert recipe_in(convert(original)).image.size_px == 64


class Payload:
    """What an attacker pickles: unpickling it calls `os.mkdir`."""

    def __init__(self, target):
        self.target = target

    def __reduce__(self):
        return os.mkdir, (str(self.target),)


@pytest.mark.parametrize("place", ["top", "model", "config"])
def test_code_in_a_checkpoint_does_not_run(original, tmp_path, convert, place, monkeypatch):
    monkeypatch.setenv("TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD", "1")  # switches torch's default off
    target = tmp_path / "ran"
    if place == "top":
        original = Payload(target)
    else:
        original[place]["payload"] = Payload(target)
    with pytest.raises(WeightsError, match=r"not loaded: it asks for (posix|nt)\.mkdir") as raised:
        convert(original)
    assert not target.exists()
    assert "\n" not in str(raised.value)
    assert not (tmp_path / "weights").exists()


def test_a_bare_pickle_with_code_does_not_run(tmp_path):
    target, path = tmp_path / "ran", tmp_path / "ckpt.pt"
    path.write_bytes(pickle.dumps(Payload(target), protocol=2))
    with pytest.raises(WeightsError, match="not a torch checkpoint"):
        import_checkpoint(path, tmp_path / "weights", AstroPTConfig())
    assert not target.exists()


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "not a torch checkpoint: this is an empty file"),
        (b"PK\x03\x04 not a zip", "cut short"),
        (b"hello, I am a text file", "not a torch checkpoint"),
    ],
)
def test_a_file_that_is_no_checkpoint_is_said_in_one_line(tmp_path, content, told):
    path = tmp_path / "ckpt.pt"
    path.write_bytes(content)
    with pytest.raises(WeightsError, match=told) as raised:
        import_checkpoint(path, tmp_path / "weights", AstroPTConfig())
    assert "\n" not in str(raised.value)


def test_a_truncated_checkpoint_is_said_in_one_line(golden, tmp_path):
    path = tmp_path / "ckpt.pt"
    path.write_bytes((golden / "fmb_L5.ckpt.pt").read_bytes()[:100_000])
    with pytest.raises(WeightsError, match="cut short"):
        import_checkpoint(path, tmp_path / "weights", AstroPTConfig())


def test_a_missing_file_is_said_in_one_line(tmp_path):
    with pytest.raises(WeightsError, match=r"none\.pt: cannot be read: No such file"):
        import_checkpoint(tmp_path / "none.pt", tmp_path / "weights", AstroPTConfig())


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ([1, 2], "it has no 'model' with tensors"),
        ({"state_dict": 3}, "it has no 'model' with tensors"),
        ({"model": {"a": torch.zeros(1)}}, "does not say how many layers"),
        ({"model": {}, "model_args": {"n_layer": 2, "n_head": 2, "n_embd": 6}}, "block_size"),
    ],
)
def test_another_models_checkpoint_is_refused(convert, content, told):
    with pytest.raises(WeightsError, match=told):
        convert(content)


def test_weights_of_another_size_are_listed(original, convert, tmp_path):
    original["model_args"]["n_layer"] = 6
    with pytest.raises(WeightsError, match=r"missing: transformer\.h\.5\.ln_1\.weight, .* 2 more"):
        convert(original)
    assert not (tmp_path / "weights").exists()


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"objective": "mae"}, "objective = 'mae'; only 'ar' is supported"),
        ({"attn_type": "prefix"}, "attn_type = 'prefix'; only 'causal' is supported"),
        ({"backbone": "llm"}, "backbone = 'llm'; only 'native' is supported"),
        ({"n_registers": 4}, "unknown argument 'n_registers'"),
        ({"n_head": 3}, "width 20 is not a multiple of 3 heads"),
    ],
)
def test_networks_that_cannot_be_rebuilt_are_refused(upstream, convert, changes, told):
    upstream["model_args"] |= changes
    with pytest.raises(WeightsError, match=told):
        convert(upstream)


def test_a_modality_nobody_knows_is_refused(upstream, convert):
    registry = upstream["modality_registry"].modalities
    registry["photometry"] = ModalityConfig("photometry", 4, 1, 4, True)
    with pytest.raises(WeightsError, match=r"modality\.name = 'photometry'"):
        convert(upstream)


def test_bands_must_be_named_when_the_channels_are_not_three(original, convert):
    original["config"]["n_chan"] = 4
    with pytest.raises(ConfigError, match="has 4 image channels and does not name them"):
        convert(original)
    with pytest.raises(ConfigError, match=r"2 given, the checkpoint .* has 4 channels"):
        convert(original, bands=("VIS", "NISP-Y"))


def test_given_bands_go_into_the_card(original, convert):
    folder = convert(original, bands=("NISP-H", "NISP-Y", "VIS"))
    assert read_card(folder).accepts[0].bands == ("NISP-H", "NISP-Y", "VIS")


def test_a_folder_that_cannot_be_written_is_said(golden, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(FailedError, match="cannot make"):
        import_checkpoint(golden / "fmb_L5.ckpt.pt", tmp_path / "file" / "w", AstroPTConfig())
