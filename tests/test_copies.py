"""Changed copies of objects are judged, and change nothing for the others."""

import numpy as np
import pandas as pd
import pytest

import fmb as api

N = 120
HOSTS = np.arange(30)


@pytest.fixture
def survey(tmp_path, monkeypatch):
    """Vectors of hosts alone and of hosts with copies that are far out."""
    monkeypatch.chdir(tmp_path)
    values = np.random.default_rng(0).normal(size=(N, 4)).astype(np.float32)
    np.savez("alone.npz", object_id=np.arange(N), v=values)
    planted = values[HOSTS] + np.float32(20)
    np.savez(
        "both.npz",
        object_id=np.arange(N + len(HOSTS)),
        injected_from=np.concatenate([np.arange(N), HOSTS]),
        v=np.concatenate([values, planted]),
    )


def run_on(fmb, name, *more):
    result = fmb(
        "detect", "--embeddings", f"{name}.npz", "--detector", "gaussian", "--out", name, *more
    )
    assert result.exit_code == 0, result.stderr
    return api.open_run(name), result


@pytest.mark.parametrize("fit", ["cross-fit", "in-sample"])
def test_lists_are_the_same_with_and_without_copies(fmb, home, survey, fit):
    alone, _ = run_on(fmb, "alone", "--fit", fit)
    both, told = run_on(fmb, "both", "--fit", fit)
    columns = ["object_id", "score", "rank", "percentile", "fold"]
    assert alone.top(N)[columns].equals(both.top(N)[columns])
    assert "30 changed copies: no fit has seen them and no list ranks them" in told.stderr
    copies = both.scores("gaussian v").iloc[N:]
    assert (copies["rank"] == 1).all()  # 20 sigma out
    assert (copies["is_repeat"]).all()


def test_copies_are_neither_reference_nor_discoveries(fmb, home, survey):
    alone, _ = run_on(fmb, "alone", "--reference", "object_id < 60")
    both, _ = run_on(fmb, "both", "--reference", "object_id < 60")
    columns = ["p_value", "q_value"]
    ours, theirs = (run.scores("gaussian v")[columns].iloc[:N] for run in (both, alone))
    assert ours.equals(theirs)
    assert both.scores("gaussian v")["q_value"].iloc[N:].isna().all()


def test_of_a_copy_it_is_said_that_no_list_ranks_it(fmb, home, survey):
    run_on(fmb, "both")
    told = fmb("object", str(N), "--run", "both").stdout
    assert "a changed copy of 0, which no list ranks; this would be its place" in " ".join(
        told.split()
    )


@pytest.mark.parametrize("shape", [[], ["--wide"], ["--top", "200"]])
def test_no_copy_enters_a_file_of_lists(fmb, home, survey, tmp_path, shape):
    run_on(fmb, "both")
    assert fmb("export", "both", "-o", "lists.parquet", *shape).exit_code == 0
    assert sorted(pd.read_parquet(tmp_path / "lists.parquet")["object_id"]) == list(range(N))
