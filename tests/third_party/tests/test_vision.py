import json
import math
from typing import ClassVar

import numpy as np
import pytest
from fmb_norm_demo.vision import Vision, VisionConfig, import_dinov2, prepare, shapes
from safetensors.numpy import save_file

from fmb import Batch, ConfigError, Images, Inputs, WeightsError
from fmb.testing import ModelContract

SIZES = {
    "model_type": "dinov2",
    "hidden_size": 12,
    "image_size": 28,
    "patch_size": 14,
    "mlp_ratio": 4,
    "num_attention_heads": 3,
    "num_hidden_layers": 2,
    "layer_norm_eps": 1e-6,
}


def tensors():
    rng = np.random.default_rng(0)
    return {name: rng.normal(0, 0.2, shape).astype("f4") for name, shape in shapes(SIZES).items()}


def published(folder, state=None, **sizes):
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps({**SIZES, **sizes}))
    save_file(state or tensors(), folder / "model.safetensors")
    return folder


def batch(n=4, bands=("g", "r", "i", "z")):
    flux = np.random.default_rng(2).normal(size=(n, len(bands), 20, 20)).astype("f4")
    images = Images(
        flux=flux,
        bands=bands,
        band_valid=np.ones((n, len(bands)), bool),
        unit="nJy",
        pixel_scale_arcsec=0.2,
    )
    return Batch(ids=np.arange(n), inputs={"cam": images}, rows={"cam": np.arange(n)})


def loaded(folder, path, **options):
    import_dinov2(path, folder, VisionConfig())
    model = Vision(VisionConfig(**options), seed=0, device="cpu", precision="float32")
    model.load(folder)
    return model


class TestVision(ModelContract):
    sources: ClassVar = {"image": "cam"}
    views = ("image",)

    @pytest.fixture(autouse=True)
    def weights(self, tmp_path):
        self.model = loaded(tmp_path / "weights", published(tmp_path / "dinov2-tiny"))

    def make(self):
        return self.model

    def batch(self):
        return batch()


def reference(pixels, w):
    """DINOv2 in NumPy and float64: arXiv:2304.07193, arXiv:2010.11929 eq. 1-4, LayerScale."""
    w = {name: value.astype(np.float64) for name, value in w.items()}

    def linear(x, name):
        return x @ w[f"{name}.weight"].T + w[f"{name}.bias"]

    def norm(x, name):
        x = (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + 1e-6)
        return x * w[f"{name}.weight"] + w[f"{name}.bias"]

    kernel = w["embeddings.patch_embeddings.projection.weight"].reshape(12, -1)
    corners = [(y, x) for y in (0, 14) for x in (0, 14)]
    rows = [pixels[:, y : y + 14, x : x + 14].ravel() @ kernel.T for y, x in corners]
    rows = np.array(rows) + w["embeddings.patch_embeddings.projection.bias"]
    x = (
        np.concatenate([w["embeddings.cls_token"][0], rows])
        + w["embeddings.position_embeddings"][0]
    )
    for at in ("encoder.layer.0.", "encoder.layer.1."):
        h, heads = norm(x, f"{at}norm1"), []
        q, k, v = (linear(h, f"{at}attention.attention.{n}") for n in ("query", "key", "value"))
        for part in (slice(0, 4), slice(4, 8), slice(8, 12)):
            e = np.exp(q[:, part] @ k[:, part].T / 2.0)
            heads.append(e / e.sum(1, keepdims=True) @ v[:, part])
        mixed = linear(np.concatenate(heads, axis=1), f"{at}attention.output.dense")
        x = x + w[f"{at}layer_scale1.lambda1"] * mixed
        h = linear(norm(x, f"{at}norm2"), f"{at}mlp.fc1")
        h = h * 0.5 * (1 + np.vectorize(math.erf)(h / math.sqrt(2)))
        x = x + w[f"{at}layer_scale2.lambda1"] * linear(h, f"{at}mlp.fc2")
    return norm(x, "layernorm")


def test_tokens_are_those_of_a_forward_pass_written_in_numpy(tmp_path):
    model = loaded(tmp_path / "weights", published(tmp_path / "dinov2-tiny"))
    pixels = np.random.default_rng(5).normal(size=(2, 3, 28, 28)).astype("f4")
    inputs = Inputs(arrays={"image": pixels}, valid={"image": np.ones(2, bool)})
    tokens = model.encode(inputs, ("image",))["image"].values.numpy()
    for one, found in zip(pixels, tokens, strict=True):
        np.testing.assert_allclose(found, reference(one, tensors()), rtol=0, atol=2e-5)  # float32


def test_bands_are_chosen_of_what_the_survey_has():
    def picture(*bands):
        return prepare(batch(), "cam", bands, 20).arrays["image"]

    assert np.array_equal(picture(), picture("z", "i", "g"))
    assert np.array_equal(picture("g", "i", "z"), picture()[:, ::-1])
    with pytest.raises(ConfigError, match="no band is called 'Z'; choose from g, r, i, z"):
        picture("Z", "i", "g")


@pytest.mark.parametrize(
    ("state", "sizes", "told"),
    [
        (None, {"model_type": "vit"}, "of no DINOv2"),
        (None, {"use_swiglu_ffn": True}, "of no DINOv2"),
        (None, {"num_hidden_layers": 3}, "not those of its config.json"),
        ({"embeddings.cls_token": np.ones((1, 1, 12), "f4")}, {}, "not those of its config.json"),
    ],
)
def test_other_weights_are_one_line(tmp_path, state, sizes, told):
    with pytest.raises(WeightsError, match=told):
        loaded(tmp_path / "weights", published(tmp_path / "other", state, **sizes))
