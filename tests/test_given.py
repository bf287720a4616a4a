"""Lists given roles of the catalogue: asked for, said everywhere, kept, and refused in a line."""

import json

import numpy as np
import pandas as pd
import pytest
from astropy.io import fits
from astropy.table import Table

from fmb import Vectors, open_run
from fmb.crossfit import Given, load_fits
from fmb_detectors.gaussian import GaussianDetector

N, PLANTED = 900, 12


@pytest.fixture
def survey(home, tmp_path):
    """Vectors that follow a magnitude, and whose noise follows S/N; some stand off their magnitude.

    The last object is brighter than any other by far.
    """
    rng = np.random.default_rng(5)
    magnitude, snr = rng.normal(20, 1, N), rng.normal(30, 5, N)
    magnitude[:PLANTED] = rng.normal(20, 0.3, PLANTED)
    magnitude[-1] = 12
    values = (magnitude - 20)[:, None] * np.array([3.0, 2.0, -2.0, 0.0])
    values += rng.normal(size=(N, 4)) * np.exp(0.15 * (snr - 30))[:, None]
    values[:PLANTED] += np.array([2.5, -2.5, 2.5, 2.5]) * np.exp(0.15 * (snr - 30))[:PLANTED, None]
    np.savez(tmp_path / "v.npz", object_id=np.arange(N), v=values.astype(np.float32))
    catalog = {
        "object_id": np.arange(N),
        "magnitude": magnitude,
        "snr": snr,
        "depth": np.full(N, 25.0),
        "psf": np.where(np.arange(N) < 10, 1.0, np.nan),
        "size": np.where(np.arange(N) % 10 == 3, np.nan, rng.uniform(1, 2, N)),
        "ebv": np.full(N, np.nan),
        "class": "galaxy",
    }
    pd.DataFrame(catalog).to_csv(tmp_path / "cat.csv", index=False)
    return home


def detect(fmb, *args, detectors=("gaussian",), out="r"):
    named = [part for one in detectors for part in ("--detector", one)]
    return fmb(
        "detect", "--embeddings", "v.npz", "--catalog", "cat.csv", *named, "--out", out, *args
    )


def refused(result, *told):
    assert result.exit_code == 2
    (line,) = [one for one in result.stderr.splitlines() if one.startswith("fmb: ")]
    for text in told:
        assert text in line


def test_given_finds_what_raw_hides_behind_the_extremes_of_a_role(fmb, survey):
    both = ("gaussian", "raw=gaussian")
    roles = ("--given", "magnitude,snr", "--set", "detector.raw.given=none")
    assert detect(fmb, *roles, detectors=both).exit_code == 0
    run = open_run("r")
    raw, given = (run.ranked(words)["object_id"].astype(int) for words in ("raw", "given"))
    found = [float((top[:PLANTED] < PLANTED).mean()) for top in (raw, given)]
    snr = pd.read_csv("cat.csv")["snr"]
    noisy = [float((snr[top[:PLANTED]] > snr.quantile(0.9)).mean()) for top in (raw, given)]
    assert noisy[0] >= 0.5
    assert noisy[1] <= 0.3
    assert found[1] >= 0.5
    assert found[0] <= found[1] / 2


def test_every_screen_says_what_a_list_is_given(fmb, survey):
    done = detect(fmb, "--given", "magnitude,snr")
    title = "own v (as-is), gaussian given magnitude, snr"
    assert f"{title}: the strangest of 900" in done.stdout
    assert title in fmb("top", "r").stdout
    lines = fmb("object", "3", "--run", "r").stdout.splitlines()
    at = next(n for n, line in enumerate(lines) if line.startswith("own v (as-is), gaussian given"))
    assert lines[at + 1] == "magnitude, snr"  # the cell is folded
    record = json.loads(fmb("top", "r", "--json").stdout)
    assert list(record) == ["own.as-is.v.gaussian.given"]
    scores = survey / "runs" / "r" / "scores"
    assert json.loads((scores / "own.as-is.v.gaussian.given.json").read_text())["given"] == {
        "magnitude, snr": 900
    }
    told = open_run("r").top(3)
    assert set(told["given"]) == {"magnitude, snr"}


