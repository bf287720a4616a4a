"""Random networks, many shapes: the same numbers as upstream's `generate_embeddings`."""

import numpy as np
import pytest
import torch
from astropt.model import ModalityRegistry

from fmb import Config, Inputs, Tokens
from fmb.torch.embedders import Last, Mean
from fmb.weights import Card
from fmb_astropt.embedders import ExpDecay
from fmb_astropt.model import AstroPTConfig, AstroPTModel
from fmb_astropt.network import draw_network
from fmb_astropt.presets import card_of, modalities_for
from fmb_astropt.recipes import Architecture, ImageRecipe, Recipe, SpectrumRecipe

REDUCTIONS = {"mean": Mean, "last": Last, "exp_decay": ExpDecay}


def card(positions="index", seed=5, **sizes) -> Card:
    recipe = Recipe(
        image=ImageRecipe(
            bands=("VIS", "NISP-Y"),
            size_px=32,
            min_size_px=32,
            patch_px=8,
            patch_order="spiral",
            patch_layout="p1 p2 c",
            scaling="none",
        ),
        spectrum=SpectrumRecipe(
            start_aa=3600,
            step_aa=0.8,
            n_pixels=200,
            patch_px=16,
            normalisation="none",
            positions=positions,
        ),
    )
    values = {"n_layer": 12, "n_head": 4, "n_embd": 32, "block_size": 64, **sizes}
    architecture = Architecture(**values, modalities=modalities_for(recipe))
    return card_of(architecture, recipe, name="drawn", summary="", random_seed=seed)


def wavelength_positions(n):
    """Upstream's `process_spectra` on the grid of the card."""
    scaled = (3600 + 0.8 * torch.arange(200, dtype=torch.float64) - 3000) / (10000 - 3000)
    padded = torch.nn.functional.pad(scaled, (0, 8)).reshape(1, 13, 16)
    return padded.float().repeat(n, 1, 1)


def upstream(network, arrays, spectra_positions, names):
    """`generate_embeddings` with the registry reduced to the modalities that are there."""
    whole = network.modality_registry
    network.modality_registry = ModalityRegistry([whole.get_config(name) for name in names])
    n = len(arrays["image"])
    inputs = {
        "images": torch.from_numpy(arrays["image"]),
        "images_positions": torch.arange(16).repeat(n, 1),
        "spectra": torch.from_numpy(arrays["spectrum"]),
        "spectra_positions": spectra_positions,
    }
    inputs = {k: v for k, v in inputs.items() if k.removesuffix("_positions") in names}
    found = {r: network.generate_embeddings(inputs, reduction=r) for r in REDUCTIONS}
    network.modality_registry = whole
    return found


@pytest.mark.parametrize(
    "sizes",
    [
        {},
        {"n_layer": 1},
        {"n_layer": 5, "bias": True},
        {"n_layer": 4, "tokeniser": "affine"},
        {"n_layer": 4, "lora_r": 3},
        {"n_layer": 4, "positions": "wavelength"},
    ],
    ids=["12 layers", "1 layer", "bias", "affine", "lora", "wavelengths"],
)
def test_every_scope_and_reduction_equals_generate_embeddings(sizes, write_card):
    made = card(**sizes)
    model = AstroPTModel(AstroPTConfig())
    model.load(write_card(made))
    network = draw_network(Architecture.model_validate(made.architecture), made.random_seed)
    rng, n = np.random.default_rng(3), 3
    arrays = {
        "image": rng.normal(size=(n, 16, 128)).astype(np.float32),
        "spectrum": rng.normal(size=(n, 13, 16)).astype(np.float32),
    }
    positions = torch.arange(13).repeat(n, 1)
    if sizes.get("positions") == "wavelength":
        positions = wavelength_positions(n)
    inputs = Inputs(arrays=arrays, valid={slot: np.ones(n, dtype=bool) for slot in arrays})
    tokens = model.encode(inputs, ["image", "spectrum", "joint"])
    joint = tokens["joint"]
    parts = {
        "images": Tokens(joint.values[:, joint.segment == 0]),
        "spectra": Tokens(joint.values[:, joint.segment == 1]),
    }
    expected = upstream(network, arrays, positions, ["images", "spectra"])
    images = upstream(network, arrays, positions, ["images"])
    spectra = upstream(network, arrays, positions, ["spectra"])
    for reduction, embedder in REDUCTIONS.items():
        pool = embedder(Config()).reduce
        pairs = [
            (pool(parts["images"]), expected[reduction]["images"]),
            (pool(parts["spectra"]), expected[reduction]["spectra"]),
            (pool(tokens["image"]), images[reduction]["images"]),
            (pool(tokens["spectrum"]), spectra[reduction]["spectra"]),
        ]
        for got, wanted in pairs:
            # float32: the order of sums in pooling and in the one-kernel GELU
            np.testing.assert_allclose(got, wanted, atol=2e-6, rtol=1e-5)


def test_the_image_is_blind_to_the_spectrum_and_the_spectrum_pass_to_the_image(write_card):
    model = AstroPTModel(AstroPTConfig())
    model.load(write_card(card(n_layer=4)))

    def encode(image_seed, spectrum_seed):
        arrays = {
            "image": np.random.default_rng(image_seed).normal(size=(2, 16, 128)),
            "spectrum": np.random.default_rng(spectrum_seed).normal(size=(2, 13, 16)),
        }
        arrays = {k: v.astype(np.float32) for k, v in arrays.items()}
        valid = {slot: np.ones(2, dtype=bool) for slot in arrays}
        return model.encode(Inputs(arrays=arrays, valid=valid), ["image", "spectrum", "joint"])

    base, new_spectrum, new_image = encode(1, 2), encode(1, 3), encode(4, 2)
    torch.testing.assert_close(base["image"].values, new_spectrum["image"].values)
    torch.testing.assert_close(base["spectrum"].values, new_image["spectrum"].values)
    in_joint = [t["joint"].values[:, t["joint"].segment == 1] for t in (base, new_image)]
    assert (in_joint[0] - in_joint[1]).abs().max() > 1e-4
