"""What is said of new objects against those of the run: p-values, and drift."""

import shutil

import numpy as np
import pandas as pd
import pytest
from fitted_sky import NEW, N, arrays_of, by_hand, fit, score, scored, sky, write

from fmb import open_run


def test_p_is_taken_against_the_reference_of_the_run_by_the_same_fits(fmb, skies):
    fit(fmb, "--reference", "object_id >= 300", detectors=("--detector", "gaussian"))
    run, base = scored(fmb), open_run("base")
    arrays, catalog = arrays_of("old"), pd.read_csv("old.csv")
    aside = {"v": arrays["v"][300:], "w": arrays["w"][300:]}
    write("aside", (arrays["object_id"][300:], aside, catalog[300:]))
    mine = run.scores("gaussian v")
    ordinary = by_hand(base, "gaussian v", "aside").mean(axis=0)
    expected = (1 + (ordinary[None] >= mine["score"].to_numpy()[:, None]).sum(axis=1)) / 201
    np.testing.assert_allclose(mine["p_value"].to_numpy(float), expected)
    assert run.record("gaussian v")["reference_objects"] == 200


def test_fused_lists_of_new_objects_have_p_values_too_and_they_hold(fmb, skies):
    fit(fmb, "--reference", "object_id >= 300")
    run = scored(fmb)
    (fused,) = [name for name in run.lists if name.is_fusion]
    p = np.sort(run.scores(fused)["p_value"].to_numpy(float))
    grid = np.arange(1, NEW + 1) / NEW
    # Kolmogorov-Smirnov against 0.1 %: 1.95 sqrt(1/n + 1/m)
    assert np.abs(p - grid).max() < 1.95 * np.sqrt(1 / NEW + 1 / 200)


def test_a_reference_whose_scores_are_gone_gives_no_p_and_that_is_said(fmb, skies):
    fit(fmb, "--reference", "object_id >= 300", detectors=("--detector", "gaussian"))
    shutil.rmtree(skies / "lists")
    run = scored(fmb)
    assert run.scores("gaussian v")["p_value"].isna().all()
    assert any("no p-values" in line and "gone" in line for line in run.remarks())


def test_a_run_on_other_objects_of_the_same_sky_shows_no_drift(fmb, skies):
    fit(fmb)
    done = score(fmb)
    assert "drift: 0 of 4 lists and roles beyond chance" in done.stdout
    assert " ".join(done.stdout.split()).count("drift: ") == 2  # of what is within chance the first
    assert "drift: within chance: 4, the first of them " in done.stdout
    assert "drift: " not in done.stderr
    kept = [note["text"] for note in open_run("r").manifest["notes"] if note["code"] == "drift"]
    assert kept == open_run("r").manifest["drift"]["lines"]
    assert open_run("r").manifest["drift"]["comparisons"] == 2 * 3 + 1
    assert max(map(len, done.stdout.splitlines())) <= 80


def test_a_fainter_and_noisier_sky_is_named_and_the_worst_stands_first(fmb, skies):
    fit(fmb)
    done = score(fmb, "other")
    drift = open_run("r").manifest["drift"]
    assert drift["beyond"] >= 3
    assert "drift: role magnitude" in drift["lines"][1]
    (role,) = drift["roles"]
    assert role["median_shift"] == pytest.approx(1.0, abs=0.25)  # fainter by one spread
    worst = max(one["scores"]["distance"] for one in drift["lists"])
    assert role["distance"] >= worst
    assert "of 300 new objects lie beyond the" in " ".join(done.stdout.split())
    base, new = pd.read_csv("old.csv")["magnitude"], pd.read_csv("other.csv")["magnitude"]
    outside = (new < base.min()) | (new > base.max())
    assert role["outside"] == pytest.approx(outside.mean())


def test_objects_of_the_run_do_not_hide_the_drift_of_new_ones(fmb, skies):
    """Last year's survey and this year's in one file: only this year's are new."""
    fit(fmb)
    scored(fmb, name="other", out="alone")
    both = {key: np.concatenate([a, b]) for key, a, b in joined("old", "other")}
    np.savez("both.npz", **both)
    pd.concat([pd.read_csv("old.csv"), pd.read_csv("other.csv")]).to_csv("both.csv", index=False)
    done = score(fmb, "both")
    assert f"drift: {N:,} objects of run base too, not counted as new" in done.stdout
    alone, drift = (open_run(name).manifest["drift"] for name in ("alone", "r"))
    assert drift["roles"] == alone["roles"]
    assert [one["scores"]["new"] for one in drift["lists"]] == [300] * 3
    assert drift["beyond"] == alone["beyond"]


def joined(*names):
    """(name of an array, it in each file) of files of vectors."""
    files = [arrays_of(name) for name in names]
    return [(key, *(file[key] for file in files)) for key in files[0]]


def test_labels_of_new_objects_stand_in_their_table(fmb, skies):
    """A screen has room for one more column beside the place among the fitted."""
    fit(fmb, detectors=("--detector", "gaussian"))
    table = pd.read_csv("new.csv").assign(redshift=0.5, label="a-kind-of-some-length")
    table["object_id"] += 6_000_000_000_000_000_000
    table.to_csv("new.csv", index=False)
    vectors = dict(arrays_of("new"))
    vectors["object_id"] = table["object_id"].to_numpy()
    np.savez("new.npz", **vectors)
    head = next(line for line in score(fmb).stdout.splitlines() if line.startswith("rank"))
    assert head.split()[-2:] == ["fitted", "label"]


def test_drift_is_found_by_chance_no_more_often_than_is_said(fmb, home):
    """Of 12 skies at 1 %: two or more false alarms have a chance of 0.6 %."""
    found = 0
    for seed in range(12):
        rng = np.random.default_rng(1000 + seed)
        write("old", sky(rng, 200, 0))
        write("new", sky(rng, 150, 1000))
        fit(fmb, detectors=("--detector", "gaussian"), out=f"b{seed}")
        run = scored(fmb, base=f"b{seed}", out=f"r{seed}")
        found += run.manifest["drift"]["beyond"] > 0
    assert found <= 1


def test_scores_of_an_in_sample_run_say_that_drift_cannot_be_told(fmb, skies):
    fit(fmb, "--fit", "in-sample")
    run = scored(fmb)
    assert run.manifest["drift"]["lists"] == []
    assert [one["role"] for one in run.manifest["drift"]["roles"]] == ["magnitude"]
    assert any("in-sample" in line and "cannot be told" in line for line in run.remarks())


def test_objects_that_do_not_know_a_role_have_no_place_among_those_that_do(fmb, skies, rng):
    fit(fmb)
    ids, vectors, catalog = sky(rng, NEW, 10_000)
    catalog["magnitude"][:20] = np.nan
    write("new", (ids, vectors, catalog))
    got = scored(fmb).scores("gaussian v")
    assert got["percentile_fitted"].isna().to_numpy().nonzero()[0].tolist() == list(range(20))
    assert got["rank"].notna().all()