def test_exported_tables_say_what_each_list_is_given(fmb, survey):
    both = ("gaussian", "raw=gaussian")
    roles = ("--given", "magnitude,snr", "--set", "detector.raw.given=none")
    detect(fmb, *roles, detectors=both)
    assert fmb("export", "r", "--top", 3, "-o", "long.fits").exit_code == 0
    with fits.open("long.fits") as file:
        rows, header = file[1].data, " ".join(file[1].header["COMMENT"])
    assert dict(zip(rows["list"], rows["given"], strict=True)) == {
        "own.as-is.v.gaussian.given": "magnitude, snr",
        "own.as-is.v.raw": "",
    }
    assert "own.as-is.v.gaussian.given (v_gaussian) given magnitude, snr: 900 ranked" in header
    assert "own.as-is.v.raw (v_raw): 900 ranked" in header
    fmb("export", "r", "--wide", "-o", "wide.ecsv")
    told = {name: column.description for name, column in Table.read("wide.ecsv").columns.items()}
    assert told["rank_v_gaussian"].endswith("; list v_gaussian given magnitude, snr")
    assert told["rank_v_raw"].endswith("; list v_raw")


def test_a_dry_run_says_what_each_list_is_given(fmb, survey):
    both = ("gaussian", "raw=gaussian")
    roles = ("--given", "magnitude,snr", "--set", "detector.raw.given=none", "--dry-run")
    told = detect(fmb, *roles, detectors=both).stdout
    assert "given magnitude, snr: own.as-is.v.gaussian.given\n" in told
    record = json.loads(detect(fmb, *roles, "--json", detectors=both).stdout)
    assert record["given"] == {
        "own.as-is.v.gaussian.given": ["magnitude", "snr"],
        "own.as-is.v.raw": [],
    }


def test_auto_takes_the_roles_that_tell_something_and_names_the_others(fmb, survey):
    done = detect(fmb, "--given", "auto")
    assert "gaussian given magnitude, snr, size: the strangest" in done.stdout
    assert "lists are not given depth (the same for all), psf (known of 10 of 900 objects)," in (
        done.stderr
    )
    assert "some objects are given fewer roles, and ranked by their place among these: 90" in (
        done.stderr.replace("\n", " ")
    )


def test_auto_gives_a_small_survey_nothing_and_says_so(fmb, survey):
    done = detect(fmb, "--given", "auto", "--limit", 279)
    assert "own v (as-is), gaussian: the strangest of 279" in done.stdout
    assert "lists are given no role of the catalogue: 279 objects are fewer than 280" in done.stderr


def test_the_order_of_the_catalogue_and_of_the_vectors_plays_no_part(fmb, survey, tmp_path):
    detect(fmb, "--given", "magnitude,size")
    before = open_run("r").scores("given")["score"]
    order = np.random.default_rng(0).permutation(N)
    with np.load("v.npz") as file:
        np.savez(tmp_path / "v.npz", object_id=file["object_id"][order], v=file["v"][order])
    pd.read_csv("cat.csv").sample(frac=1, random_state=1).to_csv("cat.csv", index=False)
    detect(fmb, "--given", "magnitude,size", out="again")
    after = open_run("again").scores("given")["score"]
    pd.testing.assert_series_equal(before, after, atol=1e-4)  # sums in another order


def test_objects_that_know_fewer_roles_are_ranked_by_their_place_among_these(fmb, survey):
    detect(fmb, "--given", "magnitude,snr,size")
    run = open_run("r")
    scores = run.scores("given")["score"].to_numpy()
    unknown = run.objects["size"].isna().to_numpy()
    # Of 90 the place r is (r - 1/2) / 90, which 810 have 9 r - 4.5 below: between two of them.
    known, few = np.sort(scores[~unknown]), np.sort(scores[unknown])
    below = np.searchsorted(known, few)
    np.testing.assert_allclose(below, 9 * np.arange(90) + 4.5, atol=1)


