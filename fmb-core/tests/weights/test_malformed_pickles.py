"""Files that are no checkpoint, or one that reaches for more than its own, are refused."""

import collections
import errno
import os
import pickle
import subprocess
import sys
import zipfile

import pytest
import torch
from pickled import Encoder, call, lightning, rewritten, saved, tensors_of, text

from fmb.messages.errors import FailedError, WeightsError
from fmb.weights import pickles, stub_unpickler

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
