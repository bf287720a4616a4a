"""A list is made once: every run that asks for the same shows the same file."""

import shutil

import numpy as np
import pandas as pd
import pytest

N = 60


@pytest.fixture
def detect(fmb, tmp_path):
    """`fmb detect` on vectors of one's own: detect("--out", "mine", ...)."""
    values = np.random.default_rng(0).normal(size=(N, 4)).astype(np.float32)
    np.savez(tmp_path / "v.npz", object_id=np.arange(N), v=values)

    def run(*more):
        result = fmb("detect", "--embeddings", "v.npz", *more)
        assert result.exit_code == 0, result.stderr
        return result

    return run


def scores(home, run, label="gaussian"):
    return home / "runs" / run / "scores" / f"own.as-is.v.{label}.parquet"


def kept(home):
    return sorted(path.name for path in (home / "lists").iterdir())


@pytest.mark.parametrize("text", [False, True])
def test_the_same_request_makes_no_list_again(detect, home, tmp_path, text):
    if text:
        vectors = np.load(tmp_path / "v.npz")["v"]
        np.savez(tmp_path / "v.npz", object_id=[f"object {i}" for i in range(N)], v=vectors)
    detect("--detector", "gaussian", "--out", "one")
    before = kept(home)
    detect("--detector", "gaussian", "--out", "two")
    assert kept(home) == before
    assert scores(home, "one").samefile(scores(home, "two"))
    fits = [home / "runs" / run / "detectors" for run in ("one", "two")]
    (first, second) = ([p for p in sorted(fit.rglob("*")) if p.is_file()] for fit in fits)
    assert len(first) > 0
    assert all(a.samefile(b) for a, b in zip(first, second, strict=True))


def test_another_detector_makes_its_own_list_only(detect, home):
    detect("--detector", "gaussian", "--out", "one")
    (before,) = kept(home)
    detect("--detector", "gaussian", "--detector", "flow", "--out", "two")
    assert len(kept(home)) == 2
    assert before in kept(home)
    assert scores(home, "one").samefile(scores(home, "two"))


def test_a_list_under_another_label_is_the_same_list(detect, fmb, home):
    detect("--detector", "gaussian", "--out", "one")
    detect("--detector", "mine=gaussian", "--out", "two")
    assert scores(home, "one").samefile(scores(home, "two", "mine"))
    assert "own v (as-is), mine" in fmb("top", "two").stdout


@pytest.mark.parametrize("change", [("--seed", 1), ("--folds", 3), ("--fit", "in-sample")])
def test_whatever_changes_scores_is_another_list(detect, home, change):
    detect("--detector", "gaussian", "--out", "one")
    detect("--detector", "gaussian", "--out", "two", *change)
    assert len(kept(home)) == 2


def test_another_column_of_the_catalogue_makes_no_list_and_a_group_does(detect, home, tmp_path):
    table = pd.DataFrame({"object_id": np.arange(N), "z": np.linspace(0, 1, N)})
    table.to_csv(tmp_path / "c.csv", index=False)
    detect("--detector", "gaussian", "--out", "one")
    detect("--detector", "gaussian", "--catalog", "c.csv", "--out", "two")
    assert len(kept(home)) == 1
    table.assign(group=np.arange(N) // 2).to_csv(tmp_path / "c.csv", index=False)
    detect("--detector", "gaussian", "--catalog", "c.csv", "--out", "three")
    assert len(kept(home)) == 2


def test_a_run_is_whole_without_what_the_workspace_keeps(detect, fmb, home):
    detect("--detector", "gaussian", "--out", "one")
    first = scores(home, "one").read_bytes()
    shutil.rmtree(home / "lists")
    assert fmb("top", "one").exit_code == 0
    detect("--detector", "gaussian", "--out", "two")
    assert scores(home, "two").read_bytes() == first


def test_lists_that_were_left_after_an_interruption_are_those_of_an_undisturbed_run(
    detect, fmb, home, monkeypatch
):
    both = ("--detector", "gaussian", "--detector", "flow")
    detect(*both, "--out", "undisturbed")
    shutil.rmtree(home / "lists")
    detect("--detector", "flow", "--out", "part")  # as if the other list had not been reached
    detect(*both, "--out", "rest")
    for label in ("gaussian", "flow"):
        one, other = (scores(home, run, label).read_bytes() for run in ("undisturbed", "rest"))
        assert one == other


@pytest.mark.parametrize(
    "damage",
    [
        lambda folder: (folder / "scores.parquet").write_bytes(b""),
        lambda folder: (folder / "record.json").unlink(),
        lambda folder: (folder / "record.json").write_text("[]"),
    ],
)
def test_a_list_that_was_damaged_is_made_anew(detect, home, damage):
    detect("--detector", "gaussian", "--out", "one")
    first = scores(home, "one").read_bytes()
    (key,) = kept(home)
    damage(home / "lists" / key)
    result = detect("--detector", "gaussian", "--out", "two")
    assert "was damaged: this list is made anew" in result.stderr
    assert scores(home, "two").read_bytes() == first
