"""A model of one tensor, and folders of its weights."""

import numpy as np
from safetensors.numpy import save_file

from fmb.contract.config import Config
from fmb.contract.model import Accepts, ModelSpec, WeightsSpec
from fmb.plugins.registry import Component
from fmb.weights.card import Card
from fmb.weights.resolve import resolve_weights

SPEC = ModelSpec(
    name="toy",
    summary="A toy",
    target="none:None",
    config="fmb.contract.config:Config",
    accepts=(Accepts(slot="image", kind="images"),),
    views={"image": ("image",)},
    embedders=("mean",),
    weights=(
        WeightsSpec(name="random", summary="drawn", card="toy_cards:drawn"),
        WeightsSpec(name="published", summary="far", location="hf:a/b@c"),
    ),
)


class Toy(Component):
    def resolve(self, reference):
        return lambda config, seed: card(random_seed=seed)


COMPONENT = Toy(SPEC, "toys", "fmb-toys", "1.0")


def card(**changes):
    return Card(
        **{
            "model": "toy",
            "name": "mine",
            "architecture": {"width": 2},
            "preprocessing": {},
            "accepts": SPEC.accepts,
            **changes,
        }
    )


def folder(tmp_path, **changes):
    path = tmp_path / "weights-folder"
    path.mkdir()
    (path / "card.json").write_text(card(**changes).model_dump_json())
    save_file({"w": np.ones(3, np.float32)}, path / "model.safetensors")
    return path


def resolve(reference, tmp_path, seed=0):
    return resolve_weights(COMPONENT, str(reference), Config(), seed=seed, workspace=tmp_path / "w")
