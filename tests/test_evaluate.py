"""`fmb evaluate` measures lists by what is known, once, and says in one line what cannot be."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

N, HOSTS = 300, 60


@pytest.fixture
def run(fmb, tmp_path, monkeypatch, home):
    """Vectors whose first 30 objects are far out, and copies of 60 others that are too."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    v = rng.normal(size=(N, 4)).astype(np.float32)
    odd = np.arange(N) < 30
    v[odd] += rng.normal(0, 5, (30, 4)).astype(np.float32)
    ra, dec = rng.uniform(0, 10, N), rng.uniform(-5, 5, N)
    kind = np.where(odd, "odd", np.where(np.arange(N) < 100, "", "plain"))
    np.savez("plain.npz", object_id=np.arange(N), v=v, ra=ra, dec=dec, kind=kind, depth=ra)
    hosts = np.repeat(np.arange(100, 100 + HOSTS), 3)
    strength = np.tile([0.0, 0.5, 1.0], HOSTS)
    names = np.where(hosts % 2 == 0, "far", "same")
    moved = np.where(names == "far", 20 * strength, 0.0)[:, None].astype(np.float32)
    np.savez(
        "planted.npz",
        object_id=np.arange(N + len(hosts)),
        v=np.concatenate([v, v[hosts] + moved]),
        injected_from=np.concatenate([np.arange(N), hosts]),
        label=np.concatenate([np.full(N, "ordinary"), names]),
        strength=np.concatenate([np.full(N, np.nan), strength]),
        declared_view=np.concatenate([np.full(N, ""), np.where(names == "far", "v", "nobody")]),
    )
    for name in ("plain", "planted"):
        asked = ("detect", "--embeddings", f"{name}.npz", "--detector", "gaussian", "--out", name)
        assert fmb(*asked).exit_code == 0
    return fmb


def results(fmb, *words):
    result = fmb("evaluate", *words, "--json")
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


def value(found, metric, **fields):
    (one,) = [
        r
        for r in found
        if r["metric"] == metric
        and r["conditions"].get("strength") == fields.get("strength")
        and r["kind"] == fields.get("kind", r["kind"])
    ]
    return one


def test_copies_are_judged_in_place_of_their_hosts(run):
    found = results(run, "planted", "--looks", "10")
    strong = value(found, "recall_top_percent", kind="far", strength=1.0)
    assert (strong["value"], strong["n"], strong["n_positive"]) == (1, N, 30)
    assert value(found, "shift", kind="far", strength=0.0)["value"] == 0
    same = value(found, "shift", kind="same")
    assert (same["value"], same["low"], same["high"]) == (0, 0, 0)
    half = value(found, "strength_at_half_recall", kind="far")["value"]
    assert 0 < half <= 0.5  # 10 sigma at strength 0.5
    assert {r["survey"] for r in found} == {"own vectors"} or len({r["survey"] for r in found}) == 1


def test_a_second_evaluation_measures_nothing_and_prints_the_same(run, home):
    first = run("evaluate", "planted", "--looks", "10")
    assert first.exit_code == 0, first.stderr
    kept = {path: path.stat().st_mtime_ns for path in (home / "results").iterdir()}
    second = run("evaluate", "planted", "--looks", "10")
    assert second.stdout == first.stdout
    assert f"note: 0 of {len(kept):,} results are new" in second.stderr
    assert kept == {path: path.stat().st_mtime_ns for path in (home / "results").iterdir()}
    run("evaluate", "planted", "--looks", "20")
    assert len(list((home / "results").iterdir())) == 2 * len(kept)


def test_the_table_fits_a_screen_and_tells_controls_apart(run):
    shown = run("evaluate", "planted", "--looks", "10").stdout
    lines = shown.splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[1].split()[:3] == ["far", "gaussian", "v"]
    control = next(line for line in lines if line.startswith("same"))
    assert control.split()[-1] == "yes"
    assert "by chance: AUROC 0.5, top 1 % 0.01, 0.1 in 10 looks (taken to be 1.00% of all)" in shown


def test_a_column_is_truth_and_objects_without_a_value_are_left_out(run):
    found = results(run, "plain", "--truth", "kind=odd")
    one = value(found, "auroc")
    assert (one["n"], one["n_positive"]) == (N - 70, 30)
    assert one["value"] > 0.9
    assert {r["kind"] for r in results(run, "plain", "--truth", "kind")} == {"odd"}


