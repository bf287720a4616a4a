"""New objects by the fits of a run: their scores, and where they stand among its objects."""

import numpy as np
import pandas as pd
import pytest
from fitted_sky import NEW, N, arrays_of, by_hand, fit, scored, sky, write

from fmb import open_run


def test_a_new_object_gets_the_mean_over_all_fits(fmb, skies):
    fit(fmb)
    got = scored(fmb).scores("gaussian v")
    expected = by_hand(open_run("base"), "gaussian v", "new")
    assert expected.shape == (5, NEW)
    np.testing.assert_allclose(got["score"], expected.mean(axis=0), rtol=1e-12)
    assert (got["fold"] == -1).all()


def test_its_place_among_the_objects_of_the_run_is_their_share_that_is_no_stranger(fmb, skies):
    fit(fmb)
    run, base = scored(fmb), open_run("base")
    for words in ("gaussian v", "gaussian w", "mismatch"):
        theirs = base.scores(words)["score"].to_numpy()
        mine = run.scores(words)
        expected = (theirs[None] <= mine["score"].to_numpy()[:, None]).mean(axis=1)
        np.testing.assert_allclose(mine["percentile_fitted"], expected)
        assert mine["rank"].max() == NEW  # ranks are among the new objects


def test_a_fused_list_stands_where_its_members_places_put_it(fmb, skies):
    fit(fmb)
    run, base = scored(fmb), open_run("base")
    (fused,) = [name for name in run.lists if name.is_fusion]
    assert len(fused.of) == 3
    places = [run.scores(name)["percentile_fitted"] for name in fused.of]
    mean = np.mean([np.maximum(one, 1 / N) for one in places], axis=0)
    theirs = np.mean([base.scores(name)["percentile"] for name in fused.of], axis=0)
    expected = (theirs[None] <= mean[:, None] + 1e-12).mean(axis=1)
    got = run.scores(fused)["percentile_fitted"]
    np.testing.assert_allclose(got, expected)
    assert got.between(0, 1).all()


@pytest.mark.parametrize("more", [(), ("--folds", "3"), ("--fit", "in-sample")])
def test_objects_of_the_run_get_the_scores_that_they_have_there(fmb, skies, more):
    fit(fmb, *more)
    run, base = scored(fmb, "old"), open_run("base")
    for name in base.lists:
        mine, theirs = run.scores(name), base.scores(name)
        np.testing.assert_allclose(mine["score"], theirs["score"], rtol=1e-12)
        assert mine["fold"].equals(theirs["fold"])
        if not name.is_fusion:  # of scores without ties both are the share of no stranger ones
            np.testing.assert_allclose(mine["percentile_fitted"], theirs["percentile"])
    told = "were seen by the fit" if "in-sample" in more else "by the fit that has not seen it"
    assert any(f"{N} of these objects" in line and told in line for line in run.remarks())


def test_fits_of_few_objects_keep_the_scale_that_they_shared(fmb, home, rng):
    ids, vectors, catalog = sky(rng, 60, 0)
    wide = {view: np.hstack([v, rng.normal(size=(60, 20))]) for view, v in vectors.items()}
    write("old", (ids, wide, catalog))
    fit(fmb, detectors=("--detector", "knn", "--detector", "gaussian"), given="none")
    base, run = open_run("base"), scored(fmb, "old")
    assert len(set(base.record("knn v")["offsets"])) == 20
    assert base.record("gaussian v")["fit"] == "leave-one-out"
    for words in ("knn v", "gaussian v"):
        got, theirs = run.scores(words)["score"], base.scores(words)["score"]
        np.testing.assert_allclose(got, theirs, rtol=1e-12)
    told = "60 of these objects are in run 'base' too: each has the score that it has there"
    assert any(told in line for line in run.remarks())


@pytest.mark.parametrize("alike", ["id", "vector", "place"])
def test_no_fit_scores_an_object_that_it_has_seen_whatever_it_is_called_now(fmb, skies, rng, alike):
    fit(fmb)
    arrays, old = arrays_of("old"), pd.read_csv("old.csv")
    ids, vectors, catalog = sky(rng, 50, 30_000)
    if alike == "id":
        ids = catalog["object_id"] = arrays["object_id"][:50]
    elif alike == "vector":
        vectors = {view: arrays[view][:50] for view in vectors}
    else:
        catalog["ra"], catalog["dec"] = old["ra"][:50], old["dec"][:50] + 0.5 / 3600
    write("again", (ids, vectors, catalog))
    got = scored(fmb, "again").scores("gaussian v")
    fold = open_run("base").scores("gaussian v")["fold"][:50].to_numpy(int)
    assert got["fold"].to_numpy(int).tolist() == fold.tolist()
    expected = by_hand(open_run("base"), "gaussian v", "again")[fold, np.arange(50)]
    np.testing.assert_allclose(got["score"], expected, rtol=1e-12)
