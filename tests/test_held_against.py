"""Lists are held against what may have made them: who is alike, and who owns the head."""

import json

import numpy as np
import pandas as pd
import pytest

from fmb import open_run

N = 1200
ODD = [900, 1000, 1100]
"""Faint objects that are strange for faint ones."""


@pytest.fixture
def own(tmp_path):
    """Vectors that grow with brightness, of objects in twenty fields; F3 is bad."""
    rng = np.random.default_rng(0)
    magnitude = np.linspace(18, 24, N)
    field = np.array([f"F{i % 20}" for i in range(N)])
    spread = 1 + (24 - magnitude) / 3
    vectors = rng.normal(size=(N, 4)) * spread[:, None]
    vectors[field == "F3"] += 8 * rng.choice([-1, 1], ((field == "F3").sum(), 1))
    vectors[ODD] = spread[ODD, None] * [3.5, -3.5, 3.5, -3.5]  # seven deviations, as no other's
    np.savez(tmp_path / "own.npz", object_id=np.arange(N), vectors=vectors)
    table = pd.DataFrame({"object_id": np.arange(N), "magnitude": magnitude, "field": field})

    def write(change=lambda table: table, raw=("--given", "none")):
        change(table).to_csv(tmp_path / "own.csv", index=False)
        files = ("--embeddings", tmp_path / "own.npz", "--catalog", tmp_path / "own.csv")
        return ("detect", *files, "--detector", "gaussian", *raw, "--out", "mine")

    return write


def test_an_object_is_shown_where_it_stands_among_its_like(own, fmb):
    assert fmb(*own()).exit_code == 0
    run = open_run("mine")
    scores = run.scores("gaussian")
    magnitude = run.objects["magnitude"].to_numpy()
    for row in (0, 5, *ODD, N - 1):
        centre, spread = np.median(magnitude), 1.4826 * np.median(abs(magnitude - 21))
        point = np.clip((magnitude - centre) / spread, -3, 3)
        near = np.argsort(abs(point - point[row]), kind="stable")[:500]
        share = (scores["score"].to_numpy()[near] <= scores["score"][row]).mean()
        assert scores["percentile_cond"][row] == pytest.approx(share, abs=1 / 500)
    # In a list that bright objects lead they are stranger for what they are.
    assert (scores["percentile_cond"] > scores["percentile"])[ODD].all()


def test_it_stands_in_every_output(own, fmb, tmp_path):
    fmb(*own())
    row = open_run("mine").ranked("gaussian").iloc[0]
    first = str(row["object_id"])
    (top,) = json.loads(fmb("top", "mine", "-k", 1, "--json").stdout).values()
    assert top[0]["percentile_cond"] == row["percentile_cond"]
    (place,) = json.loads(fmb("object", first, "--json").stdout)["lists"]
    assert place["percentile_cond"] == row["percentile_cond"]
    lines = fmb("object", first).stdout.splitlines()
    assert any("among alike" in line for line in lines)
    # Percentile p of 500 is the place 500 (1 - p) + 1.
    share = 100 * (500 * (1 - row["percentile_cond"]) + 1) / 500
    assert any(f"top {share:.2g} %" in line.replace("0.20", "0.2") for line in lines)
    assert max(map(len, lines)) <= 80
    fmb("export", "mine", "--out", tmp_path / "out.csv")
    exported = pd.read_csv(tmp_path / "out.csv")
    assert exported["percentile_cond"][0] == pytest.approx(row["percentile_cond"])


def test_a_field_that_owns_the_list_is_named_beside_it(own, fmb):
    result = fmb(*own())
    run = open_run("mine")
    owned = (run.ranked("gaussian")["field"][:100] == "F3").sum()
    # 60 of 1,200 objects are in it: 5 of 100.
    line = f"field F3 owns {owned} of the top 100; its share is 5"
    assert result.stderr.count(line) == 1
    assert fmb("top", "mine").stderr.count(line) == 1
    assert any(line in remark for remark in run.remarks())


def test_a_role_of_the_column_names_the_owner_too(own, fmb):
    result = fmb(*own(lambda table: table.rename(columns={"field": "survey"})))
    assert "survey F3 owns " in result.stderr
    # Sixty objects a survey are too few to compare 500 with each.
    assert open_run("mine").scores("gaussian")["percentile_cond"].isna().all()


def test_objects_are_alike_in_what_the_list_is_given_too(own, fmb):
    rng = np.random.default_rng(5)
    redshift = rng.random(N)
    fmb(*own(lambda table: table.assign(redshift=redshift), raw=("--given", "redshift")))
    run = open_run("mine")
    (record,) = run.manifest["lists"]
    assert record["alike"]["roles"] == ["magnitude", "redshift"]


def test_too_few_alike_are_said_and_no_roles_are_no_news(own, fmb):
    said = "no percentile among alike: fewer than 500 objects know a role"
    fmb(*own(lambda table: table.assign(magnitude=table["magnitude"].where(table.index < 400))))
    run = open_run("mine")
    assert run.scores("gaussian")["percentile_cond"].isna().all()
    assert said in " ".join(run.remarks())
    result = fmb(*own(lambda table: table.drop(columns="magnitude"))[:-1], "none")
    assert result.exit_code == 0
    assert "among alike" not in " ".join(open_run("none").remarks())
    assert "among alike" not in fmb("object", 0, "--run", "none").stdout


def test_repeats_have_the_place_of_their_source(own, fmb):
    fmb(*own(lambda table: table.assign(group=(table["object_id"] // 2).astype(str))))
    run = open_run("mine")
    pairs = run.scores("gaussian")["percentile_cond"].to_numpy().reshape(-1, 2)
    assert (pairs[:, 0] == pairs[:, 1]).all()


def test_a_list_that_follows_data_quality_names_the_bad_cell_of_the_demo(fmb, tmp_path):
    from fmb_surveys.demo import DemoConfig, open_demo

    catalog = open_demo("demo", DemoConfig(), cache=tmp_path).catalog
    quality = catalog[["depth", "psf_vis", "ebv"]].to_numpy(dtype=float)
    np.savez(tmp_path / "own.npz", object_id=catalog["object_id"], vectors=quality)
    files = ("--data", "demo", "--embeddings", tmp_path / "own.npz")
    result = fmb("detect", *files, "--detector", "gaussian", "--given", "none", "--out", "demo")
    assert result.exit_code == 0, result.stderr
    bad = catalog.groupby("cell")["depth"].first().idxmin()
    assert f"field {bad} owns " in result.stderr