def test_a_list_of_ids_and_one_of_places_are_the_same_truth(run, tmp_path):
    (tmp_path / "mine.txt").write_text("\n".join(map(str, range(30))))
    table = np.load(tmp_path / "plain.npz")
    shifted = table["dec"][:30] + 0.5 / 3600
    pd.DataFrame({"RA": table["ra"][:30], "Dec": shifted}).to_csv(tmp_path / "sky.csv", index=False)
    pd.DataFrame({"object_id": np.arange(30)}).to_parquet(tmp_path / "ids.parquet")
    by = [results(run, "plain", "--truth", name) for name in ("mine.txt", "sky.csv", "ids.parquet")]
    assert by[0] == by[1] == by[2]
    assert (by[0][0]["n"], by[0][0]["n_positive"]) == (N, 30)
    told = run("evaluate", "plain", "--truth", "sky.csv", "--within", "0.1")
    assert "no object lies within 0.1 arcsec of one of its 30 positions" in told.stderr


def test_what_a_list_names_that_is_not_there_is_counted(run, tmp_path):
    (tmp_path / "mine.txt").write_text("\n".join(map(str, [1, 2, 7_000_001])))
    told = run("evaluate", "plain", "--truth", "mine.txt")
    assert "mine.txt: 1 of its 3 ids are not in run 'plain'" in told.stderr
    table = np.load(tmp_path / "plain.npz")
    ra, dec = (table[name][:2].tolist() for name in ("ra", "dec"))
    # The last is over the pole: as an angle it would be the place of the second object.
    beyond = (ra[1] + 180) % 360, 180 - dec[1]
    places = {"ra": [*ra, 10.0, 10.0, beyond[0]], "dec": [*dec, np.nan, 89.0, beyond[1]]}
    pd.DataFrame(places).to_csv(tmp_path / "sky.csv", index=False)
    told = run("evaluate", "plain", "--truth", "sky.csv")
    assert "sky.csv: 2 of its 5 rows have no position on the sky" in told.stderr
    assert "sky.csv: 1 of its 3 positions are of no object within 1 arcsec" in told.stderr
    assert "name" not in told.stderr


def test_what_a_list_names_twice_counts_once_and_is_told(run, tmp_path):
    (tmp_path / "once.txt").write_text("1\n2\n")
    (tmp_path / "twice.txt").write_text("1\n2\n2\n1\n2\n")
    table = np.load(tmp_path / "plain.npz")
    places = {name: table[name][[1, 2, 2]] for name in ("ra", "dec")}
    pd.DataFrame(places).to_csv(tmp_path / "sky.csv", index=False)
    told = run("evaluate", "plain", "--truth", "twice.txt")
    assert "twice.txt: 5 of its rows name 2 objects, each counts once" in told.stderr
    told = run("evaluate", "plain", "--truth", "sky.csv")
    assert "sky.csv: 3 of its rows name 2 objects, each counts once" in told.stderr
    once, twice = (results(run, "plain", "--truth", name) for name in ("once.txt", "twice.txt"))
    assert once == twice


def test_a_view_that_is_said_to_show_a_kind_is_part_of_the_record(run):
    (told,) = {r["declared_view"] for r in results(run, "plain", "--truth", "kind", "--view", "v")}
    assert told == "v"


def test_labels_are_truth(run, tmp_path):
    (tmp_path / "mine.txt").write_text("\n".join(map(str, range(30))))
    assert run("label", "plain", "lens", "--ids", "mine.txt").exit_code == 0
    one = value(results(run, "plain", "--truth", "labels:lens"), "auroc")
    assert one["n_positive"] == 30
    assert one["value"] == value(results(run, "plain", "--truth", "mine.txt"), "auroc")["value"]


def bounds(found, metric, kind):
    one = value(found, metric, kind=kind)
    return one["value"], one["low"], one["high"]


def test_one_object_of_a_kind_has_a_value_and_no_interval(run):
    """All resamples of one object are that object: a width of zero would be no interval."""
    v = np.random.default_rng(1).normal(size=(N + 3, 4)).astype(np.float32)
    v[N:] += 50  # above all that is unchanged
    hosts = np.append(np.arange(N), [10, 11, 12])
    label = np.append(np.full(N, "ordinary"), ["one", "two", "two"])
    np.savez("few.npz", object_id=np.arange(N + 3), v=v, injected_from=hosts, label=label)
    asked = ("detect", "--embeddings", "few.npz", "--detector", "gaussian", "--out", "few")
    assert run(*asked).exit_code == 0
    shown = run("evaluate", "few", "--looks", "10").stdout.splitlines()
    assert ["1.00 [-]" in line for line in shown[1:3]] == [True, False]
    found = results(run, "few", "--looks", "10")
    assert bounds(found, "auroc", "one") == (1, None, None)
    assert bounds(found, "auroc", "two") == (1, 1, 1)
    # Two copies have one host each to be held against: all resamples with both are the same.
    assert bounds(found, "auroc_own_hosts", "two") == (1, None, None)


