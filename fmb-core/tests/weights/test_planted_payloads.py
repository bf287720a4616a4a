"""Code that is planted in a checkpoint does not run, and its tensors come out."""

import builtins
import collections
import contextlib
import os
import pickle
import struct
import subprocess

import pytest
import torch
from pickled import lightning, rewritten, saved, tensors_of

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
