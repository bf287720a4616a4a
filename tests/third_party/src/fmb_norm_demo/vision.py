"""A vision transformer that loads published DINOv2 weights (arXiv:2304.07193), in plain torch."""

import json
from functools import partial

import numpy as np
import torch
from torch.nn import functional as F

from fmb import Config, ConfigError, Images, Inputs, Tokens, WeightsError, did_you_mean
from fmb.torch import read_tensors
from fmb.weights import Card, name_of, read_card, write_folder
from fmb_norm_demo.plugin import IMAGE

PATCHES = "embeddings.patch_embeddings.projection"
QKV = tuple(f"attention.attention.{name}" for name in ("query", "key", "value"))


class VisionConfig(Config):
    bands: tuple[str, ...] = ()
    """Three bands, red first; left out: the last, the middle and the first of the survey."""


def shapes(s):
    """Tensor -> its shape, as facebook/dinov2-* names them."""
    d, n, wide = s["hidden_size"], s["patch_size"], int(s["hidden_size"] * s["mlp_ratio"])
    made = {"embeddings.cls_token": (1, 1, d), "embeddings.mask_token": (1, d)}
    made["embeddings.position_embeddings"] = (1, (s["image_size"] // n) ** 2 + 1, d)
    pairs = {PATCHES: (d, 3, n, n), "layernorm": (d,)}
    for at in (f"encoder.layer.{number}." for number in range(s["num_hidden_layers"])):
        pairs |= {f"{at}{name}": (d, d) for name in (*QKV, "attention.output.dense")}
        pairs |= {f"{at}mlp.fc1": (wide, d), f"{at}mlp.fc2": (d, wide)}
        pairs |= {f"{at}norm1": (d,), f"{at}norm2": (d,)}
        made |= {f"{at}layer_scale{number}.lambda1": (d,) for number in (1, 2)}
    made |= {f"{name}.weight": shape for name, shape in pairs.items()}
    return made | {f"{name}.bias": shape[:1] for name, shape in pairs.items()}


def prepare(batch, source, bands, side):
    """Pictures (n, 3, side, side): arcsinh of flux over its spread, mean 0, variance 1."""
    images = batch.whole(source, Images)
    known = images.bands
    wanted = bands or (known[-1], known[len(known) // 2], known[0])
    if lost := [band for band in wanted if band not in known]:
        raise ConfigError(f"no band is called {lost[0]!r}{did_you_mean(lost[0], known)}")
    flux = images.flux[:, [known.index(band) for band in wanted]].astype(np.float64)
    valid = np.isfinite(flux).mean(axis=(2, 3)).min(axis=1) > 0.5
    flux[~valid] = 0.0
    flux -= np.nanmedian(flux, axis=(2, 3), keepdims=True)
    flux /= np.nanmedian(np.abs(flux), axis=(2, 3), keepdims=True) + 1e-30
    sized = F.interpolate(torch.tensor(np.arcsinh(np.nan_to_num(flux))), side, mode="area")
    picture = F.layer_norm(sized.float(), sized.shape[2:]).numpy()
    why = ["" if good else "half of a band has no value" for good in valid]
    return Inputs(arrays={"image": picture}, valid={"image": valid}, reasons={"image": why})


class Vision:
    def __init__(self, config, *, seed, device, precision):
        self.config, self.device = config, device

    def load(self, folder):
        card = read_card(folder)
        self.sizes, state = card.architecture, read_tensors(card.tensors(folder))
        if shapes(self.sizes) != {name: tuple(tensor.shape) for name, tensor in state.items()}:
            raise WeightsError(f"{folder}: the tensors are not those of its config.json")
        self.state = {name: tensor.float().to(self.device) for name, tensor in state.items()}

    def preparer(self, sources):
        options = {"bands": self.config.bands, "side": self.sizes["image_size"]}
        return partial(prepare, source=sources["image"], **options)

    def apply(self, function, x, name, *more, **options):
        pair = self.state[f"{name}.weight"], self.state[f"{name}.bias"]
        return function(x, *more, *pair, **options)

    def encode(self, inputs, views):
        def norm(x, name):
            return self.apply(F.layer_norm, x, name, x.shape[-1:], eps=sizes["layer_norm_eps"])

        s, sizes, linear, n = self.state, self.sizes, F.linear, self.sizes["num_attention_heads"]
        x = torch.as_tensor(inputs.arrays["image"], device=self.device)
        x = self.apply(F.conv2d, x, PATCHES, stride=sizes["patch_size"]).flatten(2).transpose(1, 2)
        x = torch.cat([s["embeddings.cls_token"].expand(len(x), -1, -1), x], 1)
        x += s["embeddings.position_embeddings"]
        for at in (f"encoder.layer.{number}." for number in range(sizes["num_hidden_layers"])):
            heads = (self.apply(linear, norm(x, f"{at}norm1"), f"{at}{part}") for part in QKV)
            q, k, v = (head.unflatten(-1, (n, -1)).transpose(1, 2) for head in heads)
            mixed = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2)
            mixed = self.apply(linear, mixed, f"{at}attention.output.dense")
            x = x + s[f"{at}layer_scale1.lambda1"] * mixed
            wide = F.gelu(self.apply(linear, norm(x, f"{at}norm2"), f"{at}mlp.fc1"))
            x = x + s[f"{at}layer_scale2.lambda1"] * self.apply(linear, wide, f"{at}mlp.fc2")
        return {"image": Tokens(norm(x, "layernorm"))}


def import_dinov2(path, folder, config):
    """Keep the tensors of a folder as it is published; its config.json has the sizes."""
    sizes = json.loads((path / "config.json").read_text())
    if sizes.get("model_type") != "dinov2" or sizes.get("use_swiglu_ffn"):
        raise WeightsError(f"{path}: config.json is of no DINOv2 with plain layers")
    card = {"model": "vision", "name": name_of(path), "preprocessing": {}, "accepts": (IMAGE,)}
    tensors = (path / "model.safetensors").read_bytes()
    write_folder(folder, Card(architecture=sizes, **card), [("model.safetensors", tensors)])
