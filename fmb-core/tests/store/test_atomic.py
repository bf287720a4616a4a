"""Files appear whole or not at all."""

import errno
import os

import pytest

from fmb.messages.errors import FailedError
from fmb.store.atomic import publish, publish_new_json, read_json


def test_a_file_in_parts_is_their_sum(tmp_path):
    publish(tmp_path / "file", (part for part in (b"one ", b"", b"two")))
    assert (tmp_path / "file").read_bytes() == b"one two"


def test_a_part_that_fails_leaves_the_old_file(tmp_path):
    def parts():
        yield b"new"
        raise KeyError("a part that cannot be made")

    publish(tmp_path / "file", b"old")
    with pytest.raises(KeyError):
        publish(tmp_path / "file", parts())
    assert [(p.name, p.read_bytes()) for p in tmp_path.iterdir()] == [("file", b"old")]


def test_a_full_disk_is_one_line_and_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "file"
    publish(path, b"old")

    def full(handle):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(FailedError, match="no space left"):
        publish(path, b"new")
    assert path.read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["file"]


def test_published_files_have_the_permissions_of_ordinary_ones(tmp_path):
    ordinary = tmp_path / "ordinary"
    ordinary.write_bytes(b"")
    publish(tmp_path / "published", b"")
    assert (tmp_path / "published").stat().st_mode == ordinary.stat().st_mode


@pytest.mark.parametrize("links", [True, False])
def test_what_is_published_first_stays(tmp_path, monkeypatch, links):
    if not links:  # as some network file systems

        def refuse(*args):
            raise OSError(errno.EPERM, os.strerror(errno.EPERM))

        monkeypatch.setattr(os, "link", refuse)
    path = tmp_path / "folder" / "cut.json"
    assert publish_new_json(path, {"by": 1})
    assert not publish_new_json(path, {"by": 2})
    assert read_json(path) == {"by": 1}
    assert [p.name for p in path.parent.iterdir()] == ["cut.json"]
