"""`fmb embeddings`: stored vectors read without FMB, exported, checked and merged."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from safetensors import safe_open
from safetensors.numpy import load_file, save

from fmb import open_run

MODEL = ("--model", "astropt", "--weights", "random", "--view", "image")
DETECT = (*MODEL, "--detector", "gaussian")


def done(result):
    assert result.exit_code == 0, result.stderr
    return result


def refused(result, *words, code=2):
    assert (result.exit_code, result.stderr.count("\n")) == (code, 1), result.stderr
    for word in words:
        assert word in result.stderr


@pytest.fixture
def survey(tmp_path, make_survey):
    return make_survey(tmp_path / "tiny", n=40)


@pytest.fixture
def run(fmb, survey, home):
    done(fmb("detect", *DETECT, "--data", survey, "--out", "mine"))
    return open_run("mine")


def stored(home):
    """Id -> vector, as a page of the docs says that they are read: by numpy and safetensors."""
    (folder,) = {path.parent for path in Path(home).glob("embeddings/*/*/key.json")}
    found = {}
    for sidecar in sorted(folder.glob("part-*.json")):
        part = load_file(sidecar.with_suffix(".safetensors"))
        for one, vector in zip(part["id"][part["state"] == 0], part["embedding"], strict=True):
            found.setdefault(int(one), vector)  # what was published first holds
    return found


def test_the_store_is_read_by_numpy_and_safetensors_alone(run, home):
    view = run.vectors("image")
    found = stored(home)
    ids = run.objects["object_id"].to_numpy()[view.rows]
    assert set(found) == set(ids.tolist())
    assert all(np.array_equal(found[i], v) for i, v in zip(ids.tolist(), view.values, strict=True))


@pytest.mark.parametrize("ending", ["safetensors", "npz", "parquet"])
def test_exported_vectors_have_exact_ids_values_and_a_card(fmb, run, tmp_path, ending):
    path = tmp_path / f"v.{ending}"
    said = done(fmb("embeddings", "export", "mine", "-o", path))
    assert said.stdout.startswith("40 vectors of astropt")
    if ending == "safetensors":
        arrays = load_file(path)
        ids, values = arrays["id"], arrays["embedding"]
        with safe_open(path, "numpy") as file:
            card = json.loads(file.metadata()["fmb"])
    elif ending == "npz":
        with np.load(path) as arrays:
            ids, values = arrays["object_id"], arrays["embedding"]
            card = json.loads(str(arrays["card"]))
    else:
        table = pd.read_parquet(path)
        ids, values = table["object_id"].to_numpy(), np.stack(table["embedding"])
        card = json.loads(pq.read_schema(path).metadata[b"fmb"])
    assert np.array_equal(ids, run.objects["object_id"].to_numpy())
    assert np.array_equal(values, run.vectors("image").values)
    assert (card["run"], card["name"]["view"]) == ("mine", "image")


@pytest.mark.parametrize("ending", ["npz", "parquet"])
def test_exported_vectors_are_detected_in_as_vectors_of_ones_own(fmb, run, tmp_path, ending):
    path = tmp_path / f"v.{ending}"
    done(fmb("embeddings", "export", "mine", "-o", path))
    done(fmb("detect", "--embeddings", path, "--detector", "gaussian", "--out", "again"))
    own, again = run.top(5), open_run("again").top(5)
    assert own["object_id"].tolist() == again["object_id"].tolist()


def test_only_the_objects_that_are_named_are_exported(fmb, run, tmp_path):
    ids = run.objects["object_id"].to_numpy()[[7, 3]]
    (tmp_path / "ids.txt").write_text("\n".join(map(str, ids)))
    path = tmp_path / "v.npz"
    done(fmb("embeddings", "export", "mine", "--ids", tmp_path / "ids.txt", "-o", path))
    with np.load(path) as arrays:
        assert arrays["object_id"].tolist() == sorted(ids.tolist())


def test_what_cannot_be_exported_is_one_line(fmb, run, tmp_path):
    (tmp_path / "there.npz").write_bytes(b"")
    refused(fmb("embeddings", "export", "mine", "-o", tmp_path / "there.npz"), "--force")
    refused(fmb("embeddings", "export", "mine", "-o", tmp_path / "v.pt"), ".safetensors")
    refused(fmb("embeddings", "export", "mine", "--view", "x", "-o", "v.npz"), "'x'")


def test_every_byte_and_count_is_checked(fmb, run, home):
    assert "whole" in done(fmb("embeddings", "verify")).stdout
    body = next(Path(home).glob("embeddings/*/*/part-*.safetensors"))
    whole = body.read_bytes()
    body.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    damaged = fmb("embeddings", "verify")
    assert damaged.exit_code == 1
    assert "its bytes are not those that were written" in damaged.stderr
    body.write_bytes(whole)
    sidecar = body.with_suffix(".json")
    record = json.loads(sidecar.read_text())
    sidecar.write_text(json.dumps({**record, "vectors": record["vectors"] + 1}))
    assert "vectors, recorded" in fmb("embeddings", "verify").stderr


@pytest.fixture
def other(fmb, survey, run, tmp_path, monkeypatch, home):
    """A workspace with the vectors of all objects; the own one has those of some."""
    place = tmp_path / "other"
    monkeypatch.setenv("FMB_HOME", str(place))
    done(fmb("embed", *MODEL, "--data", survey))
    monkeypatch.setenv("FMB_HOME", str(tmp_path / "own"))
    done(fmb("embed", *MODEL, "--data", survey, "--where", "redshift < 0.3"))
    return place


def test_after_a_merge_nothing_is_computed_and_vectors_are_those_of_the_other(
    fmb, survey, other, tmp_path
):
    before = stored(tmp_path / "own")
    theirs = stored(other)
    assert 0 < len(before) < 40
    done(fmb("embeddings", "merge", other))
    after = stored(tmp_path / "own")
    assert set(after) == set(theirs)
    assert all(np.array_equal(after[one], before[one]) for one in before)
    assert all(np.array_equal(after[one], theirs[one]) for one in set(theirs) - set(before))
    parts = sorted((tmp_path / "own").glob("embeddings/*/*/part-*.json"))
    done(fmb("embed", *MODEL, "--data", survey))
    assert sorted((tmp_path / "own").glob("embeddings/*/*/part-*.json")) == parts
    assert "whole" in done(fmb("embeddings", "verify")).stdout


def test_merging_again_takes_nothing(fmb, other, tmp_path):
    done(fmb("embeddings", "merge", other))
    parts = len(list((tmp_path / "own").glob("embeddings/*/*/part-*.json")))
    done(fmb("embeddings", "merge", other))
    assert len(list((tmp_path / "own").glob("embeddings/*/*/part-*.json"))) == parts


def test_another_vector_of_an_object_is_named_and_the_own_stays(fmb, other, tmp_path):
    own = stored(tmp_path / "own")
    (folder,) = {path.parent for path in other.glob("embeddings/*/*/key.json")}
    changed = None
    for sidecar in sorted(folder.glob("part-*.json")):
        body = sidecar.with_suffix(".safetensors")
        part = load_file(body)
        rows = [row for row, one in enumerate(part["id"]) if int(one) in own]
        if rows and changed is None:
            changed = int(part["id"][rows[0]])
            part["embedding"][rows[0]] += 1
            content = save(part)
            body.write_bytes(content)
            record = json.loads(sidecar.read_text())
            record.update(sha256=hashlib.sha256(content).hexdigest(), bytes=len(content))
            sidecar.write_text(json.dumps(record))
    said = done(fmb("embeddings", "merge", other))
    assert f"1 objects keep the vector they have here: {changed}" in said.stderr
    assert np.array_equal(stored(tmp_path / "own")[changed], own[changed])


def test_from_what_is_no_workspace_or_is_damaged_nothing_is_taken(fmb, other, tmp_path):
    own = tmp_path / "own"
    before = sorted(own.glob("embeddings/*/*"))
    refused(fmb("embeddings", "merge", tmp_path / "nowhere"), "name a workspace of FMB")
    refused(fmb("embeddings", "merge", own), "is this workspace itself")
    body = next(other.glob("embeddings/*/*/part-*.safetensors"))
    body.write_bytes(body.read_bytes()[:-4])
    refused(fmb("embeddings", "merge", other), "nothing was taken")
    assert sorted(own.glob("embeddings/*/*")) == before
