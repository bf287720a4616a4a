"""Own vectors from the command line: alone, of many files, and beside their survey."""

import numpy as np
import pandas as pd
import pytest

import fmb as fmb_api
from fmb import open_run

N = 40
DETECT = ("detect", "--detector", "gaussian", "--fit", "in-sample")


def done(result):
    assert result.exit_code == 0, result.stderr
    return result


def refused(result, *words):
    assert result.exit_code == 2, result.stderr
    assert result.stderr.count("\n") == 1
    assert not [word for word in words if word not in result.stderr], result.stderr


def wide(ids, seed=0, d=8):
    values = np.random.default_rng(seed).normal(size=(len(ids), d)).astype(np.float32)
    columns = {f"f{i}": values[:, i] for i in range(d)}
    return pd.DataFrame({"object_id": ids, **columns, "mag": np.linspace(18, 22, len(ids))}), values


def squared_distance(values):
    """Of each row to the mean, in units of the covariance: what ranks in a Gaussian."""
    centred = values - values.mean(axis=0)
    return np.einsum("ij,jk,ik->i", centred, np.linalg.inv(np.cov(values.T)), centred)


def test_a_wide_table_is_searched_and_chosen_from_by_its_columns(fmb, tmp_path):
    ids = 2**62 + 5 * np.arange(400)
    frame, values = wide(ids)
    values[7] += 20
    frame.loc[7, [f"f{i}" for i in range(8)]] = values[7]
    frame.to_csv(tmp_path / "w.csv", index=False)
    done(fmb(*DETECT, "--embeddings", "w.csv", "--where", "mag < 21", "--out", "mine"))
    chosen = frame["mag"].to_numpy() < 21
    top = open_run("mine").top(1)
    assert top["object_id"].tolist() == [ids[chosen][squared_distance(values[chosen]).argmax()]]
    assert str(ids[7]) in fmb("top", "mine").stdout
    assert len(open_run("mine").objects) == chosen.sum()


def test_several_files_are_named_one_by_one_or_from_python(fmb, home, tmp_path):
    frame, _ = wide(np.arange(200))
    for part in range(2):
        frame[100 * part : 100 * part + 100].to_parquet(tmp_path / f"{part}.parquet", index=False)
    done(fmb(*DETECT, "--embeddings", "0.parquet", "--embeddings", "1.parquet", "--out", "cli"))
    run = fmb_api.detect(
        embeddings=["0.parquet", "1.parquet"], detector="gaussian", fit="in-sample", out="python"
    )
    assert len(run.objects) == 200
    (one,), (other,) = (open_run(name).lists for name in ("cli", "python"))
    assert open_run("cli").scores(one).equals(run.scores(other))
    assert run.vectors("f").values.shape == (200, 8)


def test_a_vector_column_is_named_where_there_is_a_choice(fmb, tmp_path):
    wide(np.arange(100), d=12)[0].to_parquet(tmp_path / "w.parquet", index=False)
    command = (*DETECT, "--embeddings", "w.parquet", "--vector-columns")
    done(fmb(*command, "a=f0-f5", "--vector-columns", "b=f6-f11", "--out", "two"))
    assert [name.view for name in open_run("two").vector_names] == ["a", "b"]
    refused(fmb(*command, "g*"), "--vector-columns g*: w.parquet has no such column")
    refused(fmb("detect", "--detector", "gaussian", "--vector-columns", "f*"),
            "--vector-columns goes with --embeddings")  # fmt: skip


@pytest.fixture
def vectors(survey, tmp_path):
    """Vectors of 38 of the 40 objects of the survey, and of two others."""
    ids = np.arange(N, dtype=np.int64) * 7919 - 50_000
    ids = np.concatenate([ids[2:][::-1], [10**15, 10**15 + 1]])
    np.savez(tmp_path / "v.npz", object_id=ids, mine=np.random.default_rng(2).normal(size=(N, 4)))
    return "v.npz"


def test_beside_a_survey_vectors_have_its_catalogue_and_cutouts(fmb, survey, vectors, tmp_path):
    command = (*DETECT, "--embeddings", vectors, "--data", survey)
    done(fmb(*command, "--where", "mag < 21.5", "--out", "mine"))
    run = open_run("mine")
    catalog = run.objects
    assert (catalog["mag"] < 21.5).all()
    with np.load(tmp_path / "v.npz") as arrays:
        held = dict(arrays)
    (list_,) = run.lists
    scored = catalog["object_id"][run.scores(list_)["score"].notna()]
    assert set(scored) == set(catalog["object_id"]) & set(held["object_id"])
    view = run.vectors("mine")
    by_id = dict(zip(held["object_id"].tolist(), held["mine"].astype(np.float32), strict=True))
    for row, vector in zip(view.rows, view.values, strict=True):
        assert vector.tolist() == by_id[catalog["object_id"][row]].tolist()
    assert set(run.cutouts(run.top(3)["object_id"].to_numpy()).inputs) == {"euclid", "desi"}
    notes = " ".join(note["text"] for note in run.manifest["notes"])
    assert "38 of 40 vectors match an object of the survey; 2 do not" in notes
    assert "for instance 1000000000000000, 1000000000000001" in notes
    assert "2 of 40 objects of the survey have no vector, for instance -50000, -42081" in notes


def test_a_survey_that_has_none_of_the_objects_is_refused(fmb, survey, tmp_path):
    np.savez(tmp_path / "v.npz", object_id=np.arange(50), mine=np.ones((50, 4)))
    refused(fmb(*DETECT, "--embeddings", "v.npz", "--data", survey), "none of its 50 vectors")
    command = (*DETECT, "--embeddings", "v.npz", "--data", survey, "--catalog", "c.csv")
    refused(fmb(*command), "leave --catalog out")


def test_a_model_beside_own_vectors_needs_the_survey(fmb, survey, vectors):
    model = ("--model", "astropt", "--weights", "random", "--view", "image")
    refused(fmb(*DETECT, "--embeddings", vectors, *model), "or name their survey")
    done(fmb(*DETECT, "--embeddings", vectors, "--data", survey, *model, "--out", "both"))
    assert {name.model for name in open_run("both").vector_names} == {"own", "astropt"}


def test_scores_made_elsewhere_are_a_list_beside_ours(fmb, home, tmp_path):
    frame, values = wide(5 * np.arange(300))
    frame.to_parquet(tmp_path / "w.parquet", index=False)
    log_prob = -squared_distance(values)
    pd.DataFrame({"object_id": frame["object_id"], "log_prob": log_prob}).to_csv(
        tmp_path / "scores.csv", index=False
    )
    command = (*DETECT, "--embeddings", "w.parquet", "--detector", "theirs=from-table")
    setting = "detector.theirs."
    options = ("--set", f"{setting}file=scores.csv", "--set", f"{setting}column=log_prob")
    refused(fmb(*command, *options), "detector.theirs", "higher")
    done(fmb(*command, *options, "--set", f"{setting}higher=ordinary", "--out", "both"))
    run = open_run("both")
    ours, theirs = (run.scores(name) for name in run.lists)
    assert [name.detector for name in run.lists] == ["gaussian", "theirs"]
    assert theirs["score"].tolist() == pytest.approx((-log_prob).tolist(), rel=1e-12)  # text
    assert np.corrcoef(ours["rank"], theirs["rank"])[0, 1] > 0.95  # theirs has no shrinkage
    strangest = frame["object_id"][log_prob.argmin()]
    assert run.top(1, list="theirs")["object_id"].tolist() == [strangest]
    assert "theirs" in done(fmb("top", "both")).stdout
