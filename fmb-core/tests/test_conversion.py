"""Checkpoints that pickle whole modules: their tensors come out, nothing in them runs."""

import builtins
import collections
import functools
import io
import os
import pickle
import struct
import subprocess
import sys
import zipfile

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn

from fmb.card import Card
from fmb.config import Config
from fmb.conversion import convert_checkpoint, extracted
from fmb.errors import WeightsError
from fmb.registry import Component
from fmb.specs import Accepts, ModelSpec

ACCEPTS = (Accepts(slot="image", kind="images"),)
SPEC = ModelSpec(
    name="toy",
    summary="A toy",
    target="none:None",
    config="fmb.config:Config",
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


def tensors_of(path, tmp_path):
    with extracted(path, tmp_path / "out.safetensors") as out:
        return load_file(out)


def saved(content, tmp_path):
    torch.save(content, tmp_path / "in.ckpt")
    return tmp_path / "in.ckpt"


class Encoder(nn.Module):
    """Stands for a module whose class only its author has."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(3, 2)
        self.register_buffer("scale", torch.tensor(0.5))


def lightning(payload=None):
    """A checkpoint of Lightning whose hyperparameters pickle a whole module, as AstroCLIP's do."""
    encoder = Encoder()
    return {
        "state_dict": collections.OrderedDict(encoder.state_dict()),
        "hyper_parameters": {"image_encoder": encoder, "lr": 1e-4, "extra": payload},
        "optimizer_states": [{"state": {0: {"exp_avg": torch.ones(2)}}}],
        "callbacks": {"ModelCheckpoint": {"best": torch.tensor(1.0)}},
    }


def test_the_state_dict_of_a_lightning_checkpoint_comes_out_bit_by_bit(tmp_path):
    content = lightning()
    found = tensors_of(saved(content, tmp_path), tmp_path)
    assert found.keys() == content["state_dict"].keys()
    for name, value in content["state_dict"].items():
        assert torch.equal(found[name], value)


@pytest.mark.parametrize(
    "wrap", [lambda s: s, lambda s: {"teacher": s}, lambda s: {"state_dict": s}]
)
def test_tensors_of_any_kind_and_layout_come_out_as_they_are(tmp_path, wrap):
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
    found = tensors_of(saved(wrap(state), tmp_path), tmp_path)
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


# Payloads. Each names a file that would be there had it run.


class Reduce:
    def __init__(self, function, *arguments):
        self.made = function, arguments

    def __reduce__(self):
        return self.made


class Items:
    """What it pickles as calls `append` and `__setitem__` of what its parts make."""

    def __init__(self, parts):
        self.parts = parts

    def __reduce__(self):
        return (*self.parts,)


class State:
    """Its `__setstate__` runs code, and so does the state's own."""

    def __init__(self, target):
        self.inner = Reduce(os.mkdir, str(target))

    def __setstate__(self, state):
        os.mkdir(state["target"])


def raw(tmp_path, body):
    """A checkpoint whose pickle is written by hand, with one storage of three numbers."""
    path = tmp_path / "in.ckpt"
    torch.save({"state_dict": {"w": torch.ones(3)}}, path)
    with zipfile.ZipFile(path) as archive:
        records = {name: archive.read(name) for name in archive.namelist()}
    (name,) = (name for name in records if name.endswith("data.pkl"))
    with zipfile.ZipFile(path, "w") as archive:
        for key, value in {**records, name: body}.items():
            archive.writestr(key, value)
    return path


def called(module, name, *arguments):
    """Opcodes that call a global with texts and leave the result on the stack."""
    texts = b"".join(b"X" + struct.pack("<I", len(a)) + a for a in map(str.encode, arguments))
    return b"c" + module.encode() + b"\n" + name.encode() + b"\n(" + texts + b"tR"


PAYLOADS = {
    "os.system": lambda t: Reduce(os.system, f"touch '{t}'"),
    "subprocess": lambda t: Reduce(subprocess.check_call, ["touch", str(t)]),
    "exec": lambda t: Reduce(builtins.exec, f"open({str(t)!r}, 'w')"),
    "eval": lambda t: Reduce(builtins.eval, f"open({str(t)!r}, 'w')"),
    "partial": lambda t: Reduce(functools.partial(os.mkdir, str(t))),
    "getattr": lambda t: Reduce(
        Reduce(builtins.getattr, Reduce(builtins.__import__, "os"), "mkdir")
    ),
    "setstate": lambda t: State(t),
    "nested setstate": lambda t: Reduce(State, State(t)),
    "listitems": lambda t: Items((list, (), None, iter([Reduce(os.mkdir, str(t))]))),
    "dictitems": lambda t: Items((dict, (), None, None, iter([("k", Reduce(os.mkdir, str(t)))]))),
    "torch.load": lambda t: Reduce(torch.load, io.BytesIO(pickle.dumps(Reduce(os.mkdir, str(t))))),
    "in a parameter": lambda t: Reduce(
        torch._utils._rebuild_parameter, Reduce(os.mkdir, str(t)), False, collections.OrderedDict()
    ),
    "as a tensor's class": lambda t: Reduce(
        torch._tensor._rebuild_from_type_v2, os.mkdir, torch.Tensor, (str(t),), {}
    ),
}


def armed(content, tmp_path):
    """True when loading `content` as torch does without precaution runs its payload."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stderr", io.StringIO())
        path = saved(content, tmp_path)
        try:
            torch.load(path, weights_only=False)
        except Exception:
            pass


@pytest.mark.parametrize("name", [n for n in PAYLOADS if n not in ("getattr", "partial")])
def test_each_payload_is_live_ammunition(tmp_path, name):
    canary = tmp_path / "ran"
    armed(lightning(PAYLOADS[name](canary)), tmp_path)
    assert canary.exists()


@pytest.mark.parametrize("name", PAYLOADS)
def test_a_planted_payload_does_not_run_and_the_tensors_come_out(tmp_path, name):
    canary = tmp_path / "ran"
    content = lightning(PAYLOADS[name](canary))
    found = tensors_of(saved(content, tmp_path), tmp_path)
    assert not canary.exists()
    assert torch.equal(found["layer.weight"], content["state_dict"]["layer.weight"])
