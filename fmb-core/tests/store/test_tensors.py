"""Safetensors files of the core: mapped as the library reads them, refused in one line."""

import json
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import load_file, save

from fmb.messages.errors import StoreError
from fmb.store.tensors import map_tensors, pack_ids, tensor_bytes, unpack_ids

KINDS = ("?", "u1", "u2", "u4", "u8", "i1", "i2", "i4", "i8", "f2", "f4", "f8")


def every_kind():
    """An array of each type of number, and one of each without an element."""
    rng = np.random.default_rng(0)
    full = {kind: rng.integers(0, 2, (3, 5)).astype(kind) for kind in KINDS}
    return full | {f"empty {kind}": np.empty((0, 4), dtype=kind) for kind in KINDS}


def written(path, arrays):
    path.write_bytes(tensor_bytes(arrays))
    return path


def test_mapped_arrays_are_those_of_the_library(tmp_path):
    path = written(tmp_path / "a.safetensors", every_kind())
    library, mapped = load_file(path), map_tensors(path)
    assert mapped.keys() == library.keys()
    for name, array in library.items():
        assert mapped[name].dtype == array.dtype
        assert mapped[name].shape == array.shape
        assert np.array_equal(mapped[name], array)


def test_a_file_of_the_library_is_mapped_too_whatever_else_its_header_says(tmp_path):
    path = tmp_path / "a.safetensors"
    path.write_bytes(save({"w": np.arange(6, dtype="f4")}, metadata={"format": "np"}))
    assert {name: a.tolist() for name, a in map_tensors(path).items()} == {"w": [0, 1, 2, 3, 4, 5]}


def test_arrays_that_are_not_contiguous_are_written_as_they_read(tmp_path):
    array = np.arange(24.0).reshape(4, 6)
    path = written(tmp_path / "a.safetensors", {"turned": array.T, "part": array[::2, 1:3]})
    mapped = map_tensors(path)
    assert mapped["turned"].tolist() == array.T.tolist()
    assert mapped["part"].tolist() == [[1, 2], [13, 14]]


def test_a_mapped_array_lies_in_the_file_and_cannot_be_written(tmp_path):
    mapped = map_tensors(written(tmp_path / "a.safetensors", {"w": np.ones(1000)}))["w"]
    assert isinstance(mapped, np.memmap)
    with pytest.raises(ValueError, match="read-only"):
        mapped[0] = 2.0


def test_a_file_that_is_not_there_is_one_line(tmp_path):
    with pytest.raises(StoreError, match=r"a\.safetensors: no such file"):
        map_tensors(tmp_path / "a.safetensors")


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 10_000))
def test_a_file_cut_anywhere_is_one_line(cut):
    whole = tensor_bytes({"a": np.arange(40.0), "b": np.ones((3, 2), "f4"), "c": np.ones(5, "?")})
    with TemporaryDirectory() as folder:
        path = Path(folder) / "cut.safetensors"
        path.write_bytes(whole[: cut % len(whole)])
        with pytest.raises(StoreError, match=r"is damaged .*; delete it and repeat") as caught:
            map_tensors(path)
    assert "\n" not in str(caught.value)


def with_header(header, body=b"\0" * 64):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + body


def described(**changes):
    return with_header({"w": {"dtype": "F32", "shape": [4], "data_offsets": [0, 16], **changes}})


@pytest.mark.parametrize(
    "content",
    [
        with_header(b"\xff{}"),
        with_header(b"{"),
        with_header(b"[" * 100_000),
        with_header([]),
        with_header("text"),
        with_header(7),
        with_header({"w": 3}),
        with_header({"w": {}}),
        (1 << 63).to_bytes(8, "little") + b"{}",
        (0).to_bytes(8, "little") + b"{}",
        described(dtype="F33"),
        described(dtype=["F32"]),
        described(shape=None),
        described(shape=["4"]),
        described(shape=[-4]),
        described(shape=[-2, -2]),
        described(shape=[5]),
        described(shape=[1 << 62, 4], data_offsets=[0, 0]),
        described(data_offsets=[]),
        described(data_offsets=[0]),
        described(data_offsets=["0", "16"]),
        described(data_offsets=[0.0, 16.0]),
        described(data_offsets=[-1000, -984]),
        described(data_offsets=[0, 20]),
        described(data_offsets=[60, 76]),
        described(data_offsets=[1 << 70, (1 << 70) + 16]),
    ],
    ids=range(26),
)
def test_a_header_that_does_not_describe_the_file_is_one_line(tmp_path, content):
    path = tmp_path / "odd.safetensors"
    path.write_bytes(content)
    with pytest.raises(StoreError, match=r"is damaged .*; delete it and repeat") as caught:
        map_tensors(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "ids",
    [
        np.array([-(2**63), -5, 2**62 + 1], dtype=np.int64),
        np.array([0, 2**63 + 1, 2**64 - 1], dtype=np.uint64),
        np.array(["DEEP2-1", "ü", "星 17", "a much longer name"]),
        np.array([], dtype=np.int64),
        np.array([], dtype=np.str_),
    ],
    ids=["int64", "uint64", "text", "no number", "no text"],
)
def test_ids_come_back_as_they_were(tmp_path, ids):
    back = unpack_ids(map_tensors(written(tmp_path / "ids.safetensors", pack_ids(ids))))
    assert back.tolist() == ids.tolist()
    assert back.dtype.kind == ids.dtype.kind


@settings(max_examples=100, deadline=None)
@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\0")), max_size=6))
def test_text_ids_of_any_alphabet_come_back(texts):
    ids = np.array(texts, dtype=np.str_)
    assert unpack_ids(pack_ids(ids)).tolist() == texts
