"""The main job on a small survey, as a user runs it."""

import json
import shutil
import tomllib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from fmb.cli import main

RUN = ("run", "--model", "astropt", "--weights", "random", "--detector", "gaussian", "--folds", "5")
DETECT = ("detect", *RUN[1:])


def ok(result):
    assert result.exit_code == 0, result.stderr
    return result


def scores(home, run="tiny-astropt-gaussian", view="image", detector="gaussian"):
    path = home / "runs" / run
    table = pd.read_parquet(path / "scores" / f"astropt.mean.{view}.{detector}.parquet")
    table.insert(0, "object_id", pd.read_parquet(path / "objects.parquet")["object_id"])
    return table


def same(a, b):
    """Scores within 1e-3 of their standard deviation and the same top 20."""
    a, b = (t.sort_values("object_id", ignore_index=True) for t in (a, b))
    assert np.abs(a["score"] - b["score"]).max() <= 1e-3 * a["score"].std()
    top = [t.sort_values("rank")["object_id"].head(20).tolist() for t in (a, b)]
    assert top[0] == top[1]


@pytest.fixture(scope="module")
def finished(tmp_path_factory, make_survey):
    """A folder with a survey and a finished run, and what the run printed."""
    folder = tmp_path_factory.mktemp("finished")
    survey = make_survey(folder / "tiny")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FMB_HOME", str(folder / "home"))
        patch.chdir(folder)
        return folder, ok(CliRunner().invoke(main, [*RUN, "--data", str(survey)]))


@pytest.fixture
def done(finished, home, tmp_path):
    """The finished run, copied into this test's own folder; gives what it printed."""
    folder, printed = finished
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    return printed


@pytest.fixture
def survey(tmp_path, make_survey):
    path = tmp_path / "tiny" / "survey.toml"
    return path if path.exists() else make_survey(tmp_path / "tiny")


def test_a_run_prints_the_strangest_objects_and_what_to_look_at(done, home):
    table = scores(home)
    strangest = table.loc[table["score"].idxmax(), "object_id"]
    assert str(strangest) in done.stdout
    for view in ("image", "spectrum"):
        assert f"{view} = astropt {view} (mean), gaussian, 40 objects" in done.stdout
    assert 'other lists: "gaussian joint"' in done.stdout
    (look,) = [line for line in done.stdout.splitlines() if "look at" in line]
    assert look.startswith("look at 10 figures in ")
    figures = [path.read_bytes() for path in (home / "runs" / Path(look).parts[-2]).glob("plots/*")]
    assert [figure[1:4] for figure in figures] == [b"PNG"] * 10
    assert "random weights" in done.stderr


def test_ranks_and_percentiles_follow_from_the_scores(done, home):
    table = scores(home)
    expected = table["score"].rank(ascending=False)
    assert table["rank"].tolist() == expected.tolist()
    assert np.allclose(table["percentile"], (40 - expected + 1) / 40)
    assert sorted(set(table["fold"])) == [0, 1, 2, 3, 4]


def test_p_and_q_are_empty_without_a_reference(done, home):
    table = scores(home)
    assert table["p_value"].isna().all()
    assert table["q_value"].isna().all()
    assert "p_value and q_value are empty" in done.stderr


def test_the_same_command_again_reuses_the_vectors(fmb, survey, home, done):
    def written() -> dict[Path, int]:
        parts = (home / "embeddings").rglob("part-*")
        return {path: path.stat().st_mtime_ns for path in parts}

    before = written()
    again = ok(fmb(*DETECT, "--data", survey))
    assert "tiny-astropt-gaussian-2" in again.stdout
    assert written() == before
    embedded = json.loads(ok(fmb("embed", *RUN[1:5], "--data", survey, "--json")).stdout)
    assert {row["computed"] for row in embedded} == {0}


def test_run_toml_repeats_the_run(fmb, home, done):
    toml = home / "runs" / "tiny-astropt-gaussian" / "run.toml"
    assert tomllib.loads(toml.read_text())["detector"]["gaussian"]["use"] == "gaussian"
    ok(fmb("detect", "--config", toml, "--out", "again"))
    first, second = scores(home), scores(home, "again")
    pd.testing.assert_frame_equal(first, second)


def test_the_order_of_a_file_changes_no_score(fmb, home, done, tmp_path, make_survey):
    def shuffle(arrays):
        order = np.random.default_rng(5).permutation(40)
        for name, values in arrays.items():
            if name != "spectrum/wavelength":
                arrays[name] = values[order]

    path = make_survey(tmp_path / "shuffled", change=shuffle)
    ok(fmb(*DETECT, "--data", path, "--out", "shuffled"))
    for view in ("image", "spectrum", "joint"):
        same(scores(home, view=view), scores(home, "shuffled", view=view))


@pytest.mark.parametrize("options", [("--batch-size", 1), ("--workers", 2)])
def test_batch_size_and_workers_change_no_score(fmb, survey, home, done, options):
    ok(fmb("cache", "remove", "--all", "--yes"))
    ok(fmb(*DETECT, "--data", survey, "--out", "other", *options))
    for view in ("image", "spectrum", "joint"):
        same(scores(home, view=view), scores(home, "other", view=view))


def test_another_model_run_before_changes_nothing(fmb, survey, home, done):
    ok(fmb("cache", "remove", "--all", "--yes"))
    both = ("--model", "first=astropt", "--set", "model.first.preset=one-band")
    ok(fmb("detect", *both, *RUN[1:], "--data", survey, "--out", "both"))
    pd.testing.assert_frame_equal(scores(home), scores(home, "both"))


