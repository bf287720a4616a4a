"""p and q values exist against a named reference only, and keep what they promise."""

import numpy as np
import pandas as pd
import pytest

N, N_REFERENCE, N_ANOMALIES = 600, 400, 18


@pytest.fixture
def vectors(tmp_path):
    """Ordinary objects, of which some are set aside, and anomalies 12 sigma away."""
    rng = np.random.default_rng(3)
    values = rng.normal(size=(N + N_REFERENCE, 6)).astype(np.float32)
    values[:N_ANOMALIES, 0] += 12
    ids = np.arange(len(values))
    np.savez(tmp_path / "v.npz", object_id=ids, vectors=values)
    aside = ids >= N
    pd.DataFrame({"object_id": ids, "aside": aside.astype(int)}).to_csv("cat.csv", index=False)
    np.savetxt(tmp_path / "aside.txt", ids[aside], fmt="%d")
    np.savez(tmp_path / "ranked.npz", object_id=ids[~aside], vectors=values[~aside])
    np.savez(tmp_path / "known.npz", object_id=ids[aside], vectors=values[aside])


def detect(fmb, *args, file="v.npz"):
    return fmb("detect", "--embeddings", file, "--detector", "gaussian", "--out", "r", *args)


def table(home):
    path = home / "runs" / "r"
    scores = pd.read_parquet(path / "scores" / "own.as-is.vectors.gaussian.parquet")
    return scores.set_index(pd.read_parquet(path / "objects.parquet")["object_id"])


@pytest.fixture
def fmb_here(home, fmb):
    return fmb


@pytest.mark.parametrize("reference", ["aside == 1", "aside.txt"])
def test_anomalies_get_small_q_and_the_reference_is_not_ranked(fmb_here, vectors, home, reference):
    result = detect(fmb_here, "--catalog", "cat.csv", "--reference", reference)
    assert result.exit_code == 0, result.stderr
    got = table(home)
    assert got.loc[N:, "score"].isna().all()
    assert got["rank"].max() == N
    found = got.index[(got["q_value"] <= 0.1).fillna(False)]
    assert set(range(N_ANOMALIES)) <= set(found)
    assert len(found) <= 2 * N_ANOMALIES
    assert got["p_value"].min() == pytest.approx(1 / (N_REFERENCE + 1))
    assert "reference: 400 objects" in result.stderr


def test_p_is_uniform_for_ordinary_objects(fmb_here, vectors, home):
    detect(fmb_here, "--catalog", "cat.csv", "--reference", "aside == 1")
    p = np.sort(table(home).loc[N_ANOMALIES : N - 1, "p_value"].to_numpy(float))
    grid = np.arange(1, len(p) + 1) / len(p)
    # Kolmogorov-Smirnov against 1 %: 1.63 sqrt(1/n + 1/m)
    assert np.abs(p - grid).max() < 1.63 * np.sqrt(1 / len(p) + 1 / N_REFERENCE)


def test_a_run_that_shares_objects_is_no_reference(fmb_here, vectors, home):
    detect(fmb_here, file="ranked.npz")
    again = fmb_here(
        "detect", "--embeddings", "v.npz", "--detector", "gaussian", "--reference", "r"
    )
    assert again.exit_code == 2
    assert "600 of its objects are also ranked here" in again.stderr


def test_another_run_of_the_same_model_is_a_reference(fmb, home, tmp_path, make_survey):
    model = ("--model", "astropt", "--weights", "random", "--detector", "gaussian")

    def others(arrays):
        rng = np.random.default_rng(9)
        arrays["object_id"] += 10**6
        arrays["image/flux"] += rng.normal(0, 0.5, arrays["image/flux"].shape)

    known = make_survey(tmp_path / "known", change=others)
    survey = make_survey(tmp_path / "tiny")
    assert fmb("detect", *model, "--data", known, "--out", "known").exit_code == 0
    again = ("detect", *model, "--data", survey, "--reference", "known", "--out", "r")
    result = fmb(*again)
    assert result.exit_code == 0, result.stderr
    path = home / "runs" / "r" / "scores" / "astropt.mean.image.gaussian.parquet"
    p = pd.read_parquet(path)["p_value"]
    assert p.min() >= 1 / 41
    assert p.notna().all()


def test_a_run_with_other_weights_is_no_reference(fmb, home, tmp_path, make_survey):
    model = ("--model", "astropt", "--weights", "random", "--detector", "gaussian")

    def others(arrays):
        arrays["object_id"] += 10**6

    known = make_survey(tmp_path / "known", change=others)
    survey = make_survey(tmp_path / "tiny")
    fmb("detect", *model, "--data", known, "--seed", 5, "--out", "known")
    result = fmb("detect", *model, "--data", survey, "--reference", "known")
    assert result.exit_code == 2
    assert "same weights and configuration" in result.stderr


def test_repeats_of_a_reference_source_are_not_ranked(fmb, home, tmp_path):
    rng = np.random.default_rng(0)
    np.savez(tmp_path / "v.npz", object_id=np.arange(100), v=rng.normal(size=(100, 3)))
    group = ["same" if i in (10, 90) else "" for i in range(100)]
    catalog = pd.DataFrame({"object_id": range(100), "group": group})
    catalog["aside"] = (catalog["object_id"] >= 50).astype(int)
    catalog.to_csv(tmp_path / "cat.csv", index=False)
    args = ("--catalog", "cat.csv", "--reference", "aside == 1", "--out", "r")
    assert fmb("detect", "--embeddings", "v.npz", "--detector", "gaussian", *args).exit_code == 0
    scores = pd.read_parquet(home / "runs/r/scores/own.as-is.v.gaussian.parquet")["score"]
    assert scores.notna().sum() == 49
    assert np.isnan(scores[10])


@pytest.mark.parametrize(
    ("reference", "said"),
    [
        ("known.txt", "--reference (no run, no file) 'known.txt': 'known.txt' is not a condition"),
        ("aside = 1", "--reference (no run, no file) 'aside = 1': write == for equal"),
        ("asyde == 1", "no column is called 'asyde'; did you mean 'aside'?"),
    ],
)
def test_a_reference_that_is_nothing_is_told_so_under_its_own_name(
    fmb_here, vectors, reference, said
):
    refused = detect(fmb_here, "--catalog", "cat.csv", "--reference", reference)
    assert refused.exit_code == 2
    assert said in refused.stderr
    assert "--where" not in refused.stderr
