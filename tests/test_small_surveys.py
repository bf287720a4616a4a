"""`fmb detect` on few objects for their dimension: left out one by one, or in more folds."""

import os
from pathlib import Path

import numpy as np
import pytest

from fmb import open_run
from fmb_analyses.metrics import auroc

N, D = 90, 40


@pytest.fixture
def survey(home, tmp_path):
    """90 objects of 40 numbers on the sky; the first three four times as far off as others."""
    rng = np.random.default_rng(0)
    values = rng.normal(size=(N, D)).astype(np.float32)
    values[:3] *= 4
    ra, dec = rng.uniform(10, 40, N), rng.uniform(-10, 10, N)
    np.savez(tmp_path / "v.npz", object_id=np.arange(N), ra=ra, dec=dec, v=values)
    return values


def detect(fmb, out, *more, file="v.npz"):
    result = fmb("detect", "--embeddings", file, "--out", out, *more)
    assert result.exit_code == 0, result.stderr
    run = open_run(out)
    (name,) = run.lists
    return run.scores(name), run.record(name), result


def test_the_gaussian_leaves_out_each_object_and_the_run_says_so(fmb, survey):
    scores, record, result = detect(fmb, "r", "--detector", "gaussian")
    assert (record["fit"], record["folds"]) == ("leave-one-out", 1)
    assert (scores["fold"] == -1).all()
    assert set(np.argsort(scores["rank"])[:3]) == {0, 1, 2}
    assert (
        "1 of 1 lists have fewer than 4 objects for each number of a vector: each" in result.stderr
    )
    inside, _, _ = detect(fmb, "i", "--detector", "gaussian", "--fit", "in-sample")
    assert np.array_equal(scores["rank"], inside["rank"])
    assert (scores["score"] > inside["score"]).mean() > 0.9  # it has not drawn the fit to itself


@pytest.mark.parametrize(
    ("more", "fit", "folds"),
    [
        (("--folds", 5), "cross-fit", 5),
        (("--fold-by", "sky", "--folds", 3), "cross-fit", 3),
        (("--fold-by", "sky"), "cross-fit", 5),
        (("--fit", "in-sample"), "in-sample", 1),
    ],
)
def test_folds_that_are_asked_for_are_made(fmb, survey, more, fit, folds):
    _, record, _ = detect(fmb, "r", "--detector", "gaussian", *more)
    assert (record["fit"], record["folds"], record["note"]) == (fit, folds, "")
    assert set(record["offsets"]) == {0.0}


def test_another_detector_gets_twenty_folds_on_one_scale(fmb, survey, home):
    _, record, result = detect(fmb, "r", "--detector", "flow")
    assert (record["fit"], record["folds"]) == ("cross-fit", 20)
    assert "fewer than 4 objects for each number of a vector: 20 folds" in result.stderr
    assert sum(record["offsets"]) == pytest.approx(0, abs=1e-9)
    assert np.std(record["offsets"]) > 0
    assert len(list((home / "runs" / "r").glob("**/fold-*"))) == 20


def test_enough_objects_are_cross_fitted_in_five_folds(fmb, home, tmp_path):
    values = np.random.default_rng(0).normal(size=(160, D)).astype(np.float32)
    np.savez(tmp_path / "v.npz", object_id=np.arange(160), v=values)
    _, record, _ = detect(fmb, "r", "--detector", "gaussian")
    assert (record["fit"], record["folds"], record["note"]) == ("cross-fit", 5, "")


def test_p_values_are_taken_against_the_fit_to_all_ranked_objects(fmb, survey, tmp_path):
    (tmp_path / "ordinary.txt").write_text("\n".join(map(str, range(50, N))))
    scores, record, _ = detect(fmb, "r", "--detector", "gaussian", "--reference", "ordinary.txt")
    assert (record["ranked"], record["reference_objects"]) == (50, 40)
    assert record["fit"] == "leave-one-out"
    p = scores["p_value"].to_numpy(float, na_value=np.nan)[:50]
    assert (p[:3] == 1 / 41).all()
    assert 0.3 < p[3:].mean() < 0.7
    assert (np.diff(p[np.argsort(scores["rank"][:50])]) >= 0).all()  # one fit: p grows with rank


def test_an_export_says_how_the_list_was_fitted(fmb, survey, tmp_path):
    detect(fmb, "r", "--detector", "gaussian")
    assert fmb("export", "r", "-o", "out.ecsv").exit_code == 0
    text = (tmp_path / "out.ecsv").read_text()
    assert "leave-one-out" in text
    assert "1 folds" not in text


SETS = Path(os.environ.get("FMB_TEST_DATA", ".")) / "adbench"


@pytest.mark.skipif("FMB_TEST_DATA" not in os.environ, reason="FMB_TEST_DATA is not set")
@pytest.mark.parametrize("path", sorted(SETS.glob("*.npz")), ids=lambda path: path.stem)
def test_on_labelled_sets_cross_fitting_costs_the_gaussian_nothing(fmb, tmp_path, path):
    with np.load(path) as file:
        labels, values = file["y"].astype(bool), file["X"]
    np.savez(tmp_path / "set.npz", object_id=np.arange(len(labels)), v=values)
    found = {
        fit: auroc(labels, detect(fmb, fit, "--fit", fit, "--detector", "gaussian",
                                  file="set.npz")[0]["score"].to_numpy())
        for fit in ("cross-fit", "in-sample")
    }  # fmt: skip
    assert found["cross-fit"] >= found["in-sample"] - 0.0005


def test_a_run_of_few_objects_that_fuses_lists_ends_well(fmb, survey):
    more = ("--detector", "gaussian", "--detector", "knn", "--fusion", "avg", "--no-companions")
    result = fmb("detect", "--embeddings", "v.npz", *more, "--out", "r")
    assert result.exit_code == 0, result.stderr
    assert [name.is_fusion for name in open_run("r").lists] == [False, False, True]
    assert "1 of 3 lists have fewer than 4 objects" in result.stderr
