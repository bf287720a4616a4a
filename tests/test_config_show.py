"""`fmb config show`: every value with where it comes from; what a run would refuse is refused."""

import json
import tomllib

import numpy as np
import pytest

OPTIONS = ("--model", "astropt", "--view", "image", "--detector", "wide=flow", "--seed", "4")
SETTINGS = ("--set", "detector.wide.epochs=3", "--input", "image=euclid", "--no-companions")


def done(result):
    assert result.exit_code == 0, result.stderr
    return result


def sources(text):
    """Path -> value and comment, read from the text line by line."""
    found, table, above = {}, "", ""
    for line in text.splitlines():
        if line.startswith("["):
            table = f"{line.strip('[]')}."
        elif line.startswith("# "):
            above = line[2:]
        elif line:
            pair, _, comment = line.partition("  # ")
            key, _, value = pair.partition(" = ")
            found[table + key] = (tomllib.loads(f"v = {value}")["v"], comment or above)
    return found


@pytest.fixture
def project(home, tmp_path):
    """A project file and a file for --config."""
    (tmp_path / "fmb.toml").write_text("[run]\nfolds = 4\ntop = 5\nseed = 1\n")
    (tmp_path / "mine.toml").write_text('[run]\ntop = 6\n[data]\nwhere = "mag < 22"\n')


def test_every_value_says_where_it_comes_from(project, fmb):
    shown = done(fmb("config", "show", *OPTIONS, *SETTINGS, "--config", "mine.toml"))
    told = sources(shown.stdout)
    assert told["run.folds"] == (4, "fmb.toml")
    assert told["run.top"] == (6, "--config mine.toml")
    assert told["run.seed"] == (4, "--seed")
    assert told["run.companions"] == (False, "--no-companions")
    assert told["run.fit"] == ("cross-fit", "default")
    assert told["data.where"] == ("mag < 22", "--config mine.toml")
    assert told["model.astropt.use"] == ("astropt", "--model")
    assert told["model.astropt.view"] == (["image"], "--view")
    assert told["model.astropt.input.image"] == ("euclid", "--input")
    assert told["detector.wide.use"] == ("flow", "--detector")
    assert told["detector.wide.epochs"] == (3, "--set")


def test_json_has_the_same_values_and_sources(project, fmb):
    command = ("config", "show", *OPTIONS, *SETTINGS)
    as_json = json.loads(done(fmb(*command, "--json")).stdout)
    told = sources(done(fmb(*command)).stdout)
    assert {key: (one["value"], one["source"]) for key, one in as_json.items()} == told


def test_what_it_prints_reads_back_to_the_same_request(project, fmb, tmp_path):
    command = ("config", "show", *OPTIONS, *SETTINGS)
    shown = done(fmb(*command)).stdout
    (tmp_path / "whole.toml").write_text(shown)
    again = done(fmb("config", "show", "--config", "whole.toml"))
    assert tomllib.loads(again.stdout) == tomllib.loads(shown)


def test_a_whole_request_is_not_mixed_with_the_project_file(project, fmb, tmp_path):
    values = np.random.default_rng(0).normal(size=(60, 3))
    np.savez(tmp_path / "v.npz", object_id=np.arange(60), v=values)
    own = ("--embeddings", "v.npz", "--detector", "gaussian")
    done(fmb("detect", *own, "--out", "first"))
    kept = tmp_path / "home/runs/first/run.toml"
    (tmp_path / "fmb.toml").write_text('[run]\nfolds = 2\nfit = "in-sample"\n')
    again = done(fmb("detect", "--config", kept, "--out", "second"))
    (line,) = [line for line in again.stderr.splitlines() if "left out" in line]
    assert "fmb.toml is left out" in line
    assert str(kept) in line
    runs = kept.parents[1]
    first, second = (
        tomllib.loads((runs / name / "run.toml").read_text()) for name in ("first", "second")
    )
    assert second == {**first, "run": {**first["run"], "name": "second"}}


def test_other_files_are_mixed_with_the_project_file(project, fmb):
    told = sources(done(fmb("config", "show", "--config", "mine.toml")).stdout)
    assert told["run.folds"] == (4, "fmb.toml")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--detector", "flow", "--set", "detector.flow.epohcs=3"), "did you mean 'epochs'"),
        (("--model", "astropt", "--set", "model.astropt.prest=1"), "did you mean 'preset'"),
        (("--plot", "outlier-grid", "--set", "plot.outlier-grid.colums=3"), "plot.outlier-grid"),
        (("--detector", "flwo"), "did you mean 'flow'"),
        (("--set", "embedder.mine.use=meen"), "did you mean 'mean'"),
        (("--set", "embedder.mean.size=3"), "embedder.mean.size"),
        (("--set", "data.n_object=3"), "did you mean 'n_objects'"),
        (("--engine", "local", "--set", "engine.local.worker=3"), "did you mean 'workers'"),
    ],
)
def test_what_a_run_would_refuse_is_refused(fmb, options, words):
    shown = fmb("config", "show", *options)
    assert shown.exit_code == 2
    assert words in shown.stderr
    assert shown.stdout == ""


def test_an_embedder_that_no_model_uses_is_named(fmb, survey):
    line = "[embedder.wide] is used by no model; name it with --embedder wide"
    unused = ("--model", "astropt", "--set", "embedder.wide.use=mean")
    assert line in done(fmb("config", "show", *unused)).stderr
    run = ("embed", *unused, "--weights", "random", "--data", survey, "--dry-run")
    assert line in done(fmb(*run)).stderr
    assert line not in done(fmb("config", "show", *unused, "--embedder", "wide")).stderr
    default = ("--model", "astropt", "--set", "embedder.mean.use=mean")
    assert "[embedder" not in done(fmb("config", "show", *default)).stderr
