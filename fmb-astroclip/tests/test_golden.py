"""The network gives upstream's numbers: stored reference of AstroCLIP 9d85069, DINOv2 2302b6b."""

import numpy as np
import pytest
import torch

from fmb import Batch
from fmb_astroclip.images import to_rgb
from fmb_astroclip.presets import PUBLISHED
from fmb_astroclip.specformer import cut_sections

# Rounding of upstream itself against double precision is 1.1e-5 in vectors and 1.7e-5 in tokens;
# the smallest wrong code tried (LayerNorm epsilon of a head 1e-6) gives 8e-5 in vectors.
VECTORS = {"atol": 3e-5, "rtol": 1e-5}
TOKENS = {"atol": 5e-5, "rtol": 1e-5}
# The same for standardised pixels: 8e-7, and 5e-4 with the deviation of a population.
PIXELS = {"atol": 3e-6, "rtol": 0}
RGB = {"atol": 1e-6, "rtol": 0}

LENGTHS = (7781, 7700)


def spectra(golden, length):
    return torch.from_numpy(golden[f"inputs.spectra_{length}"][..., 0])


def pictures(golden):
    return torch.from_numpy(golden["inputs.images"])


def equal(got, golden, key, tolerance, rows=None):
    wanted = golden[f"outputs.{key}"]
    np.testing.assert_allclose(got.detach()[:rows], wanted, **tolerance, err_msg=key)


@torch.inference_mode()
def test_image_vectors_equal_upstream_at_every_stage(reference, golden):
    encoder, x = reference.image_encoder, pictures(golden)
    equal(encoder.backbone.patch_embed(x[:1]), golden, "image_patch_embed", TOKENS)
    tokens = encoder.backbone(x)
    equal(tokens, golden, "image_tokens", TOKENS)
    equal(encoder.cross_attention(tokens), golden, "image_cross_attention", VECTORS)
    equal(encoder(x), golden, "image_embedding", VECTORS)


@pytest.mark.parametrize("length", LENGTHS)
@torch.inference_mode()
def test_spectrum_vectors_equal_upstream_at_every_stage(reference, golden, length):
    encoder, x = reference.spectrum_encoder, spectra(golden, length)
    stored = len(golden[f"outputs.spectrum_preprocess_{length}"])
    sections = cut_sections(x[:stored], PUBLISHED.spectrum)
    equal(sections, golden, f"spectrum_preprocess_{length}", PIXELS)
    tokens = encoder.backbone(x)
    equal(tokens[:2], golden, f"spectrum_tokens_{length}", TOKENS)
    vectors = encoder.cross_attention(tokens)
    equal(vectors, golden, f"spectrum_cross_attention_{length}", VECTORS)
    equal(encoder(x), golden, f"spectrum_embedding_{length}", VECTORS)


@torch.inference_mode()
def test_one_object_alone_has_its_row_of_the_batch(reference, golden):
    """Upstream raises IndexError for a batch of one."""
    for i in range(5):
        vector = reference.image_encoder(pictures(golden)[i : i + 1])
        wanted = golden["outputs.image_embedding"][i : i + 1]
        np.testing.assert_allclose(vector, wanted, **VECTORS)
        vector = reference.spectrum_encoder(spectra(golden, 7781)[i : i + 1])
        wanted = golden["outputs.spectrum_embedding_7781"][i : i + 1]
        np.testing.assert_allclose(vector, wanted, **VECTORS)


@torch.inference_mode()
def test_cosines_of_images_and_spectra_equal_upstream(reference, golden):
    image = reference.image_encoder(pictures(golden))
    spectrum = reference.spectrum_encoder(spectra(golden, 7781))
    units = [torch.nn.functional.normalize(x, eps=1e-3) for x in (image, spectrum)]
    # A vector's error over its length, at least 1, twice.
    equal(units[0] @ units[1].T, golden, "cosine_7781", {"atol": 6e-5, "rtol": 0})


def test_colours_equal_upstream(golden):
    """Also where all bands lie far below zero, in a corner of the first image."""
    rgb = to_rgb(golden["torgb.nanomaggies"], PUBLISHED.image)
    np.testing.assert_allclose(rgb.transpose(0, 2, 3, 1), golden["torgb.rgb"], **RGB)


@pytest.mark.parametrize("extra_bands", [False, True])
def test_raw_images_give_upstreams_vectors_through_the_preparer(
    reference_model, golden, images_of, extra_bands
):
    flux = golden["torgb.nanomaggies"]
    bands = ("DES-G", "DES-R", "DES-Z")
    if extra_bands:  # and in another order
        flux, bands = np.insert(flux[:, ::-1], 1, 9.0, axis=1), ("DES-Z", "DES-I", "DES-R", "DES-G")
    rows = np.arange(len(flux))
    batch = Batch(ids=rows, inputs={"ls": images_of(flux, bands)}, rows={"ls": rows})
    inputs = reference_model.preparer({"image": "ls"})(batch)
    assert inputs.valid["image"].all()
    wanted = golden["torgb.rgb"][:, 4:148, 4:148].transpose(0, 3, 2, 1)
    np.testing.assert_allclose(inputs.arrays["image"], wanted, **RGB)
    vectors = reference_model.encode(inputs, ["image"])["image"].values[:, 0].numpy()
    np.testing.assert_allclose(vectors, golden["torgb.image_embedding"], **VECTORS)
    apart = np.abs(vectors - golden["torgb.image_embedding_axes_not_swapped"]).max()
    assert apart > 0.5


@pytest.mark.parametrize("length", LENGTHS)
def test_raw_spectra_give_upstreams_vectors_through_the_preparer(
    reference_model, golden, spectra_of, length
):
    flux = golden[f"inputs.spectra_{length}"][..., 0]
    rows = np.arange(len(flux))
    batch = Batch(ids=rows, inputs={"desi": spectra_of(flux)}, rows={"desi": rows})
    inputs = reference_model.preparer({"spectrum": "desi"})(batch)
    assert inputs.valid["spectrum"].all()
    np.testing.assert_array_equal(inputs.arrays["spectrum"], flux)
    vectors = reference_model.encode(inputs, ["spectrum"])["spectrum"].values
    assert vectors.shape == (5, 1, 32)
    equal(vectors[:, 0], golden, f"spectrum_embedding_{length}", VECTORS)


def test_what_upstream_does_not_use_has_no_effect(reference, golden):
    unused = ("cls_token", "pos_embed", "mask_token", "backbone.head.")
    before = reference.image_encoder(pictures(golden)[:1])
    flux = spectra(golden, 7781)[:1]
    spectrum = reference.spectrum_encoder(flux)
    state = {name: value.clone() for name, value in reference.state_dict().items()}
    changed = [name for name in state if any(part in name for part in unused)]
    assert len(changed) == 5
    with torch.no_grad():
        for name in changed:
            reference.get_parameter(name).add_(1.0)
    try:
        assert torch.equal(reference.image_encoder(pictures(golden)[:1]), before)
        assert torch.equal(reference.spectrum_encoder(flux), spectrum)
    finally:
        reference.load_state_dict(state)
