import json

import numpy as np
import pytest
from safetensors.numpy import save_file

from fmb.config import Config
from fmb.errors import WeightsError
from fmb.registry import Component
from fmb.specs import Accepts, ModelSpec, WeightsSpec
from fmb.weights import Card, resolve_weights
from fmb.weights_lock import Lock

SPEC = ModelSpec(
    name="toy",
    summary="A toy",
    target="none:None",
    config="fmb.config:Config",
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


def test_drawn_weights_are_a_card_with_the_seed(tmp_path):
    found = resolve("random", tmp_path, seed=5)
    assert json.loads((found.folder / "card.json").read_text())["random_seed"] == 5
    assert found.name == "random"
    assert Lock(tmp_path / "w").state(found) == "drawn"


def test_another_seed_is_another_identity(tmp_path):
    assert resolve("random", tmp_path, 1).identity != resolve("random", tmp_path, 2).identity
    assert resolve("random", tmp_path, 1).identity == resolve("random", tmp_path, 1).identity


def test_a_folder_is_known_by_the_digests_of_its_files(tmp_path):
    path = folder(tmp_path)
    before = resolve(path, tmp_path).identity
    save_file({"w": np.zeros(3, np.float32)}, path / "model.safetensors")
    assert resolve(path, tmp_path).identity != before


def test_weights_nobody_accepted_are_unverified_until_accepted(tmp_path):
    found = resolve(folder(tmp_path), tmp_path)
    lock = Lock(tmp_path / "w")
    assert lock.state(found) == "unverified"
    lock.accept(found)
    assert Lock(tmp_path / "w").state(found) == "verified"


def test_accepted_weights_that_change_are_refused(tmp_path):
    path = folder(tmp_path)
    Lock(tmp_path / "w").accept(resolve(path, tmp_path))
    save_file({"w": np.zeros(3, np.float32)}, path / "model.safetensors")
    with pytest.raises(WeightsError, match=r"model\.safetensors changed"):
        Lock(tmp_path / "w").state(resolve(path, tmp_path))


def test_weights_of_another_model_are_refused(tmp_path):
    with pytest.raises(WeightsError, match="for 'other', not 'toy'"):
        resolve(folder(tmp_path, model="other"), tmp_path)


def test_a_card_that_is_no_card_names_the_key(tmp_path):
    path = folder(tmp_path)
    (path / "card.json").write_text('{"model": "toy", "colour": "red"}')
    with pytest.raises(WeightsError, match="not a weights card"):
        resolve(path, tmp_path)


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ("randon", "did you mean 'random'"),
        ("hf:somebody/model@abc", "run `fmb weights download toy hf:somebody/model@abc`"),
        ("hf:somebody/model", "hf:somebody/model@main is not downloaded"),
        ("published", "run `fmb weights download toy published`"),
        ("hf:model", "write hf:OWNER/NAME@REVISION"),
        ("hf:../model@abc", "write hf:OWNER/NAME@REVISION"),
    ],
)
def test_a_reference_that_leads_nowhere_says_what_to_do(tmp_path, reference, message):
    with pytest.raises(WeightsError, match=message):
        resolve(reference, tmp_path)


def test_a_folder_without_a_card_or_tensors_is_refused(tmp_path):
    path = folder(tmp_path)
    (path / "model.safetensors").unlink()
    with pytest.raises(WeightsError, match="is missing"):
        resolve(path, tmp_path)
    (path / "card.json").unlink()
    with pytest.raises(WeightsError, match="not a weights folder"):
        resolve(path, tmp_path)


def test_a_file_needs_a_model_that_imports_checkpoints(tmp_path):
    path = tmp_path / "ckpt.pt"
    path.write_bytes(b"")
    with pytest.raises(WeightsError, match="loads weights folders"):
        resolve(path, tmp_path)
