"""Digests of files: remembered for large ones while they stay as they are."""

import hashlib
import json
import os

import pytest

from fmb.messages.errors import WeightsError
from fmb.store.digests import Digests

LARGE = 20_000_000


@pytest.fixture
def large(tmp_path):
    path = tmp_path / "large"
    path.write_bytes(b"")
    os.truncate(path, LARGE)
    os.utime(path, (1e9, 1e9))  # long settled
    return path


def change_behind_its_back(path):
    """Another content of the same size and time."""
    with path.open("r+b") as stream:
        stream.write(b"x")
    os.utime(path, (1e9, 1e9))


def zeros(first=b""):
    return hashlib.sha256(first + bytes(LARGE - len(first))).hexdigest()


def test_a_large_file_is_read_once_also_by_the_next_command(tmp_path, large):
    assert Digests(tmp_path).of(large) == zeros()
    change_behind_its_back(large)
    assert Digests(tmp_path).of(large) == zeros()
    assert Digests(tmp_path, fresh=True).of(large) == zeros(b"x")
    assert Digests(tmp_path).of(large) == zeros(b"x")  # and that is remembered


def test_a_large_file_that_tells_of_its_change_is_read_again(tmp_path, large):
    digests = Digests(tmp_path)
    digests.of(large)
    large.write_bytes(bytes(LARGE - 1) + b"x")
    assert digests.of(large) == hashlib.sha256(bytes(LARGE - 1) + b"x").hexdigest()


def test_a_large_file_that_has_just_changed_is_not_remembered(tmp_path, large):
    os.utime(large)
    Digests(tmp_path).of(large)
    assert not (tmp_path / "digests.json").exists()


def test_a_small_file_is_read_each_time_and_leaves_no_trace(tmp_path):
    path = tmp_path / "small"
    path.write_bytes(b"one")
    os.utime(path, (1e9, 1e9))
    assert Digests(tmp_path).of(path) == hashlib.sha256(b"one").hexdigest()
    path.write_bytes(b"two")
    os.utime(path, (1e9, 1e9))
    assert Digests(tmp_path).of(path) == hashlib.sha256(b"two").hexdigest()
    assert not (tmp_path / "digests.json").exists()


@pytest.mark.parametrize("content", ["{", "[]", '{"key": 1}'])
def test_a_damaged_memory_costs_nothing_but_time(tmp_path, large, content):
    Digests(tmp_path).of(large)
    memory = tmp_path / "digests.json"
    key = next(iter(json.loads(memory.read_text())))
    memory.write_text(content.replace("key", key))
    assert Digests(tmp_path).of(large) == zeros()


def test_several_files_are_named_in_a_folder(tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).write_text(name)
    expected = {name: hashlib.sha256(name.encode()).hexdigest() for name in ("b", "a")}
    assert Digests(tmp_path).of_all(tmp_path, ["b", "a"]) == expected


def test_a_file_that_is_not_there_is_one_line(tmp_path):
    with pytest.raises(WeightsError, match="gone: cannot be read: No such file"):
        Digests(tmp_path).of(tmp_path / "gone")
