"""Checkpoints that pickle whole modules: their tensors come out, nothing in them runs."""

import numpy as np
import pytest
import torch
from pickled import lightning, saved, tensors_of
from safetensors.torch import load_file, save_file
from torch import nn

from fmb.contract.config import Config
from fmb.contract.model import Accepts, ModelSpec
from fmb.messages.errors import WeightsError
from fmb.plugins.registry import Component
from fmb.weights.card import Card
from fmb.weights.pickles import convert_checkpoint

ACCEPTS = (Accepts(slot="image", kind="images"),)
SPEC = ModelSpec(
    name="toy",
    summary="A toy",
    target="none:None",
    config="fmb.contract.config:Config",
    accepts=ACCEPTS,
    views={"image": ("image",)},
    embedders=("mean",),
    converter="toys:convert",
)


def toy_card(**changes):
    given = {"model": "toy", "name": "mine", "architecture": {}, "preprocessing": {}}
    return Card(**given, accepts=ACCEPTS, **changes)


def toy_convert(tensors, folder, config, source):
    save_file(load_file(tensors), folder / "model.safetensors")
    (folder / "card.json").write_text(toy_card(source=source).model_dump_json())


class Toy(Component):
    def resolve(self, reference):
        return toy_convert


COMPONENT = Toy(SPEC, "toys", "fmb-toys", "1.0")


def test_the_state_dict_of_a_lightning_checkpoint_comes_out_bit_by_bit(tmp_path):
    content = lightning()
    found = tensors_of(saved(content, tmp_path), tmp_path)
    assert found.keys() == content["state_dict"].keys()
    for name, value in content["state_dict"].items():
        assert torch.equal(found[name], value)


@pytest.mark.parametrize("key", ["", "teacher", "state_dict"])
def test_tensors_of_any_kind_and_layout_come_out_as_they_are(tmp_path, key):
    random = torch.Generator().manual_seed(0)
    flat = torch.randn(4, 6, 5, generator=random)
    state = {
        "scalar": torch.tensor(3.5),
        "empty": torch.zeros(0, 3),
        "transposed": flat.permute(2, 0, 1),
        "part": flat[1:3, ::2, 1:4],
        "column": flat[:, :, 2],
        "channels last": torch.randn(2, 3, 4, 4, generator=random).to(
            memory_format=torch.channels_last
        ),
        "expanded": torch.tensor([[1.0], [2.0]]).expand(2, 3),
        "parameter": nn.Parameter(torch.ones(2)),
        "tied": flat,
        **{str(d): torch.arange(4).to(d) for d in (torch.float64, torch.float16, torch.bfloat16)},
        **{str(d): torch.arange(4).to(d) for d in (torch.int64, torch.int32, torch.int16)},
        **{str(d): torch.arange(4).to(d) for d in (torch.int8, torch.uint8, torch.bool)},
        **{str(d): torch.arange(4).to(d) for d in (torch.uint16, torch.float8_e4m3fn)},
    }
    found = tensors_of(saved({key: state} if key else state, tmp_path), tmp_path)
    assert found.keys() == state.keys()
    for name, value in state.items():
        assert found[name].dtype == value.dtype
        assert found[name].shape == value.shape
        same = [t.contiguous().reshape(-1).view(torch.uint8).numpy() for t in (found[name], value)]
        np.testing.assert_array_equal(*same)


def test_the_models_converter_writes_the_folder(tmp_path):
    path = saved(lightning(), tmp_path)
    convert_checkpoint(COMPONENT, path, tmp_path / "out", Config())
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == [
        "card.json",
        "model.safetensors",
    ]
    assert '"source":"in.ckpt"' in (tmp_path / "out" / "card.json").read_text()
    assert [p.name for p in tmp_path.glob(".*")] == []


def test_a_folder_in_use_is_refused_and_left_alone(tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "precious").touch()
    with pytest.raises(WeightsError, match="is in use"):
        convert_checkpoint(COMPONENT, saved(lightning(), tmp_path), tmp_path / "out", Config())
    assert [p.name for p in (tmp_path / "out").iterdir()] == ["precious"]


class Broken(Component):
    def resolve(self, reference):
        def convert(tensors, folder, config, source):
            (folder / "model.safetensors").write_bytes(b"half")
            raise KeyboardInterrupt

        return convert


def test_an_interrupted_conversion_leaves_nothing(tmp_path):
    path = saved(lightning(), tmp_path)
    with pytest.raises(KeyboardInterrupt):
        convert_checkpoint(Broken(SPEC, "t", "t", "1"), path, tmp_path / "out", Config())
    assert [p.name for p in tmp_path.iterdir()] == ["in.ckpt"]