def test_one_object_of_a_list_has_a_value_and_no_interval(run, tmp_path):
    (tmp_path / "mine.txt").write_text("0\n")
    found = results(run, "plain", "--truth", "mine.txt")
    value, *interval = bounds(found, "auroc", "listed")
    assert value > 0.5
    assert interval == [None, None]
    assert bounds(found, "precision", "listed")[2] < 1  # of 100 looks, which Wilson knows


def test_half_of_a_range_is_estimated_and_too_few_copies_of_one_are_named(run):
    """Copies are found from strength 0.25 on: 60 of a range tell it, 10 do not."""
    v = np.random.default_rng(1).normal(size=(N, 4)).astype(np.float32)
    hosts, strength = np.arange(100, 170), np.append(np.linspace(0, 1, 60), np.linspace(0, 1, 10))
    far = v[hosts] + np.where(strength > 0.25, 50, 0)[:, None].astype(np.float32)
    np.savez(
        "range.npz",
        object_id=np.arange(N + 70),
        v=np.concatenate([v, far]),
        injected_from=np.append(np.arange(N), hosts),
        label=np.concatenate([np.full(N, "ordinary"), ["many"] * 60, ["few"] * 10]),
        strength=np.append(np.full(N, np.nan), strength),
    )
    asked = ("detect", "--embeddings", "range.npz", "--detector", "gaussian", "--out", "range")
    assert run(*asked).exit_code == 0
    half = value(results(run, "range"), "strength_at_half_recall", kind="many")
    assert half["value"] == pytest.approx(0.25, abs=0.1)  # half of one of five parts
    told = run("evaluate", "range")
    assert "note: half needs steps of strength, or 30 copies over a range: few" in told.stderr
    few, many = (line.split() for line in told.stdout.splitlines()[1:3])
    assert few[-3] == "-"
    assert many[-3] == f"{half['value']:.2f}"


def test_what_is_not_looked_for_and_what_chance_gives_are_said(run):
    shown = run("evaluate", "plain", "--truth", "kind").stdout
    assert "not looked for: kind = plain, which most objects have (200)" in shown
    assert "in 100 looks 13 odd" in shown  # 100 x 30 / 230
    assert "not looked for" not in run("evaluate", "plain", "--truth", "kind=odd").stdout


def test_a_survey_of_fewer_than_a_hundred_is_looked_at_in_a_tenth(run):
    with np.load("plain.npz") as plain:
        np.savez("small.npz", object_id=plain["object_id"][:70], v=plain["v"][:70])
    Path("ids.txt").write_text("\n".join(map(str, np.load("small.npz")["object_id"][:9])) + "\n")
    asked = ("detect", "--embeddings", "small.npz", "--detector", "gaussian", "--out", "small")
    assert run(*asked).exit_code == 0
    assert "in 7 looks 0.9 listed" in run("evaluate", "small", "--truth", "ids.txt").stdout
    refused = run("evaluate", "small", "--truth", "ids.txt", "--looks", "100")
    assert "ranks 70 objects; choose at most these" in refused.stderr


def test_a_survey_whose_planted_objects_are_labelled_is_told_how_to_look_for_them(run):
    kind = np.where(np.arange(N) < 30, "lens", "ordinary")
    with np.load("plain.npz") as plain:
        np.savez("told.npz", object_id=plain["object_id"], v=plain["v"], label=kind)
    asked = ("detect", "--embeddings", "told.npz", "--detector", "gaussian", "--out", "told")
    assert run(*asked).exit_code == 0
    result = run("evaluate", "told")
    assert result.exit_code == 2
    assert "has no planted copies, but its column 'label' tells kinds: --truth label" in (
        result.stderr
    )
    assert run("evaluate", "told", "--truth", "label").exit_code == 0


