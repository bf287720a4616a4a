"""Checkpoints that pickle whole modules: their tensors come out, nothing in them runs."""

import builtins
import collections
import contextlib
import errno
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

from fmb.contract.config import Config
from fmb.contract.model import Accepts, ModelSpec
from fmb.messages.errors import FailedError, WeightsError
from fmb.plugins.registry import Component
from fmb.weights import pickles, stub_unpickler
from fmb.weights.card import Card
from fmb.weights.pickles import convert_checkpoint, extracted

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


# Payloads. Each names a file that would be there had it run.


class Parts:
    """Pickles as the given parts of a `__reduce__`."""

    def __init__(self, parts):
        self.parts = parts

    def __reduce__(self):
        return self.parts


def calling(function, *arguments):
    return Parts((function, arguments))


class State:
    """Its `__setstate__` runs code; its state may be another one."""

    def __init__(self, target, inner):
        self.target, self.inner = target, inner

    def __reduce__(self):
        return State, (None, None), (str(self.target), self.inner)

    def __setstate__(self, state):
        os.mkdir(state[0])


def mkdir(target):
    return calling(os.mkdir, str(target))


PICKLED = {
    "os.system": lambda t: calling(os.system, f"mkdir '{t}'"),
    "subprocess": lambda t: calling(subprocess.check_call, ["mkdir", str(t)]),
    "exec": lambda t: calling(builtins.exec, f"import os; os.mkdir({str(t)!r})"),
    "eval": lambda t: calling(builtins.eval, f"__import__('os').mkdir({str(t)!r})"),
    "pickle.loads": lambda t: calling(pickle.loads, pickle.dumps(mkdir(t))),
    "setstate": lambda t: State(t, None),
    "nested setstate": lambda t: State(t.with_name("other"), State(t, None)),
    "list items": lambda t: Parts((list, (), None, iter([mkdir(t)]))),
    "dict items": lambda t: Parts((dict, (), None, None, iter([("k", mkdir(t))]))),
    "state of a known class": lambda t: Parts((collections.OrderedDict, (), {"k": mkdir(t)})),
    "argument of a parameter": lambda t: calling(
        torch._utils._rebuild_parameter, mkdir(t), False, collections.OrderedDict()
    ),
    "maker of a tensor": lambda t: calling(
        torch._tensor._rebuild_from_type_v2, os.mkdir, torch.Tensor, (str(t),), {}
    ),
}
"""Payloads that Python's own pickler writes."""


def text(value):
    encoded = str(value).encode()
    return b"X" + struct.pack("<I", len(encoded)) + encoded


def call(function, *arguments):
    return function + b"(" + b"".join(arguments) + b"tR"


OS = call(b"c__builtin__\n__import__\n", text("os"))
WRITTEN = {
    "global": lambda t: call(b"cos\nmkdir\n", text(t)),
    "getattr chain": lambda t: call(call(b"c__builtin__\ngetattr\n", OS, text("mkdir")), text(t)),
    "dotted stack global": lambda t: (
        b"\x80\x04\x8c\x02os\x8c\x0dpath.os.mkdir\x93(" + text(t) + b"tR\x80\x02"
    ),
    "inst": lambda t: b"(" + text(t) + b"ios\nmkdir\n",
    "obj": lambda t: b"(cos\nmkdir\n" + text(t) + b"o",
    "build": lambda t: (
        # An instance whose __setstate__ the pickle itself sets to eval, then builds again.
        call(b"ctypes\nSimpleNamespace\n")
        + b"}" + text("__setstate__") + b"c__builtin__\neval\nsb"
        + text(f"__import__('os').mkdir({str(t)!r})") + b"b"
    ),
}  # fmt: skip
"""Payloads that only a pickle written by hand can have."""


def planted(name, canary, tmp_path):
    """A checkpoint with a payload, and the state dict that it holds besides."""
    content = lightning(PICKLED[name](canary) if name in PICKLED else None)
    path = saved(content, tmp_path)
    if name in WRITTEN:
        rewritten(path, lambda body: body[:2] + WRITTEN[name](canary) + b"0" + body[2:])
    return path, content["state_dict"]


