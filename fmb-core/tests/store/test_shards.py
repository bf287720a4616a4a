import errno
import json
import os
from pathlib import Path

import numpy as np
import pytest

from fmb.contract.errors import FailedError, StoreError
from fmb.store.atomic import publish
from fmb.store.keys import file_sha256
from fmb.store.shards import ShardStore

IDS = {
    "int64": np.array([-(2**63), -5, 2**62 + 1], dtype=np.int64),
    "uint64": np.array([1, 2**63 + 1, 2**64 - 1], dtype=np.uint64),
    "str": np.array(["DEEP2-1", "ü", "a much longer name"]),
}


@pytest.fixture
def store(tmp_path):
    store = ShardStore(tmp_path / "vectors", {"model": "m", "view": "image"})
    store.open()
    return store


def write(store, shard=0, ids=IDS["int64"], seed=0):
    values = np.random.default_rng(seed).normal(size=(len(ids), 4)).astype(np.float32)
    store.write(shard, ids, np.arange(len(ids)), values, {"rows": len(ids) + 1})
    return values


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


@pytest.mark.parametrize("kind", IDS)
def test_ids_and_vectors_come_back_exactly(store, kind):
    values = write(store, ids=IDS[kind])
    ids, rows, (matrix,) = store.mapped(1)
    assert ids.tolist() == IDS[kind].tolist()
    assert ids.dtype.kind == IDS[kind].dtype.kind
    assert rows.tolist() == [0, 1, 2]
    assert np.array_equal(matrix, values)
    assert isinstance(matrix, np.memmap)


def test_shards_are_joined_in_order(store):
    second = write(store, 1, IDS["int64"] + 1, seed=1)
    first = write(store, 0)
    ids, _, matrices = store.mapped(2)
    assert ids.tolist() == [*IDS["int64"].tolist(), *(IDS["int64"] + 1).tolist()]
    assert [m.tolist() for m in matrices] == [first.tolist(), second.tolist()]


def test_a_shard_without_vectors_is_no_matrix(store):
    values = write(store, 0)
    store.write(1, IDS["int64"][:0], np.empty(0, int), np.empty((0, 4)), {"rows": 3})
    ids, rows, matrices = store.mapped(2)
    assert len(ids) == len(rows) == 3
    assert [m.tolist() for m in matrices] == [values.tolist()]


def test_a_body_without_its_sidecar_is_not_finished(store):
    write(store)
    store.sidecar(0).unlink()
    assert not store.finished(0)
    with pytest.raises(StoreError, match="not finished"):
        store.mapped(1)


def test_a_truncated_body_is_not_finished(store):
    write(store)
    body = store.body(0)
    body.write_bytes(body.read_bytes()[:-1])
    assert not store.finished(0)


def test_a_changed_byte_is_found_by_its_digest(store):
    write(store)
    assert store.damaged() == []
    body = store.body(0)
    content = bytearray(body.read_bytes())
    content[-1] ^= 1
    body.write_bytes(content)
    assert store.finished(0)
    assert store.damaged() == [body]


def test_equal_content_gives_equal_bytes(tmp_path):
    bodies = []
    for name in ("a", "b"):
        store = ShardStore(tmp_path / name, {"key": 1})
        store.open()
        write(store)
        bodies.append((store.body(0).read_bytes(), store.sidecar(0).read_bytes()))
    assert bodies[0] == bodies[1]


def test_a_folder_of_another_configuration_is_refused(store):
    other = ShardStore(store.folder, {"model": "other"})
    with pytest.raises(StoreError, match="another configuration"):
        other.open()


def test_a_shard_of_another_configuration_is_refused(store):
    write(store)
    record = json.loads(store.sidecar(0).read_text())
    store.sidecar(0).write_text(json.dumps({**record, "key": "0" * 64}))
    with pytest.raises(StoreError, match="another configuration"):
        store.finished(0)


def test_the_records_of_finished_shards_come_in_order(store):
    write(store, 1, IDS["int64"] + 1)
    write(store, 0)
    records = list(store.records())
    assert [record["vectors"] for record in records] == [3, 3]
    assert [record["rows"] for record in records] == [4, 4]
    assert records[0]["sha256"] == file_sha256(store.body(0))
    assert records[1]["sha256"] == file_sha256(store.body(1))


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


def test_old_temporary_files_are_swept_and_young_ones_kept(store):
    old, young = (store.folder / f".shard.{name}.tmp" for name in ("old", "young"))
    for path in (old, young):
        path.write_bytes(b"")
    os.utime(old, (0, 0))
    store.open()
    assert not old.exists()
    assert young.exists()


def test_a_damaged_sidecar_says_what_to_do(store):
    write(store)
    store.sidecar(0).write_text("{")
    with pytest.raises(StoreError, match="damaged"):
        store.finished(0)


def test_no_temporary_file_is_left_behind(store):
    write(store)
    assert not list(Path(store.folder).glob(".*"))
