"""A folder in the layout of an upstream is imported once, and anew when a file in it changes."""

import json

import numpy as np
import pytest
from safetensors.numpy import save_file
from toy_weights import SPEC, card

from fmb.contract.config import Config
from fmb.contract.model import ModelSpec
from fmb.messages.errors import WeightsError
from fmb.plugins.registry import Component
from fmb.weights.resolve import resolve_weights


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
