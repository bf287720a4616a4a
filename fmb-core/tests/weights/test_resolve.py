import json

import numpy as np
import pytest
from safetensors.numpy import save_file
from toy_weights import SPEC, Toy, card, folder, resolve

from fmb.contract.config import Config
from fmb.contract.model import ModelSpec, WeightsSpec
from fmb.messages.errors import WeightsError
from fmb.weights.lock import Lock
from fmb.weights.resolve import resolve_weights


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


def packed(tmp_path, monkeypatch):
    """The weights `tiny` that an installed package brings."""
    (tmp_path / "toy_pack").mkdir()
    (tmp_path / "toy_pack" / "__init__.py").touch()
    inside = folder(tmp_path).rename(tmp_path / "toy_pack" / "tiny")
    monkeypatch.syspath_prepend(str(tmp_path))
    tiny = WeightsSpec(name="tiny", summary="bundled", location="package:toy_pack/tiny")
    spec = ModelSpec(**{**vars(SPEC), "weights": (tiny,)})
    component = Toy(spec, "toys", "fmb-toys", "1.0")
    return inside, lambda: resolve_weights(
        component, "tiny", Config(), seed=0, workspace=tmp_path / "w"
    )


def test_weights_of_an_installed_package_are_bundled_and_can_be_accepted(tmp_path, monkeypatch):
    inside, resolved = packed(tmp_path, monkeypatch)
    assert Lock(tmp_path / "w").state(resolved()) == "bundled"
    Lock(tmp_path / "w").accept(resolved())
    assert Lock(tmp_path / "w").state(resolved()) == "verified"
    save_file({"w": np.zeros(3, np.float32)}, inside / "model.safetensors")
    with pytest.raises(WeightsError, match=r"model\.safetensors changed"):
        Lock(tmp_path / "w").state(resolved())


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
    "name",
    ["../model.safetensors", "/elsewhere/model.safetensors", "a/../../b.safetensors", "model.pt"],
)
def test_a_card_names_tensors_in_its_folder_only(tmp_path, name):
    path = folder(tmp_path)
    values = json.loads((path / "card.json").read_text())
    (path / "card.json").write_text(json.dumps({**values, "files": [name]}))
    with pytest.raises(WeightsError, match="no safetensors file in the folder"):
        resolve(path, tmp_path)


def test_only_drawn_weights_may_list_no_tensors(tmp_path):
    path = folder(tmp_path)
    values = json.loads((path / "card.json").read_text())
    (path / "card.json").write_text(json.dumps({**values, "files": []}))
    with pytest.raises(WeightsError, match="card: files: weights that are not drawn"):
        resolve(path, tmp_path)
    assert card(files=(), random_seed=1).contents == ("card.json",)


def test_a_model_finds_the_tensors_that_its_card_lists_and_no_others(tmp_path):
    listed = card(files=("model.safetensors", "codec/model.safetensors"))
    assert listed.tensors(tmp_path) == tmp_path / "model.safetensors"
    assert listed.tensors(tmp_path, "codec/model.safetensors").parent == tmp_path / "codec"
    with pytest.raises(WeightsError, match=r"toy loads b\.safetensors, which is not listed"):
        listed.tensors(tmp_path, "b.safetensors")


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


def test_a_damaged_lock_says_what_to_do(tmp_path):
    (tmp_path / "weights.lock").write_text("{")
    with pytest.raises(WeightsError, match="remove it and accept again"):
        Lock(tmp_path)
