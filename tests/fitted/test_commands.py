"""The commands around scores by the fits of a run: again, resumed, planned, shown, in Python."""

import json

import pandas as pd
from fitted_sky import arrays_of, fit, score, scored

import fmb as public
from fmb import open_run


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