def test_a_change_of_a_role_makes_lists_anew_and_that_of_another_column_makes_none(fmb, survey):
    kept = survey / "lists"
    detect(fmb, "--given", "magnitude")
    detect(fmb, "--given", "none", out="raw")
    assert len(list(kept.iterdir())) == 2
    table = pd.read_csv("cat.csv")
    table["remark"] = "seen"
    table.to_csv("cat.csv", index=False)
    detect(fmb, "--given", "magnitude", out="same")
    detect(fmb, "--given", "none", out="raw-again")
    assert len(list(kept.iterdir())) == 2
    table["magnitude"] += np.arange(N) % 3
    table.to_csv("cat.csv", index=False)
    detect(fmb, "--given", "magnitude", out="other")
    detect(fmb, "--given", "magnitude,snr", out="more")
    assert len(list(kept.iterdir())) == 4


def test_kept_fits_score_an_object_as_the_fit_that_has_not_seen_it(fmb, survey):
    detect(fmb, "--given", "magnitude,snr")
    run = open_run("r")
    name = run.list_called("given")
    fits = load_fits(run.folder.detectors(name), GaussianDetector.load, "new")
    vectors, objects = run.vectors("v"), run.objects
    x = Vectors(objects["object_id"].to_numpy(), vectors.values)
    seen = Given(x, ("magnitude", "snr"), objects[["magnitude", "snr"]].to_numpy(float))
    table = run.scores(name)
    each, fold = fits.score_each(seen), table["fold"].to_numpy(int)
    np.testing.assert_allclose(each[fold, np.arange(N)], table["score"], rtol=1e-9)
    np.testing.assert_allclose(fits.score(seen), each.mean(axis=0))


def test_p_values_of_a_reference_are_given_the_same(fmb, survey):
    detect(fmb, "--given", "magnitude,snr", "--reference", "object_id >= 500")
    table = open_run("r").scores("given")
    p = table["p_value"].to_numpy(float)
    assert np.isnan(p[500:]).all()
    assert (p[:PLANTED] < 0.05).mean() > 0.8
    ordinary = p[PLANTED:500]
    # 1 % of a binomial: 2.6 sigma of 488 draws, and of the 400 they are held against.
    assert abs((ordinary <= 0.1).mean() - 0.1) < 2.6 * np.sqrt(0.09 * (1 / 488 + 1 / 400))


def test_the_list_of_roles_is_led_by_the_extreme_that_given_hides(fmb, survey):
    both = ("gaussian", "roles")
    done = detect(fmb, "--given", "magnitude,snr,size", detectors=both)
    assert "catalogue (roles), roles: the strangest of 810" in done.stdout
    run = open_run("r")
    assert run.ranked("roles")["object_id"].iloc[0] == N - 1
    assert run.record("roles")["judges"] == ["magnitude", "snr", "size"]
    told = fmb("top", "r", "--list", "roles", "-k", 1)
    assert f"1     {N - 1}" in told.stdout
    absent = fmb("object", 3, "--run", "r").stdout.replace("\n  ", " ")
    assert "catalogue (roles), roles: not ranked, not all of its magnitude, snr, size" in absent


def test_the_list_of_roles_needs_no_list_given_them(fmb, survey):
    done = detect(fmb, detectors=("roles",))
    assert done.exit_code == 0, done.stderr
    assert open_run("r").record("roles")["judges"] == ["magnitude", "snr", "size"]
    done = detect(fmb, "--set", "detector.roles.given=snr", detectors=("roles",), out="one")
    assert open_run("one").record("roles")["judges"] == ["snr"]


@pytest.mark.parametrize(
    ("args", "told"),
    [
        (["--given", "magnitud"], "given names 'magnitud'; did you mean 'magnitude'?"),
        (["--given", "magnitude,class"], "given names 'class', a role of text"),
        (["--given", "redshift"], "given names 'redshift', which no column of this survey plays"),
        (["--given", "redshift"], "it has magnitude, size, snr, depth, psf, ebv: declare it in"),
        (["--given", "depth"], "given names 'depth', and column 'depth' holds 25 only"),
        (["--given", "ebv"], "given names 'ebv', and column 'ebv' knows it of no object"),
        (
            ["--given", "magnitude,snr", "--limit", "99"],
            "given names 2 roles, which need 40 objects each; a fit has 79",
        ),
        (
            ["--set", "detector.gaussian.given=snrr"],
            "detector.gaussian.given names 'snrr'; did you mean 'snr'?",
        ),
        (["--given", ""], "run.given = '': names no role: name some, or write none or auto"),
        (["--given", " , "], "run.given = ' , ': names no role"),
        (["--given", "none,auto"], "'none' stands alone: write none, or roles and nothing else"),
        (["--given", "snr,auto"], "'auto' stands alone: write auto, or roles and nothing else"),
        (["--set", "run.given=[]"], "run.given = []: names no role"),
        (["--set", "detector.gaussian.given=3"], "given = 3: write names of roles, or none or"),
        (
            ["--set", "detector.given=snr"],
            "detector.given = 'snr' is no table: write detector.LABEL.OPTION = VALUE",
        ),
    ],
)
def test_a_role_that_cannot_be_given_is_refused_in_a_line(fmb, survey, args, told):
    refused(detect(fmb, *args), told)


