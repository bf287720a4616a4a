"""New objects by the fits of a run: scored, placed, calibrated, held against it, or refused."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest

import fmb as public
from fmb import Vectors, open_run
from fmb.crossfit import Given, load_fits
from fmb_detectors.gaussian import GaussianDetector

N, NEW = 500, 300


def sky(rng, n, first_id, *, fainter=0.0, noisier=1.0):
    """Ids, vectors of two views, and a catalogue whose magnitude they follow."""
    magnitude = rng.normal(20 + fainter, 1, n)
    common = rng.normal(size=(n, 2))
    views = {
        view: (
            (magnitude - 20)[:, None] * slope
            + np.pad(common, ((0, 0), (0, 2)))
            + noisier * rng.normal(size=(n, 4))
        ).astype(np.float32)
        for view, slope in (("v", np.array([3.0, 2, -2, 0])), ("w", np.array([0, 1.0, 2, 1])))
    }
    ids = np.arange(first_id, first_id + n)
    place = {"ra": rng.uniform(0, 90, n), "dec": rng.uniform(-40, 40, n)}
    return ids, views, {"object_id": ids, **place, "magnitude": magnitude}


def write(name, sky, views=("v", "w")):
    ids, vectors, catalog = sky
    np.savez(f"{name}.npz", object_id=ids, **{view: vectors[view] for view in views})
    pd.DataFrame(catalog).to_csv(f"{name}.csv", index=False)


def arrays_of(name):
    with np.load(f"{name}.npz") as file:
        return dict(file)


@pytest.fixture
def rng():
    return np.random.default_rng(5)


@pytest.fixture
def skies(home, rng):
    """Two lots of objects of one sky, and one of a sky that is fainter and noisier."""
    write("old", sky(rng, N, 0))
    write("new", sky(rng, NEW, 10_000))
    write("other", sky(rng, NEW, 20_000, fainter=1.0, noisier=1.4))
    return home


DETECTORS = ("--detector", "gaussian", "--detector", "mismatch", "--fusion", "avg")


def fit(fmb, *args, detectors=DETECTORS, out="base", given="magnitude"):
    done = fmb(
        *("detect", "--embeddings", "old.npz", "--catalog", "old.csv", "--given", given),
        *detectors,
        *("--no-companions", "--out", out, *args),
    )
    assert done.exit_code == 0, done.stderr


def score(fmb, name="new", *args, base="base", out="r"):
    return fmb(
        *("detect", "--fitted", base, "--embeddings", f"{name}.npz", "--catalog", f"{name}.csv"),
        *("--out", out, *args),
    )


def scored(fmb, *args, **more):
    done = score(fmb, *args, **more)
    assert done.exit_code == 0, done.stderr
    return open_run(more.get("out", "r"))


def refused(result, *told):
    assert result.exit_code == 2
    (line,) = [one for one in result.stderr.splitlines() if one.startswith("fmb: ")]
    for text in told:
        assert text in line


def by_hand(base, words, name):
    """Scores of new objects by each kept fit of a list that is given the magnitude."""
    folder = base.folder.detectors(base.list_called(words))
    fits = load_fits(folder, GaussianDetector.load, "by hand")
    arrays, catalog = arrays_of(name), pd.read_csv(f"{name}.csv")
    vectors = Vectors(arrays["object_id"], arrays["v"])
    return fits.score_each(Given(vectors, fits.names, catalog[["magnitude"]].to_numpy(float)))


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


def test_the_same_command_again_makes_nothing(fmb, skies):
    fit(fmb)
    first = scored(fmb)
    kept = {path.name: path.stat().st_mtime_ns for path in (skies / "lists").iterdir()}
    second = scored(fmb, out="again")
    assert {p.name: p.stat().st_mtime_ns for p in (skies / "lists").iterdir()} == kept
    for name in first.lists:
        assert first.scores(name).equals(second.scores(name))


def test_what_the_fits_depend_on_makes_other_lists(fmb, skies):
    fit(fmb)
    scored(fmb)
    fit(fmb, "--where", "object_id < 400", out="base2")
    first, second = open_run("r"), scored(fmb, base="base2", out="r2")
    assert not first.scores("gaussian v")["score"].equals(second.scores("gaussian v")["score"])


def test_a_run_that_was_stopped_goes_on_and_its_toml_makes_it_again(fmb, skies):
    fit(fmb)
    first = scored(fmb)
    first.folder.manifest.unlink()
    assert fmb("detect", "--resume", "--out", "r").exit_code == 0
    done = fmb("detect", "--config", first.folder.request, "--out", "again")
    assert done.exit_code == 0, done.stderr
    for name in first.lists:
        assert open_run("r").scores(name).equals(first.scores(name))
        assert open_run("again").scores(name).equals(first.scores(name))


def test_the_plan_and_the_record_are_printed(fmb, skies):
    fit(fmb)
    plan = json.loads(score(fmb, "new", "--dry-run", "--json").stdout)
    assert plan["lists"] == [name.stem for name in open_run("base").lists]
    assert plan["given"]["own.as-is.v.gaussian.given"] == ["magnitude"]
    record = json.loads(score(fmb, "new", "--json").stdout)
    assert record["request"]["run"]["fitted"] == "base"
    assert record["drift"]["run"] == "base"


def test_top_and_export_have_the_place_among_the_objects_of_the_run(fmb, skies):
    fit(fmb)
    scored(fmb)
    top = fmb("top", "r", "--list", "gaussian v", "-k", "3").stdout
    assert "fitted" in top
    assert " %" in top
    assert fmb("export", "r", "-o", "r.csv").exit_code == 0
    table = pd.read_csv("r.csv")
    assert table["percentile_fitted"].notna().all()
    assert fmb("export", "base", "-o", "base.csv").exit_code == 0
    assert "percentile_fitted" not in pd.read_csv("base.csv")


def test_a_file_is_read_as_that_of_the_run_was(fmb, skies):
    for name in ("old", "new"):
        arrays = arrays_of(name)
        table = {"name": arrays["object_id"]}
        table |= {f"f{i}": arrays["v"][:, i] for i in range(4)}
        pd.DataFrame({**table, "g0": 1.0, "g1": 2.0}).to_csv(f"{name}-wide.csv", index=False)
    said = ("--ids", "name", "--vector-columns", "v=f0-f3")
    done = fmb(
        *("detect", "--embeddings", "old-wide.csv", *said, "--detector", "gaussian"),
        *("--out", "base"),
    )
    assert done.exit_code == 0, done.stderr
    done = fmb("detect", "--fitted", "base", "--embeddings", "new-wide.csv", "--out", "r")
    assert done.exit_code == 0, done.stderr
    run = open_run("r")
    assert [name.view for name in run.vector_names] == ["v"]
    assert run.objects["object_id"].tolist() == arrays_of("new")["object_id"].tolist()


def test_python_does_the_same(fmb, skies):
    fit(fmb)
    run = public.detect(fitted="base", embeddings="new.npz", catalog="new.csv", out="py")
    assert run.scores("gaussian v").equals(scored(fmb).scores("gaussian v"))


def test_lists_that_cannot_be_made_are_named_with_the_reason(fmb, skies):
    rows = pd.DataFrame({"object_id": np.arange(N), "score": np.arange(N) / N})
    rows.to_csv("told.csv", index=False)
    told = ("--detector", "from-table", "--set", "detector.from-table.file=told.csv")
    told += (
        "--set",
        "detector.from-table.column=score",
        "--set",
        "detector.from-table.higher=stranger",
    )
    fit(fmb, detectors=(*DETECTORS, *told))
    base = open_run("base")
    shutil.rmtree(base.folder.detectors(base.list_called("gaussian w")))
    run = scored(fmb)
    assert [name.stem for name in run.lists] == [
        "own.as-is.v.gaussian.given",
        "own.as-is.v+w.mismatch",
    ]
    notes = [note["text"] for note in run.manifest["notes"] if note["code"] == "fitted"]
    assert any("gaussian given magnitude: the fits were removed" in text for text in notes)
    assert any("fits of from-table cannot be kept" in text for text in notes)
    assert any("lists that it is made of are not" in text for text in notes)


def test_a_view_or_a_role_that_new_objects_lack_leaves_the_other_lists(fmb, skies, rng):
    fit(
        fmb,
        "--set",
        "detector.raw.given=none",
        detectors=(*DETECTORS, "--detector", "raw=gaussian"),
    )
    ids, vectors, catalog = sky(rng, NEW, 10_000)
    del catalog["magnitude"]
    write("new", (ids, vectors, catalog), views=("v",))
    run = scored(fmb)
    assert [name.stem for name in run.lists] == ["own.as-is.v.raw"]
    notes = " ".join(note["text"] for note in run.manifest["notes"])
    assert "these objects have no magnitude" in notes
    assert "these objects have no w" in notes


@pytest.mark.parametrize(
    ("args", "told"),
    [
        (("--fitted", "bose", "--embeddings", "new.npz"), ("no run is called 'bose'", "base")),
        (("--fitted", "base"), ("vectors of your own", "--embeddings")),
        (("--fitted", "base", "--data", "demo"), ("vectors of your own", "--embeddings")),
        (
            ("--fitted", "base", "--embeddings", "new.npz", "--seed", "3"),
            ("another run.seed", "leave it out"),
        ),
        (
            ("--fitted", "base", "--embeddings", "new.npz", "--detector", "knn"),
            ("another detector.knn.use", "leave it out"),
        ),
        (
            ("--fitted", "base", "--embeddings", "new.npz", "--reference", "object_id > 3"),
            ("another run.reference", "leave it out"),
        ),
        (("--fitted", "base", "--embeddings", "wide.npz"), ("7 numbers each", "have 4")),
        (("--fitted", "base", "--embeddings", "alien.npz"), ("no list of these", "no v")),
    ],
)
def test_what_cannot_work_is_refused_in_one_line(fmb, skies, rng, args, told):
    fit(fmb)
    ids = np.arange(40)
    np.savez("wide.npz", object_id=ids, v=rng.normal(size=(40, 7)))
    np.savez("alien.npz", object_id=ids, z=rng.normal(size=(40, 4)))
    refused(fmb("detect", *args, "--out", "r"), *told)
    assert not (skies / "runs" / "r").exists()


def test_a_run_without_fits_of_its_own_is_refused(fmb, skies):
    fit(fmb)
    scored(fmb)
    refused(score(fmb, base="r", out="s"), "made by the fits of 'base'", "--fitted base")
    base = open_run("base")
    shutil.rmtree(base.folder.path / "detectors")
    refused(score(fmb, out="s"), "can make no list", "the fits were removed")
    base.folder.manifest.unlink()
    refused(score(fmb, out="s"), "'base' is not finished")


DEMO = ("--data", "demo", "--set", "data.n_objects=300")


@pytest.fixture
def model_run(fmb, home):
    """A run on a third of the galaxies of a small sky, by a network."""
    done = fmb(
        *("detect", "--model", "astropt", "--view", "image", "--view", "spectrum", *DEMO),
        *("--detector", "gaussian", "--detector", "mismatch", "--limit", "160", "--out", "base"),
    )
    assert done.exit_code == 0, done.stderr
    ids = open_run("base").objects["object_id"]
    ids.to_csv("theirs.txt", index=False, header=False)
    return home


def test_other_galaxies_of_the_same_sky_are_scored_without_the_network_learning_anew(
    fmb, model_run
):
    done = fmb("detect", "--fitted", "base", *DEMO, "--exclude", "theirs.txt", "--out", "r")
    assert done.exit_code == 0, done.stderr
    run, base = open_run("r"), open_run("base")
    assert run.lists == base.lists
    assert "drift: 0 of" in done.stdout
    again = fmb("detect", "--fitted", "base", *DEMO, "--out", "all")
    assert again.exit_code == 0, again.stderr
    assert any(
        "of these objects were seen by the fit" in line for line in open_run("all").remarks()
    )


def test_a_network_whose_weights_are_others_now_is_refused(fmb, model_run):
    args = ("--model", "astropt", "--weights", "random")
    done = fmb("detect", "--fitted", "base", *DEMO, *args, "--out", "r")
    refused(done, "image vectors of astropt do not compare", "weights", "without --fitted")


def test_galaxies_without_spectra_get_the_lists_of_images(fmb, model_run):
    only = ("--model", "astropt", "--view", "image")
    engine = ("--engine", "local", "--set", "engine.local.workers=1")
    done = fmb("detect", "--fitted", "base", *DEMO, *only, *engine, "--out", "r")
    assert done.exit_code == 0, done.stderr
    assert [name.view for name in open_run("r").lists] == ["image"]
    assert "these objects have no spectrum" in open_run("r").folder.log.read_text()
