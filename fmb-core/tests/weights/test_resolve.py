import json

import numpy as np
import pytest
from safetensors.numpy import save_file

from fmb.contract.config import Config
from fmb.contract.model import Accepts, ModelSpec, WeightsSpec
from fmb.messages.errors import WeightsError
from fmb.plugins.registry import Component
from fmb.weights.card import Card
from fmb.weights.lock import Lock
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


class Importing(Component):
    """A model whose upstream has config.json beside its tensors."""

    def __init__(self):
        spec = ModelSpec(**{**vars(SPEC), "importer": "toys:imported"})
        super().__init__(spec, "toys", "fmb-toys", "1.0")

    def resolve(self, reference):
        return self.imported

    calls = 0

    def imported(self, path, folder, config):
        type(self).calls += 1
        sizes = json.loads((path / "config.json").read_text())
        (folder / "model.safetensors").write_bytes((path / "model.safetensors").read_bytes())
        (folder / "card.json").write_text(card(architecture=sizes).model_dump_json())


@pytest.fixture
def upstream(tmp_path):
    path = tmp_path / "aion-toy"
    path.mkdir()
    (path / "config.json").write_text('{"dim": 4}')
    save_file({"w": np.ones(3, np.float32)}, path / "model.safetensors")
    return path


def resolve_upstream(path, tmp_path, component=None):
    component = component or Importing()
    home = tmp_path / "w"
    return resolve_weights(component, str(path), Config(), seed=0, workspace=home)


def test_a_folder_of_the_upstream_is_imported_once(tmp_path, upstream):
    before = Importing.calls
    found = resolve_upstream(upstream, tmp_path)
    assert found.card.architecture == {"dim": 4}
    assert found.folder.parent == tmp_path / "w" / "weights"
    assert found.folder.name.startswith("toy-aion-toy-")
    assert resolve_upstream(upstream, tmp_path) == found
    assert Importing.calls == before + 1


def test_a_folder_is_imported_anew_when_a_file_in_it_changes(tmp_path, upstream):
    before = resolve_upstream(upstream, tmp_path)
    (upstream / "README.md").write_text("no weights")
    (upstream / ".cache").mkdir()
    (upstream / ".cache" / "x.json").write_text("{}")
    assert resolve_upstream(upstream, tmp_path).folder == before.folder
    (upstream / "config.json").write_text('{"dim": 8}')
    after = resolve_upstream(upstream, tmp_path)
    assert after.folder != before.folder
    assert after.card.architecture == {"dim": 8}


def test_shards_behind_an_index_are_imported_anew_when_one_changes(tmp_path, upstream):
    class Sharded(Importing):
        def imported(self, path, folder, config):
            (folder / "card.json").write_text(card(random_seed=1).model_dump_json())

    index = upstream / "model.safetensors.index.json"
    index.write_text('{"weight_map": {"w": "model.safetensors"}}')
    before = resolve_upstream(index, tmp_path, Sharded())
    assert before.folder.name.startswith("toy-aion-toy-")
    assert resolve_upstream(index, tmp_path, Sharded()).folder == before.folder
    save_file({"w": np.zeros(3, np.float32)}, upstream / "model.safetensors")
    assert resolve_upstream(index, tmp_path, Sharded()).folder != before.folder


def test_an_odd_name_of_a_file_becomes_a_fit_one_of_the_folder(tmp_path, upstream):
    odd = upstream.rename(tmp_path / "my weights (\x1b[31m)")
    assert resolve_upstream(odd, tmp_path).folder.name.startswith("toy-my-weights-31m-")


def test_an_interrupted_import_leaves_nothing_that_looks_finished(tmp_path, upstream):
    class Interrupted(Importing):
        def imported(self, path, folder, config):
            super().imported(path, folder, config)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        resolve_upstream(upstream, tmp_path, Interrupted())
    assert list((tmp_path / "w" / "weights").iterdir()) == []
    assert resolve_upstream(upstream, tmp_path).card.architecture == {"dim": 4}


def test_an_import_without_a_card_is_refused(tmp_path, upstream):
    class Cardless(Importing):
        def imported(self, path, folder, config):
            pass

    with pytest.raises(WeightsError, match="not a weights folder"):
        resolve_upstream(upstream, tmp_path, Cardless())
    assert list((tmp_path / "w" / "weights").iterdir()) == []


def test_a_folder_with_nothing_to_import_is_refused(tmp_path):
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "cat.jpg").touch()
    with pytest.raises(WeightsError, match=r"no card\.json and no file ending in \.json"):
        resolve_upstream(tmp_path / "photos", tmp_path)


def test_two_processes_that_import_at_once_both_get_the_folder(tmp_path, upstream):
    class Second(Importing):
        def imported(self, path, folder, config):
            resolve_upstream(path, tmp_path)  # another process, which is faster
            super().imported(path, folder, config)

    found = resolve_upstream(upstream, tmp_path, Second())
    assert [p.name for p in (tmp_path / "w" / "weights").iterdir()] == [found.folder.name]


def test_a_damaged_lock_says_what_to_do(tmp_path):
    (tmp_path / "weights.lock").write_text("{")
    with pytest.raises(WeightsError, match="remove it and accept again"):
        Lock(tmp_path)
