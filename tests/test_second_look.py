"""A run is gone on with and looked at again: it stays what it was, whatever became of its files."""

import json

import numpy as np
import pandas as pd
import pytest

from fmb import UnknownNameError, open_run

N = 60


def write_vectors(path, seed=0, ids=None):
    values = np.random.default_rng(seed).normal(size=(N, 4)).astype(np.float32)
    np.savez(path, object_id=np.arange(N) if ids is None else ids, v=values)


@pytest.fixture
def detect(fmb, tmp_path):
    """`fmb detect` on vectors of one's own: detect("--out", "mine", ...)."""
    write_vectors(tmp_path / "v.npz")

    def run(*more):
        return fmb("detect", "--embeddings", "v.npz", "--detector", "gaussian", *more)

    return run


def done(result):
    assert result.exit_code == 0, result.stderr
    return result


def contents(home, name):
    folder = home / "runs" / name
    parts = [p for p in sorted(folder.rglob("*")) if p.is_file() and p.name != "run.log"]
    return {str(path.relative_to(folder)): path.read_bytes() for path in parts}


def test_the_command_that_made_a_run_goes_on_with_it(fmb, survey, home):
    command = ["run", "--model", "astropt", "--weights", "random", "--detector", "gaussian"]
    command += ["--data", survey, "--view", "image", "--limit", 30, "--out", "mine"]
    done(fmb(*command))
    first = open_run("mine").all_scores()
    done(fmb(*command, "--resume"))
    done(fmb("run", "--model", "astropt", "--out", "mine", "--resume"))
    figures = done(fmb(*command, "--resume", "--set", "plot.outlier-grid.n_objects=3"))
    assert "look at" in figures.stdout
    pd.testing.assert_frame_equal(first, open_run("mine").all_scores())
    other = fmb("run", "--resume", "--out", "mine", "--model", "astropt", "--view", "spectrum")
    assert other.exit_code == 2
    assert "was made with another model.astropt" in other.stderr


def test_vectors_that_changed_leave_the_finished_run_as_it_is(detect, fmb, home, tmp_path):
    done(detect("--out", "mine"))
    before = contents(home, "mine")
    write_vectors(tmp_path / "v.npz", seed=1, ids=np.arange(N) + 1000)
    result = fmb("detect", "--resume", "--out", "mine")
    assert result.exit_code == 2
    assert "the survey has changed since run 'mine' was begun" in result.stderr
    assert contents(home, "mine") == before
    assert done(fmb("top", "mine", "-k", 3)).stdout.count("\n") > 3


def test_a_catalogue_that_changed_is_another_survey(detect, fmb, home, tmp_path):
    table = pd.DataFrame({"object_id": np.arange(N), "z": np.linspace(0, 1, N)})
    table.to_csv(tmp_path / "c.csv", index=False)
    done(detect("--catalog", "c.csv", "--where", "z < 0.8", "--out", "mine"))
    before = contents(home, "mine")
    table.assign(z=1 - table["z"]).to_csv(tmp_path / "c.csv", index=False)
    result = fmb("detect", "--resume", "--out", "mine")
    assert (result.exit_code, "has changed since" in result.stderr) == (2, True)
    assert contents(home, "mine") == before


def test_ids_of_an_npy_file_that_changed_are_noticed(fmb, home, tmp_path):
    np.save(tmp_path / "v.npy", np.random.default_rng(0).normal(size=(N, 4)).astype(np.float32))
    ids = tmp_path / "ids.txt"
    ids.write_text("\n".join(map(str, range(N))))
    command = ["detect", "--embeddings", "v.npy", "--ids", "ids.txt", "--detector", "gaussian"]
    done(fmb(*command, "--out", "mine"))
    assert open_run("mine").vectors("vectors").n == N
    ids.write_text("\n".join(map(str, range(N - 1, -1, -1))))
    with pytest.raises(Exception, match=r"ids\.txt, from which this run was made, .* has changed"):
        open_run("mine").vectors("vectors")
    assert fmb("detect", "--resume", "--out", "mine").exit_code == 2


def test_a_file_called_like_the_ids_is_not_mistaken_for_them(detect, tmp_path):
    done(detect("--out", "mine"))
    (tmp_path / "object_id").touch()
    assert open_run("mine").vectors("v").n == N
    done(detect("--out", "other"))
    assert open_run("other").vectors("v").n == N


def test_a_mistake_leaves_no_run_behind_and_the_name_free(detect, home):
    result = detect("--folds", 100, "--out", "mine")
    assert result.exit_code == 2
    assert not (home / "runs" / "mine").exists()
    done(detect("--out", "mine"))