def rewritten(path, change):
    """The checkpoint with other bytes for its pickle."""
    with zipfile.ZipFile(path) as archive:
        records = {name: archive.read(name) for name in archive.namelist()}
    (name,) = (name for name in records if name.endswith("data.pkl"))
    with zipfile.ZipFile(path, "w") as archive:
        for key, value in {**records, name: change(records[name])}.items():
            archive.writestr(key, value)
    return path


@pytest.mark.parametrize("name", [*PICKLED, *WRITTEN])
def test_each_payload_would_run_if_it_were_loaded_carelessly(tmp_path, name):
    path, _ = planted(name, tmp_path / "ran", tmp_path)
    with contextlib.suppress(Exception):
        torch.load(path, weights_only=False)
    assert (tmp_path / "ran").exists()


@pytest.mark.parametrize("name", [*PICKLED, *WRITTEN])
def test_a_planted_payload_does_not_run_and_the_tensors_come_out(tmp_path, name):
    path, state = planted(name, tmp_path / "ran", tmp_path)
    found = tensors_of(path, tmp_path)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["in.ckpt"]
    assert found.keys() == state.keys()
    assert torch.equal(found["layer.weight"], state["layer.weight"])


MALFORMED = {
    "a storage class that is not a storage": (
        b"ctorch._utils\n_rebuild_tensor_v2\n((X\x07\x00\x00\x00storagecos\nsystem\n"
        b"X\x01\x00\x00\x000X\x03\x00\x00\x00cpuK\x03tQK\x00K\x03\x85K\x01\x85tR",
        "names a storage that is none",
    ),
    "a reference that is no storage": (b"X\x01\x00\x00\x00aQ", "refers to something"),
    "a tensor made of text": (
        call(b"ctorch._utils\n_rebuild_tensor_v2\n", text("x"), b"K\x00K\x03\x85K\x01\x85"),
        "something else than a storage",
    ),
    "attributes for one of our own functions": (
        b"ctorch._utils\n_rebuild_tensor_v2\nN}" + text("__code__") + b"K\x01s\x86b",
        "its pickle is damaged",
    ),
    "no end": (b"." * 0 + b"}" * 3 + b"\xff", "its pickle is damaged"),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_a_pickle_that_is_not_torchs_is_refused_in_one_line(tmp_path, name):
    body, told = MALFORMED[name]
    path = rewritten(saved(lightning(), tmp_path), lambda b: b[:2] + body + b"0" + b[2:])
    with pytest.raises(WeightsError, match=told) as raised:
        tensors_of(path, tmp_path)
    assert "\n" not in str(raised.value)
    assert [p.name for p in tmp_path.iterdir()] == ["in.ckpt"]


@pytest.mark.parametrize(
    ("size", "stride", "told"),
    [((4,), (1,), "beyond its storage"), ((2,), (3,), "beyond"), ((-1,), (1,), "impossible")],
)
def test_a_tensor_that_reaches_out_of_its_storage_is_refused(tmp_path, size, stride, told):
    class Reaching:
        def __reduce__(self):
            made = (
                torch.ones(3)._typed_storage(),
                0,
                size,
                stride,
                False,
                collections.OrderedDict(),
            )
            return torch._utils._rebuild_tensor_v2, made

    with pytest.raises(WeightsError, match=told):
        tensors_of(saved({"state_dict": {"w": Reaching()}}, tmp_path), tmp_path)


def test_a_few_bytes_that_declare_terabytes_are_refused(tmp_path):
    state = {"w": torch.zeros(1).expand(1 << 20, 1 << 20)}
    with pytest.raises(WeightsError, match="many times the size"):
        tensors_of(saved(state, tmp_path), tmp_path)


def test_a_pickle_that_eats_memory_is_stopped(tmp_path):
    lists = b"]" * (20 << 20)  # 56 bytes each and more, far beyond what the process may take
    path = rewritten(saved(lightning(), tmp_path), lambda b: b[:2] + b"(" + lists + b"1" + b[2:])
    with pytest.raises(WeightsError, match="takes more memory"):
        tensors_of(path, tmp_path)


def test_a_pickle_that_eats_time_is_stopped(tmp_path, monkeypatch):
    monkeypatch.setattr(pickles, "SECONDS", 1)
    # A pair of a pair of ... named as a key: its hash takes 2^40 steps.
    pairs = b"}K\x01" + b"2\x86" * 40 + b"K\x01s0"
    path = rewritten(saved(lightning(), tmp_path), lambda b: b[:2] + pairs + b[2:])
    with pytest.raises(FailedError, match="within 1 s"):
        tensors_of(path, tmp_path)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "this is an empty file"),
        (b"PK\x03\x04 not a zip", "not a zip file"),
        (pickle.dumps({"state_dict": {}}), "older format"),
    ],
)
def test_a_file_that_is_no_zip_is_refused(tmp_path, content, told):
    path = tmp_path / "in.ckpt"
    path.write_bytes(content)
    with pytest.raises(WeightsError, match=told):
        tensors_of(path, tmp_path)


