"""Parts of vectors: whole or not there, found by digest, the first for ever."""

import json
import os

import numpy as np
import pytest

from fmb.messages.errors import StoreError
from fmb.store.keys import file_sha256
from fmb.store.ledger import Ledger
from fmb.store.vector_store import Comparison, VectorStore

KEY = {"model": "m", "view": "image"}
IDS = {
    "int64": np.array([-(2**63), -5, 2**62 + 1], dtype=np.int64),
    "uint64": np.array([1, 2**63 + 1, 2**64 - 1], dtype=np.uint64),
    "str": np.array(["DEEP2-1", "ü", "a much longer name"]),
}


def digests(*numbers):
    return np.array([[n] * 16 for n in numbers], dtype=np.uint8)


@pytest.fixture
def store(tmp_path):
    return opened(tmp_path / "vectors")


def opened(folder, version="1"):
    store = VectorStore(folder, KEY, {"fmb-m": version})
    store.open()
    return store


def write(store, numbers=(1, 2, 3), value=0.0, reasons=None):
    reasons = reasons or [""] * len(numbers)
    good = [n for n, text in zip(numbers, reasons, strict=True) if not text]
    values = np.array([[n + value, -n] for n in good], dtype=np.float32).reshape(len(good), 2)
    ids = np.array(numbers, dtype=np.int64)
    store.write(digests(*numbers), ids, reasons, values, [len(numbers)])


def vectors(store, *numbers):
    """First component of each, None where it has none."""
    stored = store.find(digests(*numbers))
    laid = np.concatenate(stored.matrices) if stored.matrices else np.empty((0, 2))
    return [None if at < 0 else float(laid[at, 0]) for at in stored.at.tolist()]


def bodies(store):
    return sorted(store.folder.glob("part-*.safetensors"))


def test_a_vector_is_found_by_what_was_read_of_its_object(store):
    write(store, (1, 2, 3))
    write(store, (7, 5))
    assert vectors(store, 5, 1, 4, 7, 3) == [5, 1, None, 7, 3]
    assert store.find(digests(4, 5)).there.tolist() == [False, True]
    assert isinstance(store.find(digests(1)).matrices[0], np.memmap)


def test_of_two_vectors_of_one_object_every_reader_takes_the_one_published_first(store):
    write(store, (1, 2))
    write(store, (2, 3), value=0.5)
    for reader in (store, opened(store.folder)):
        assert vectors(reader, 1, 2, 3) == [1, 2, 3.5]


def test_a_part_of_objects_without_vectors_does_not_say_how_wide_they_are(store):
    store.write(digests(8), np.array([8]), ["too dark"], np.empty((0, 0), np.float32), [1])
    write(store, (1, 2))
    store.write(digests(9), np.array([9]), ["too dark"], np.empty((0, 0), np.float32), [1])
    write(store, (3,))
    assert vectors(store, 8, 2, 9, 3) == [None, 2, None, 3]
    assert {one.shape[1] for one in store.find(digests(1)).matrices} == {2}


def test_a_reason_stands_for_a_vector_until_somebody_makes_one(store):
    write(store, (1, 2, 3), reasons=["", "too dark", ""])
    stored = store.find(digests(1, 2, 3))
    assert stored.there.all()
    assert stored.reasons == ["", "too dark", ""]
    assert vectors(store, 1, 2, 3) == [1, None, 3]
    write(store, (2,))
    assert vectors(store, 1, 2, 3) == [1, 2, 3]
    assert store.find(digests(2)).reasons == [""]


def test_a_part_without_any_vector_is_a_part(store):
    write(store, (1, 2), reasons=["too dark", "no pixels"])
    write(store, (3,))
    assert vectors(store, 1, 3) == [None, 3]
    assert store.find(digests(2, 1)).reasons == ["no pixels", "too dark"]


def test_parts_that_appear_are_seen_by_whoever_has_the_store_open(store):
    other = opened(store.folder)
    assert vectors(store, 1) == [None]
    write(other, (1,))
    assert vectors(store, 1) == [1]


def test_a_body_without_its_sidecar_is_not_finished(store):
    write(store)
    bodies(store)[0].with_suffix(".json").unlink()
    assert vectors(opened(store.folder), 1) == [None]


def test_a_truncated_body_is_not_finished(store):
    write(store)
    (body,) = bodies(store)
    body.write_bytes(body.read_bytes()[:-1])
    assert vectors(opened(store.folder), 1) == [None]


def test_a_changed_byte_is_found_by_its_digest(store):
    write(store)
    assert store.damaged() == []
    (body,) = bodies(store)
    content = bytearray(body.read_bytes())
    content[-1] ^= 1
    body.write_bytes(content)
    assert store.damaged() == [body]