def change(**columns):
    """The catalogue with other values in the first rows of some columns."""
    catalog = pd.read_csv("cat.csv")
    for role, (value, n) in columns.items():
        catalog.loc[: n - 1, role] = value
    catalog.to_csv("cat.csv", index=False)


def test_values_that_stand_for_unknown_are_named_with_how_many_they_are(fmb, survey):
    change(magnitude=(-9999, 20), snr=(np.inf, 5))
    done = detect(fmb, "--given", "magnitude,snr")
    told = " ".join(done.stderr.split())
    assert "magnitude is -9999 for 20 objects, far from all others, and used as it is" in told
    assert "snr is infinite for 5 objects, which counts as unknown" in told
    assert "ranked by their place among these: 5 magnitude" in told
    raw = detect(fmb, "--given", "none", out="raw")
    assert "-9999" not in raw.stderr


def test_infinite_roles_are_given_as_empty_ones_are(fmb, survey):
    change(snr=(np.inf, 5))
    detect(fmb, "--given", "magnitude,snr", out="infinite")
    change(snr=(np.nan, 5))
    detect(fmb, "--given", "magnitude,snr", out="empty")
    infinite, empty = (open_run(name).scores("given")["score"] for name in ("infinite", "empty"))
    assert infinite.equals(empty)


def test_a_role_that_no_quantity_can_have_is_refused_in_a_line(fmb, survey):
    change(magnitude=(1e300, 1))
    result = detect(fmb, "--given", "magnitude,snr", detectors=("roles",))
    refused(result, "magnitude of 0 is 1e+300, which no such quantity can be")
    assert "RuntimeWarning" not in result.stderr


def test_a_word_for_all_roles_may_stand_in_a_list_of_one(fmb, survey):
    assert detect(fmb, "--set", "run.given=['none']").exit_code == 0
    assert [name.given for name in open_run("r").lists] == [()]


def test_a_rule_takes_scores_as_they_are(fmb, survey):
    pd.DataFrame({"object_id": np.arange(N), "s": np.arange(N) / 7}).to_csv("s.csv", index=False)
    mine = [
        "--set", "detector.mine.file=s.csv", "--set", "detector.mine.column=s",
        "--set", "detector.mine.higher=stranger",
    ]  # fmt: skip
    detectors = ("gaussian", "mine=from-table")
    done = detect(fmb, *mine, "--given", "snr", detectors=detectors)
    assert "own v (as-is), mine: the strangest" in done.stdout
    mine += ["--set", "detector.mine.given=snr"]
    refused(detect(fmb, *mine, detectors=detectors), "detector.mine.given: a rule takes its scores")


def test_a_list_of_roles_without_a_catalogue_is_refused(fmb, survey):
    result = fmb("detect", "--embeddings", "v.npz", "--detector", "roles")
    refused(result, "detector 'roles' judges roles of the catalogue, and there is none to judge")


def test_a_list_given_redshift_of_what_has_seen_a_spectrum_is_noted_as_a_check_of_it(
    fmb, home, tmp_path, make_survey
):
    survey = make_survey(tmp_path / "tiny", n=60)
    model = ("--model", "astropt", "--weights", "random", "--detector", "gaussian")
    told = fmb("detect", *model, "--data", survey, "--given", "redshift", "--dry-run").stderr
    noted = [line for line in told.splitlines() if "also a redshift check" in line]
    assert ["image" in line for line in noted] == [False, False]
    assert [one for one in ("spectrum", "joint") if any(one in line for line in noted)] == [
        "spectrum", "joint",
    ]  # fmt: skip
