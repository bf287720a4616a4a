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


def planted(fmb, hosts):
    """`fmb detect` on 60 objects whose `injected_from` is `hosts`."""
    values = np.random.default_rng(1).normal(size=(60, 3)).astype(np.float32)
    np.savez("p.npz", object_id=np.arange(60), injected_from=hosts, v=values)
    return fmb("detect", "--embeddings", "p.npz", "--detector", "gaussian", "--out", "p")


def test_copies_without_their_host_are_named_and_scored(fmb, home, survey):
    hosts = np.arange(60)
    hosts[[50, 51]], hosts[52] = [900, 901], 3
    result = planted(fmb, hosts)
    told = " ".join(result.stderr.split())
    lost = "injected_from: 2 of 3 changed copies have no host among these objects (50, 51)"
    assert lost in told
    assert "3 changed copies: no fit has seen them" in told
    assert np.isfinite(api.open_run("p").scores("gaussian v")["score"].iloc[[50, 51]]).all()


def test_a_copy_of_a_copy_is_refused_as_a_fit_might_have_seen_its_host(fmb, home, survey):
    hosts = np.arange(60)
    hosts[[50, 51]] = [3, 50]
    result = planted(fmb, hosts)
    assert result.exit_code == 2
    assert "injected_from: 1 of 2 changed copies were made of copies (51): name the unch" in (
        result.stderr
    )


def test_copies_alone_are_no_survey_to_rank(fmb, home, survey):
    result = planted(fmb, np.arange(60) + 900)
    assert result.exit_code == 2
    assert "all 60 objects are changed copies (injected_from names others)" in result.stderr


@pytest.mark.parametrize("more", [(), ("--fit", "in-sample")])
def test_objects_of_one_source_are_no_survey_to_rank(fmb, home, survey, more):
    values = np.random.default_rng(1).normal(size=(60, 3)).astype(np.float32)
    np.savez("p.npz", object_id=np.arange(60), group=np.ones(60, dtype=int), v=values)
    result = fmb("detect", "--embeddings", "p.npz", "--detector", "gaussian", *more)
    assert result.exit_code == 2
    assert "all 60 objects are one source (one group, or within 1 arcsec)" in result.stderr
