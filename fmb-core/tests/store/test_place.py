"""One file in two places."""

import errno
import os

import pytest

from fmb.messages.errors import FailedError
from fmb.store.atomic import place

BODY = b"figure" * 500_000


@pytest.fixture
def kept(tmp_path):
    path = tmp_path / "kept"
    path.write_bytes(BODY)
    return path


def refuse_links(monkeypatch, code):
    def refuse(*_):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "link", refuse)


def test_a_file_is_placed_without_a_second_copy(kept, tmp_path):
    place(kept, tmp_path / "placed")
    assert (tmp_path / "placed").samefile(kept)
    assert not (tmp_path / "placed").is_symlink()


def test_placing_replaces_another_file_and_leaves_its_twins_alone(kept, tmp_path):
    target, twin = tmp_path / "placed", tmp_path / "twin"
    twin.write_bytes(b"old")
    os.link(twin, target)
    place(kept, target)
    assert (target.read_bytes(), twin.read_bytes()) == (BODY, b"old")


def test_placing_twice_leaves_one_name_and_nothing_else(kept, tmp_path):
    for _ in range(2):
        place(kept, tmp_path / "placed")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["kept", "placed"]


@pytest.mark.parametrize("code", [errno.EXDEV, errno.EPERM, errno.EMLINK, errno.ENOTSUP])
def test_where_links_do_not_reach_the_file_is_copied(kept, tmp_path, monkeypatch, code):
    refuse_links(monkeypatch, code)
    place(kept, tmp_path / "placed")
    assert (tmp_path / "placed").read_bytes() == BODY
    assert not (tmp_path / "placed").samefile(kept)
    assert len(list(tmp_path.iterdir())) == 2


def test_a_full_disk_is_said_and_leaves_what_was_there(kept, tmp_path, monkeypatch):
    refuse_links(monkeypatch, errno.ENOSPC)

    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    target = tmp_path / "placed"
    target.write_bytes(b"old")
    with pytest.raises(FailedError, match=r"no space left for .*placed"):
        place(kept, target)
    assert target.read_bytes() == b"old"
    assert len(list(tmp_path.iterdir())) == 2


def test_a_kept_file_that_has_gone_is_said(tmp_path):
    with pytest.raises(FailedError, match=r"cannot write .*placed"):
        place(tmp_path / "gone", tmp_path / "placed")
