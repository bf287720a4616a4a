"""Checkpoints as people have them: shards, prefixes, nesting, old formats, half precision."""

import json

import pytest
import torch
from safetensors.torch import save_file

from fmb.messages.errors import WeightsError
from fmb.torch import bare_state, nested_state, read_pickle, read_state, read_tensors

STATE = {"layer.weight": torch.arange(6.0).reshape(2, 3), "layer.bias": torch.ones(2)}


def same(found, expected=STATE):
    return found.keys() == expected.keys() and all(
        torch.equal(found[k], expected[k]) for k in found
    )


@pytest.fixture
def sharded(tmp_path):
    """Two shards and their index."""
    places = {}
    for number, (name, tensor) in enumerate(STATE.items(), 1):
        places[name] = f"model-{number:05d}-of-00002.safetensors"
        save_file({name: tensor}, tmp_path / places[name])
    index = {"metadata": {"total_size": 32}, "weight_map": places}
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps(index))
    return tmp_path


@pytest.mark.parametrize("name", ["model.safetensors.index.json", "model.safetensors"])
def test_shards_are_read_as_the_whole_would_be(sharded, name):
    assert same(read_state(sharded / name))


def test_a_whole_file_comes_before_an_index_beside_it(sharded):
    save_file({"other": torch.ones(1)}, sharded / "model.safetensors")
    assert list(read_state(sharded / "model.safetensors")) == ["other"]


@pytest.mark.parametrize(
    "prefix", ["", "module.", "_orig_mod.", "module._orig_mod.", "_orig_mod.module.", "module." * 2]
)
def test_what_wrappers_put_before_all_names_is_left_out(prefix):
    assert same(bare_state({prefix + name: tensor for name, tensor in STATE.items()}, "c"))


def test_a_part_that_was_compiled_alone_loses_its_mark():
    state = {"layer._orig_mod.weight": STATE["layer.weight"], "layer.bias": STATE["layer.bias"]}
    assert same(bare_state(state, "c"))


def test_a_module_of_the_network_itself_keeps_its_name():
    state = {"module.weight": torch.ones(1), "head": torch.ones(1)}
    assert list(bare_state(state, "c")) == ["module.weight", "head"]


@pytest.mark.parametrize("key", ["model", "state_dict", "model_state_dict"])
def test_a_state_dict_is_found_where_training_programs_put_it(key):
    assert nested_state({"epoch": 3, key: STATE}) is STATE


def test_what_holds_no_state_dict_has_none():
    assert [nested_state(content) for content in ([1], {"model": 3}, STATE)] == [None] * 3


@pytest.mark.parametrize("new", [True, False], ids=["zip", "before torch 1.6"])
@pytest.mark.parametrize("kind", [torch.float32, torch.float16, torch.bfloat16])
def test_both_formats_of_torch_are_read_in_any_precision(tmp_path, new, kind):
    held = {name: tensor.to(kind) for name, tensor in STATE.items()}
    torch.save({"model": held}, tmp_path / "c.pt", _use_new_zipfile_serialization=new)
    assert same(read_pickle(tmp_path / "c.pt")["model"], held)


def test_a_file_behind_a_link_is_read(tmp_path):
    # A cache of the hub links names to files that are named by their digest.
    (tmp_path / "blobs").mkdir()
    save_file(STATE, tmp_path / "blobs" / "0123")
    (tmp_path / "model.safetensors").symlink_to("blobs/0123")
    assert same(read_tensors(tmp_path / "model.safetensors"))


def test_notes_in_a_header_are_no_tensors(tmp_path):
    save_file(STATE, tmp_path / "t.safetensors", metadata={"format": "pt"})
    assert same(read_tensors(tmp_path / "t.safetensors"))


def test_a_shard_that_is_damaged_is_named(sharded):
    path = sharded / "model-00002-of-00002.safetensors"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(WeightsError, match=r"model-00002-of-00002\.safetensors: not a whole"):
        read_state(sharded / "model.safetensors.index.json")