def test_columns_of_the_catalogue_may_be_called_like_those_of_a_list(detect, fmb, tmp_path):
    names = ["score", "rank", "percentile", "is_repeat", "fold", "model", "view", "detector"]
    table = pd.DataFrame({name: np.arange(N) for name in names} | {"object_id": np.arange(N)})
    table.to_csv(tmp_path / "c.csv", index=False)
    done(detect("--catalog", "c.csv", "--out", "mine"))
    done(fmb("top", "mine"))
    top = open_run("mine").top(N)
    assert top["rank"].tolist() == list(range(1, N + 1))
    assert (top["catalog_rank"] == top["object_id"]).all()
    assert set(top["model"]) == {"own"}


def test_lists_are_asked_for_by_name_and_json_is_json(detect, fmb, tmp_path):
    table = pd.DataFrame({"object_id": np.arange(N), "z": np.where(np.arange(N) % 2, np.nan, 1)})
    table.to_csv(tmp_path / "c.csv", index=False)
    done(detect("--catalog", "c.csv", "--out", "mine"))
    run = open_run("mine")
    (name,) = run.lists
    for asked in (name, name.stem, str(name)):
        pd.testing.assert_frame_equal(run.scores(asked), run.scores(name))
    with pytest.raises(UnknownNameError, match=r"no list 'x'; it has own\.as-is\.v\.gaussian"):
        run.scores("x")
    for command in (["top", "mine"], ["object", "1", "--run", "mine"], ["runs"]):
        json.loads(done(fmb(*command, "--json")).stdout, parse_constant=pytest.fail)


def test_what_a_run_tells_of_its_columns_is_told_when_it_is_opened(fmb, survey, home):
    text = survey.read_text().replace('["mag"]', '["mag"]\nroles = { magnitude = "mag" }')
    survey.write_text(text)
    done(
        fmb("run", "--model", "astropt", "--weights", "random", "--detector", "gaussian",
            "--data", survey, "--view", "image", "--out", "mine")
    )  # fmt: skip
    roles = open_run("mine").objects.attrs["roles"]
    assert (roles["magnitude"], roles["redshift"]) == ("mag", "redshift")


def test_a_run_of_another_version_is_one_line_that_says_how_to_make_it_anew(detect, fmb, home):
    done(detect("--out", "mine"))
    for name in ("run.toml", "manifest.json"):
        path = home / "runs" / "mine" / name
        path.write_text(path.read_text().replace("fmb-run/2", "fmb-run/1"))
    request = home / "runs" / "mine" / "run.toml"
    for command in (["top", "mine"], ["plot", "mine"], ["detect", "--resume", "--out", "mine"]):
        result = fmb(*command)
        assert result.exit_code == 2
        assert result.stderr == (
            "fmb: run 'mine' was written by another version of FMB; make it anew with"
            f" `fmb run --config {request} --out mine-2`\n"
        )
    assert "finished, by another version" in done(fmb("runs")).stdout


def test_runs_that_no_figure_compares_are_no_silent_success(detect, fmb):
    for name in ("one", "two"):
        done(detect("--out", name))
    result = fmb("plot", "one", "two")
    assert result.exit_code == 2
    assert (
        result.stderr == "fmb: no figure of several runs is drawn unasked: name one with --plot\n"
    )


def test_quiet_leaves_out_the_notes(detect, fmb):
    assert "note: " in done(detect("--out", "one")).stderr
    command = ["detect", "--embeddings", "v.npz", "--detector", "gaussian", "--out", "two"]
    assert done(fmb("-q", *command)).stderr == ""


@pytest.mark.parametrize("label", ["../../evil", "A B", "x/y", ""])
def test_a_label_cannot_leave_its_place(detect, fmb, tmp_path, label):
    (tmp_path / "fmb.toml").write_text(f'[detector."{label}"]\nuse = "gaussian"\n')
    result = detect("--out", "mine")
    assert result.exit_code == 2
    assert result.stderr.count("\n") == 1


def test_a_reader_has_nothing_to_do_with_own_vectors(detect):
    result = detect("--reader", "hdf5")
    assert result.exit_code == 2
    assert "--embeddings brings its own objects: leave --reader out" in result.stderr


def test_a_number_that_is_not_finite_is_no_setting(detect, fmb, home):
    result = fmb("detect", "--embeddings", "v.npz", "--detector", "flow", "--out", "mine",
                 "--set", "detector.flow.learning_rate=inf")  # fmt: skip
    assert result.exit_code == 2
    assert not (home / "runs" / "mine").exists()


@pytest.mark.parametrize("word", ['"lists"', '"detector"', '"name"'])
def test_a_manifest_that_lost_a_word_is_called_damaged(detect, fmb, home, word):
    done(detect("--out", "mine"))
    manifest = home / "runs" / "mine" / "manifest.json"
    manifest.write_text(manifest.read_text().replace(word, word.replace("e", "x").upper()))
    result = fmb("top", "mine")
    assert result.exit_code == 2
    assert "damaged" in result.stderr