def test_another_seed_gives_other_random_weights(fmb, survey, home, done):
    ok(fmb(*DETECT, "--data", survey, "--seed", 1, "--out", "seeded"))
    assert not np.allclose(scores(home)["score"], scores(home, "seeded")["score"])


def test_two_labels_of_one_detector_give_two_lists_with_their_own_options(fmb, survey, home):
    labels = ("--detector", "long=flow", "--detector", "short=flow")
    options = ("--set", "detector.long.epochs=7", "--set", "detector.short.epochs=3")
    model = ("--model", "astropt", "--weights", "random", "--view", "image")
    ok(fmb("detect", *model, *labels, *options, "--data", survey))
    run = home / "runs" / "tiny-astropt-long-short"
    for label, epochs in (("long", 7), ("short", 3)):
        assert scores(home, run.name, detector=label)["score"].notna().all()
        fit = run / "detectors" / f"astropt.mean.image.{label}" / "fold-0" / "detector.json"
        assert json.loads(fit.read_text())["config"]["epochs"] == epochs


def test_in_sample_is_said_in_the_record(fmb, survey, home):
    ok(fmb(*DETECT, "--data", survey, "--fit", "in-sample", "--view", "image"))
    table = scores(home)
    assert set(table["fold"]) == {-1}
    manifest = json.loads((home / "runs/tiny-astropt-gaussian/manifest.json").read_text())
    assert manifest["lists"][0]["fit"] == "in-sample"


def test_top_lists_the_strangest_in_order(fmb, home, done):
    printed = json.loads(ok(fmb("top", "-k", "7", "--view", "joint", "--json")).stdout)
    rows = printed["astropt.mean.joint.gaussian"]
    table = scores(home, view="joint").sort_values("rank")
    assert [row["object_id"] for row in rows] == table["object_id"].head(7).astype(str).tolist()


def test_an_object_is_found_by_a_negative_id(fmb, home, done):
    shown = ok(fmb("object", "-50000")).stdout
    assert "object -50000" in shown
    assert "redshift" in shown
    assert shown.count("of 40)") == 5


def test_an_unknown_object_and_a_misspelt_option_are_one_line(fmb, done):
    unknown = fmb("object", "12")
    assert (unknown.exit_code, unknown.stderr.count("\n")) == (2, 1)
    option = fmb("object", "--runn")
    assert (option.exit_code, option.stderr.count("\n")) == (2, 1)


def test_figures_are_drawn_again_after_the_data_have_moved(fmb, survey, home, done):
    plots = home / "runs" / "tiny-astropt-gaussian" / "plots"
    before = {path.name: path.read_bytes() for path in plots.iterdir()}
    shutil.rmtree(home / "figures")
    for path in plots.iterdir():
        path.unlink()
    (survey.parent / "tiny.h5").unlink()
    ok(fmb("plot"))
    assert {path.name: path.read_bytes() for path in plots.glob("*.png")} == before


def test_the_python_api_gives_the_same_as_the_command(done, survey, home):
    import fmb as package

    run = package.run(
        model="astropt",
        detector="gaussian",
        data=str(survey),
        weights="random",
        folds=5,
        out="python",
        plot="score-histogram",
    )
    pd.testing.assert_frame_equal(scores(home), scores(home, "python"))
    assert run.vectors("image").aligned().shape[0] == 40
    assert set(run.all_scores()["view"]) == {"image", "spectrum", "joint", "image+spectrum"}
    top = run.top(3)
    assert len(top) == 15
    assert package.open_run("python").name == "python"


def test_own_vectors_need_no_model(fmb, home, tmp_path):
    rng = np.random.default_rng(0)
    values = rng.normal(size=(100, 8)).astype(np.float32)
    values[17] += 20
    ids = np.arange(100) + 2**62
    np.savez(tmp_path / "mine.npz", object_id=ids, vectors=values)
    result = ok(fmb("detect", "--embeddings", "mine.npz", "--detector", "gaussian"))
    first = result.stdout.splitlines()[3].split()
    assert first[:2] == ["1", str(2**62 + 17)]
    assert ok(fmb("run", "--embeddings", "mine.npz", "--detector", "gaussian")).exit_code == 0


def test_a_dry_run_tells_the_cost_and_computes_nothing(fmb, survey, home):
    result = ok(fmb(*RUN, "--data", survey, "--dry-run"))
    assert "astropt" in result.stdout
    assert not list((home / "embeddings").rglob("part-*"))
    assert not list(home.glob("runs/*"))


def test_config_show_prints_what_a_run_would_use(fmb, home):
    shown = ok(fmb("config", "show", "--detector", "wide=flow", "--set", "detector.wide.epochs=3"))
    assert tomllib.loads(shown.stdout)["detector"]["wide"] == {"use": "flow", "epochs": 3}


def test_the_cache_is_listed_verified_and_removed(fmb, home, done):
    listed = json.loads(ok(fmb("cache", "list", "--json")).stdout)
    listed = [entry for entry in listed if entry["kind"] == "vectors"]
    assert [entry["about"] for entry in listed] == 3 * ["40 vectors"]
    assert "whole" in ok(fmb("cache", "verify")).stdout
    body = next((home / "embeddings").rglob("part-*.safetensors"))
    body.write_bytes(body.read_bytes()[:-4] + b"\0\0\0\1")
    damaged = fmb("cache", "verify")
    assert damaged.exit_code == 1
    assert body.name in damaged.stdout
    ok(fmb("cache", "remove", listed[0]["name"], "--yes"))
    left = json.loads(fmb("cache", "list", "--json").stdout)
    assert len([entry for entry in left if entry["kind"] == "vectors"]) == 2