def test_a_sidecar_tells_what_is_in_the_body(store):
    write(store, (1, 2, 3), reasons=["", "too dark", ""])
    (body,) = bodies(store)
    record = json.loads(body.with_suffix(".json").read_text())
    assert (record["rows"], record["vectors"], record["batches"]) == (3, 2, [3])
    assert record["sha256"] == file_sha256(body)
    assert record["versions"] == {"fmb-m": "1"}


def test_a_folder_of_another_configuration_is_refused(store):
    with pytest.raises(StoreError, match="another configuration"):
        VectorStore(store.folder, {"model": "other"}, {}).open()


def test_a_part_of_another_configuration_is_refused(store):
    write(store)
    sidecar = bodies(store)[0].with_suffix(".json")
    sidecar.write_text(json.dumps({**json.loads(sidecar.read_text()), "key": "0" * 64}))
    with pytest.raises(StoreError, match="another configuration"):
        opened(store.folder).parts()


def test_a_damaged_sidecar_says_what_to_do(store):
    write(store)
    bodies(store)[0].with_suffix(".json").write_text("{")
    with pytest.raises(StoreError, match="damaged"):
        opened(store.folder).parts()


def test_old_temporary_files_are_swept_and_young_ones_kept(store):
    old, young = (store.folder / f".part.{name}.tmp" for name in ("old", "young"))
    for path in (old, young):
        path.write_bytes(b"")
    os.utime(old, (0, 0))
    store.open()
    assert not old.exists()
    assert young.exists()


def test_no_temporary_file_is_left_behind(store):
    write(store)
    assert not list(store.folder.glob(".*"))


def test_vectors_of_a_version_that_nobody_compared_are_not_used(store):
    write(store, (1,))
    newer = opened(store.folder, "2")
    assert vectors(newer, 1) == [None]
    assert newer.unchecked() == [{"fmb-m": "1"}]


@pytest.mark.parametrize(("same", "first"), [(True, 1), (False, 1.5)])
def test_a_comparison_of_versions_holds_for_ever(store, same, first):
    write(store, (1,))
    newer = opened(store.folder, "2")
    newer.compared(Comparison({"fmb-m": "1"}, {"fmb-m": "2"}, same, 8, 0.0))
    assert newer.unchecked() == []
    write(newer, (1, 2), value=0.5)
    assert vectors(opened(store.folder, "2"), 1, 2) == [first, 2.5]
    # Who still has the old version goes on with its own, and takes what is the same.
    assert vectors(opened(store.folder, "1"), 1, 2) == [1, 2.5 if same else None]
    assert opened(store.folder, "2").find(digests(1)).made == f"fmb-m {1 if same else 2}"


@pytest.fixture
def ledger(tmp_path):
    ledger = Ledger(tmp_path / "ledger", {"instrument": "cam"})
    ledger.open()
    return ledger


@pytest.mark.parametrize("kind", IDS)
def test_a_digest_is_known_by_id_and_origin(ledger, kind):
    ids = IDS[kind]
    ledger.write(ids, np.array([5, 5, 6], dtype=np.uint64), digests(1, 2, 3), [])
    found, known = ledger.find(ids[::-1], np.array([6, 5, 5], dtype=np.uint64))
    assert known.all()
    assert found.tolist() == digests(3, 2, 1).tolist()
    _, known = ledger.find(ids, np.array([6, 5, 0], dtype=np.uint64))
    assert known.tolist() == [False, True, False]


def test_an_object_without_an_origin_is_never_known(ledger):
    nobody = np.zeros(3, dtype=np.uint64)
    ledger.write(IDS["int64"], nobody, digests(1, 2, 3), [])
    assert not ledger.find(IDS["int64"], nobody)[1].any()
    assert ledger.holds(digests(2, 9)).tolist() == [True, False]


def test_what_is_wrong_with_an_input_is_told_of_everybody_who_has_it(ledger):
    wrong = {"row": 1, "problem": "zero-filled", "severity": "warning", "fraction": 0.5}
    ledger.write(IDS["int64"], np.ones(3, dtype=np.uint64), digests(1, 2, 3), [wrong])
    found = ledger.findings(digests(3, 2, 1, 2))
    assert [(row, plain["problem"]) for row, plain in found] == [
        (1, "zero-filled"),
        (3, "zero-filled"),
    ]


def test_an_id_may_have_been_read_from_several_places_and_what_was_read_last_holds(ledger):
    ids = IDS["int64"]
    for origin, first in ((5, 1), (6, 11), (5, 21)):
        where = np.full(3, origin, dtype=np.uint64)
        ledger.write(ids, where, digests(first, first + 1, first + 2), [])
    for origin, first in ((5, 21), (6, 11)):
        found, known = ledger.find(ids, np.full(3, origin, dtype=np.uint64))
        assert known.all()
        assert found.tolist() == digests(first, first + 1, first + 2).tolist()
