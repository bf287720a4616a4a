"""The wrapper gives upstream's vectors: stored reference of astropt 2.0.9, two models."""

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from fmb import Batch, Config, Inputs, Tokens
from fmb.torch.embedders import Last, Mean
from fmb.weights import read_card
from fmb_astropt.checkpoints import import_checkpoint
from fmb_astropt.config import AstroPTConfig
from fmb_astropt.embedders import ExpDecay
from fmb_astropt.model import AstroPTModel
from fmb_astropt.network import MODALITY, embed_tokens, run_all_blocks, trainable_network
from fmb_astropt.recipes import unpack_card

FILES = {"L4": "upstream_L4.ckpt.pt", "L5": "fmb_L5.ckpt.pt"}
REDUCTIONS = {"mean": Mean, "last": Last, "exp_decay": ExpDecay}
# Rounding of upstream itself against double precision is 8e-6; the smallest wrong code tried when
# the reference was made (LayerNorm epsilon 1e-6) gives 1.4e-4.
TOLERANCE = {"atol": 3e-5, "rtol": 1e-5}


@pytest.fixture(scope="module")
def folders(golden, tmp_path_factory):
    """The two reference models, imported from their checkpoint files."""
    made = {}
    for name, file in FILES.items():
        made[name] = tmp_path_factory.mktemp(name)
        import_checkpoint(golden / file, made[name], AstroPTConfig(tokenisation="fmb"))
    return made


def load(folder):
    model = AstroPTModel(AstroPTConfig())
    model.load(folder)
    return model


def inputs_of(**arrays):
    n = len(next(iter(arrays.values())))
    return Inputs(arrays=arrays, valid={slot: np.ones(n, dtype=bool) for slot in arrays})


def scopes(model, inputs):
    """Tokens by (scope, modality), as the reference names them."""
    found = model.encode(inputs, ["image", "spectrum", "joint"])
    joint = found["joint"]
    return {
        ("joint", "images"): Tokens(joint.values[:, joint.segment == 0]),
        ("joint", "spectra"): Tokens(joint.values[:, joint.segment == 1]),
        ("images_only", "images"): found["image"],
        ("spectra_only", "spectra"): found["spectrum"],
    }


def assert_like_upstream(got, arrays, key):
    np.testing.assert_allclose(got, arrays[f"outputs.{key}"], **TOLERANCE, err_msg=key)


@pytest.mark.parametrize("name", FILES)
def test_all_scopes_and_reductions_equal_upstream(name, folders, golden_arrays):
    inputs = inputs_of(
        image=golden_arrays["inputs.images"], spectrum=golden_arrays["inputs.spectra"]
    )
    for (scope, modality), tokens in scopes(load(folders[name]), inputs).items():
        key = f"{name}.{scope}.{modality}"
        assert_like_upstream(tokens.values, golden_arrays, f"{key}.none")
        for reduction, embedder in REDUCTIONS.items():
            reduced = embedder(Config()).reduce(tokens)
            assert_like_upstream(reduced, golden_arrays, f"{key}.{reduction}")


@pytest.mark.parametrize("name", FILES)
def test_image_alone_needs_no_spectrum(name, folders, golden_arrays):
    inputs = inputs_of(image=golden_arrays["inputs.images"])
    tokens = load(folders[name]).encode(inputs, ["image"])["image"]
    assert_like_upstream(tokens.values, golden_arrays, f"{name}.images_only.images.none")


@pytest.mark.parametrize("name", FILES)
def test_a_spectrum_filled_up_with_zeros_equals_upstream(name, folders, golden_arrays):
    inputs = inputs_of(
        image=golden_arrays["inputs.images"], spectrum=golden_arrays["inputs.pad297.spectra"]
    )
    found = scopes(load(folders[name]), inputs)
    for scope, modality in (("joint", "images"), ("joint", "spectra"), ("spectra_only", "spectra")):
        reduced = Mean(Config()).reduce(found[scope, modality])
        assert_like_upstream(reduced, golden_arrays, f"{name}.pad297.{scope}.{modality}.mean")


