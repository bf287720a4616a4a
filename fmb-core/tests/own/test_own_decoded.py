"""Decoded vectors that are not as they were written: made anew, or named."""

import json

import numpy as np
import pytest

from fmb.cache.holdings import damaged, holdings
from fmb.own import vector_file
from fmb.own.vector_file import open_vector_file
from fmb.store.digests import Digests
from fmb.vectors.asked import OwnVectors

N, D = 30, 9
VALUES = np.random.default_rng(5).normal(size=(N, D)).astype(np.float32)
VALUES[4, 1] = np.nan


def read(tmp_path):
    asked = OwnVectors(file=str(tmp_path / "v.npz"))
    return open_vector_file(asked, Digests(tmp_path / "home"))


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """What was decoded of a file that is too large for memory."""
    monkeypatch.setattr(vector_file, "SMALL_BYTES", 0)
    np.savez_compressed(tmp_path / "v.npz", object_id=np.arange(N), image=VALUES, mag=np.arange(N))
    read(tmp_path)
    (made,) = (tmp_path / "home" / "own").iterdir()
    return made


FILES = ["image.npy", "image.rows.npy", "ids.npy", "catalog.parquet", "key.json"]


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("left", ["nothing", "no byte", "half"])
def test_what_is_missing_or_cut_short_is_decoded_anew_and_told(
    tmp_path, folder, name, left, caplog
):
    caplog.set_level("INFO", "fmb.note")
    body = (folder / name).read_bytes()
    if left == "nothing":
        (folder / name).unlink()
    else:
        (folder / name).write_bytes(body[: len(body) // 2] if left == "half" else b"")
    survey = read(tmp_path)
    (view,) = survey.vectors.values()
    assert view.rows.tolist() == np.delete(np.arange(N), 4).tolist()
    assert view.values.tolist() == np.delete(VALUES, 4, axis=0).tolist()
    assert survey.catalog["mag"].tolist() == list(range(N))
    assert f"{folder} is not as it was written; its vectors are decoded anew" in caplog.text
    caplog.clear()
    read(tmp_path)
    assert caplog.text == ""
    assert sorted(path.name for path in folder.iterdir()) == sorted(FILES)


@pytest.mark.parametrize("name", FILES)
def test_a_changed_byte_in_what_was_decoded_is_found_by_verify(tmp_path, folder, name):
    assert damaged(tmp_path / "home") == []
    body = bytearray((folder / name).read_bytes())
    body[-3] ^= 1
    (folder / name).write_bytes(body)
    assert damaged(tmp_path / "home") == [folder / name]


def test_what_was_decoded_before_files_were_listed_is_replaced(tmp_path, folder):
    record = json.loads((folder / "key.json").read_text())
    del record["files"]
    (folder / "key.json").write_text(json.dumps(record))
    read(tmp_path)
    assert set(json.loads((folder / "key.json").read_text())["files"]) == set(FILES[:-1])


def test_what_was_decoded_and_is_damaged_is_listed_and_can_be_removed(tmp_path, folder):
    (folder / "key.json").unlink()
    (found,) = [one for one in holdings(tmp_path / "home") if one.kind == "decoded"]
    assert (found.name, found.about) == (folder.name, "vectors of your own, damaged")