def test_a_file_of_the_old_format_is_refused(tmp_path):
    path = tmp_path / "in.ckpt"
    torch.save({"w": torch.ones(2)}, path, _use_new_zipfile_serialization=False)
    with pytest.raises(WeightsError, match=r"a checkpoint as torch wrote before 1\.6"):
        tensors_of(path, tmp_path)


def test_a_file_cut_short_is_refused(tmp_path):
    path = saved(lightning(), tmp_path)
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(WeightsError, match="not a whole one"):
        tensors_of(path, tmp_path)


def test_a_zip_of_something_else_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "in.ckpt", "w") as archive:
        archive.writestr("readme.txt", "hello")
    with pytest.raises(WeightsError, match=r"not one that torch\.save wrote"):
        tensors_of(tmp_path / "in.ckpt", tmp_path)


@pytest.mark.parametrize("content", [Encoder(), {"epoch": 3}, [torch.ones(2)]])
def test_a_checkpoint_without_a_state_dict_is_refused(tmp_path, content):
    with pytest.raises(WeightsError, match="no state dict"):
        tensors_of(saved(content, tmp_path), tmp_path)


def test_the_reading_process_can_open_and_start_nothing(tmp_path):
    # What a payload would meet if the stand-ins had a hole: it runs where the pickle is read.
    code = """
import os, socket, sys
sys.path.insert(0, sys.argv[1])
import stub_unpickler

def payload(*arguments):
    for attempt in (lambda: open('ran', 'w'), socket.socket, os.pipe):
        try:
            attempt()
        except OSError as error:
            print(error.errno)
    try:
        os.system('mkdir ran')
    except OSError:
        pass

stub_unpickler.Stub.__init__ = payload
sys.exit(stub_unpickler.main(sys.argv[2:]))
"""
    path = rewritten(
        saved(lightning(), tmp_path), lambda b: b[:2] + call(b"cos\nmkdir\n") + b"0" + b[2:]
    )
    folder = os.path.dirname(stub_unpickler.__file__)
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code, folder, path, tmp_path / "out", "10"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0
    assert done.stdout.split()[:3] == [str(errno.EMFILE)] * 3
    assert not (tmp_path / "ran").exists()


def test_a_full_disk_is_the_disks_fault(tmp_path):
    code = (
        "import builtins, sys; sys.path.insert(0, sys.argv[1])\n"
        "import stub_unpickler as s\n"
        "full = {'xb': ('/dev/full', 'wb')}\n"
        "s.open = lambda path, mode: builtins.open(*full.get(mode, (path, mode)))\n"
        "sys.exit(s.main(sys.argv[2:]))\n"
    )
    path = saved(lightning(), tmp_path)
    folder = os.path.dirname(stub_unpickler.__file__)
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code, folder, path, tmp_path / "out", "10"],
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stdout) == (stub_unpickler.FAILED, "No space left on device\n")