def test_few_objects_of_a_kind_are_quoted_with_a_warning(run):
    told = run("evaluate", "plain", "--truth", "kind=odd")
    assert "note: fewer than 50 objects of a kind say little: odd 30" in told.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["plain"], "run 'plain' has no planted copies: give --truth COLUMN=VALUE"),
        (["plain", "--truth", "copies"], "no injected_from names a host"),
        (["planted", "--truth", "copies=fa"], "no copy is a 'fa'; did you mean 'far'?"),
        (["plain", "--truth", "kind=od"], "has kind = 'od'; did you mean 'odd'?"),
        (["plain", "--truth", "knd"], "no column or file 'knd'; did you mean 'kind'?"),
        (["plain", "--truth", "depth"], "has 300 values, which are no classes"),
        (["plain", "--truth", "labels:lens"], "is labelled 'lens'; `fmb label RUN CLASS ID`"),
        (["plain", "--truth", "gone.txt"], "gone.txt"),
        (["plain", "--truth", "other.txt"], "none of its 2 ids is of an object of run 'plain'"),
        (["plain", "--truth", "head.csv"], "head.csv: holds no ids; write one a line"),
        (["plain", "--truth", "nowhere.csv"], "none of its 1 rows has a position in degrees"),
        (["planted", "--looks", "301"], "ranks 300 objects; choose at most these"),
        (["planted", "--list", "flow"], "has no list 'flow'"),
        (["planted", "--view", "v"], "'far' was declared for 'v' before; choose lists by --list"),
        (["plain", "--truth", "kind", "--view", "w"], "no list has this view; choose from v"),
        (["plain", "--truth", "kind", "--less", "gausian"], "did you mean 'gaussian'?"),
        (["plain", "--truth", "kind", "--less", "gaussian"], "has what it judges"),
    ],
)
def test_what_cannot_be_measured_is_one_line(run, tmp_path, words, said):
    (tmp_path / "other.txt").write_text("70001\n70002\n")
    (tmp_path / "head.csv").write_text("object_id,class\n")
    (tmp_path / "nowhere.csv").write_text("ra,dec\nunknown,5\n")
    result = run("evaluate", *words)
    assert result.exit_code == 2
    assert said in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1
    assert not result.stdout


def test_lists_are_compared_with_those_of_another_detector(fmb, run):
    two = ["--detector", "one=gaussian", "--detector", "two=flow", "--no-companions"]
    made = fmb("detect", "--embeddings", "planted.npz", *two, "--out", "both")
    assert made.exit_code == 0, made.stderr
    found = results(fmb, "both", "--less", "one", "--looks", "10")
    (less,) = [r for r in found if r["metric"] == "auroc_less" and r["kind"] == "far"]
    of = {
        r["detector"]: r["value"]
        for r in found
        if r["metric"] == "auroc" and r["kind"] == "far" and r["conditions"]["strength"] is None
    }
    assert less["value"] == pytest.approx(of["two"] - of["one"])
    assert (less["detector"], less["conditions"]["less"]["detector"]) == ("two", "one")
    assert "AUROC less one" in fmb("evaluate", "both", "--less", "one", "--looks", "10").stdout


def test_floors_are_made_once_and_stand_beside_the_models(fmb, tmp_path, monkeypatch, home):
    """On the simulated survey: random weights, components and the catalogue see the same copies."""
    monkeypatch.chdir(tmp_path)
    survey = ["data.n_objects=280", "data.n_per_kind=6", 'data.kinds=["trail","wrong-redshift"]']
    inputs = 'data.inputs=["euclid"]'
    asked = ["--data", "demo-eval", *(w for s in (*survey, inputs) for w in ("--set", s))]
    model = ["--model", "astropt", "--view", "image", "--detector", "gaussian", "--no-companions"]
    assert fmb("detect", *asked, *model, "--out", "mine").exit_code == 0
    found = results(fmb, "mine", "--floors", "--looks", "20")
    assert {r["floor"] for r in found} == {"", "random", "pca-100", "catalogue"}
    assert len({r["survey_digest"] for r in found}) == 1
    of_trail = [
        r
        for r in found
        if r["metric"] == "auroc" and r["kind"] == "trail" and r["conditions"]["strength"] is None
    ]
    assert [r["n_positive"] for r in of_trail] == [18] * 4
    shifts = {
        r["floor"]: r["value"]
        for r in found
        if r["metric"] == "shift" and r["kind"] == "wrong-redshift"
    }
    assert {shifts[floor] for floor in ("", "random", "pca-100")} == {0}
    assert shifts["catalogue"] > 0.02
    runs = sorted(path.name for path in (home / "runs").iterdir())
    shown = fmb("evaluate", "mine", "--floors", "--looks", "20")
    assert "note: 0 of" in shown.stderr
    assert runs == sorted(path.name for path in (home / "runs").iterdir())
    assert max(map(len, shown.stdout.splitlines())) <= 80
    for floor in ("random", "pca-100", "catalogue"):
        assert f" {floor} gaussian" in shown.stdout


def test_vectors_of_ones_own_have_no_floors(run):
    told = run("evaluate", "planted", "--floors", "--looks", "10")
    assert told.exit_code == 2
    assert told.stderr.splitlines()[-1].endswith("has vectors only; floors need what was observed")