def test_raw_pixels_give_upstreams_vectors_through_the_preparer(
    folders, golden_arrays, images_of, spectra_of
):
    model = load(folders["L5"])
    raw = golden_arrays["inputs.images_uint8"]
    n = len(raw)
    batch = Batch(
        ids=np.arange(n),
        inputs={
            "euclid": images_of(raw, ("R", "G", "B"), unit="display"),
            "desi": spectra_of(golden_arrays["inputs.spectra_flux"], ivar=None),
        },
        rows={"euclid": np.arange(n), "desi": np.arange(n)},
    )
    inputs = model.preparer({"image": "euclid", "spectrum": "desi"})(batch)
    assert inputs.valid["image"].all()
    assert inputs.valid["spectrum"].all()
    np.testing.assert_array_equal(inputs.arrays["image"], golden_arrays["inputs.images"])
    # float32 division by a deviation summed in another order
    np.testing.assert_allclose(
        inputs.arrays["spectrum"], golden_arrays["inputs.spectra"], rtol=1e-5, atol=1e-6
    )
    for (scope, modality), tokens in scopes(model, inputs).items():
        reduced = Mean(Config()).reduce(tokens)
        assert_like_upstream(reduced, golden_arrays, f"L5.{scope}.{modality}.mean")


@pytest.mark.parametrize("name", FILES)
def test_all_blocks_and_the_final_norm_equal_upstream(name, folders, golden_arrays):
    """What a training predicts patches from; the vectors come from the block in the middle."""
    network = trainable_network(
        unpack_card(read_card(folders[name]), name)[0],
        load_file(folders[name] / "model.safetensors"),
        name,
        seed=0,
        dropout=0.0,
    ).eval()
    x = {
        modality: embed_tokens(
            network, slot, torch.from_numpy(golden_arrays[f"inputs.{modality}"]), None
        )
        for slot, modality in MODALITY.items()
    }
    with torch.no_grad():
        joint = run_all_blocks(network, torch.cat([x["images"], x["spectra"]], dim=1))
        found = {
            "joint.images": joint[:, : x["images"].shape[1]],
            "joint.spectra": joint[:, x["images"].shape[1] :],
            "images_only.images": run_all_blocks(network, x["images"]),
            "spectra_only.spectra": run_all_blocks(network, x["spectra"]),
        }
    for key, values in found.items():
        assert_like_upstream(values, golden_arrays, f"{name}.{key}.final_norm")


@pytest.mark.parametrize("name", FILES)
def test_the_final_norm_is_no_part_of_the_vectors(name, folders, golden_arrays):
    inputs = inputs_of(image=golden_arrays["inputs.images"])
    vectors = load(folders[name]).encode(inputs, ["image"])["image"].values
    normed = golden_arrays[f"outputs.{name}.images_only.images.final_norm"]
    assert np.abs(vectors.numpy() - normed).max() > 0.1


@pytest.mark.parametrize("name", FILES)
def test_importing_keeps_every_tensor(name, folders, golden):
    stored = load_file(golden / f"model_{name}.safetensors")
    imported = load_file(folders[name] / "model.safetensors")
    assert stored.keys() == imported.keys()
    for key, tensor in stored.items():
        np.testing.assert_array_equal(imported[key], tensor, err_msg=key)


def test_a_safetensors_folder_gives_the_same_vectors(folders, golden, golden_arrays, tmp_path):
    (tmp_path / "card.json").write_bytes((folders["L4"] / "card.json").read_bytes())
    save_file(load_file(golden / "model_L4.safetensors"), tmp_path / "model.safetensors")
    inputs = inputs_of(spectrum=golden_arrays["inputs.spectra"])
    tokens = load(tmp_path).encode(inputs, ["spectrum"])["spectrum"]
    assert_like_upstream(tokens.values, golden_arrays, "L4.spectra_only.spectra.none")
