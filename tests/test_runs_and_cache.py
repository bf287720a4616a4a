"""Runs are gone on with, listed, copied and removed; what is kept between them is told."""

import json
import multiprocessing
import os
import shutil
import time

import numpy as np
import pandas as pd
import pytest

from fmb import open_run
from fmb import runs as fmb_runs

RUN = ("--model", "counting", "--weights", "random", "--view", "image", "--detector", "gaussian")


@pytest.fixture
def run(fmb, survey, counting):
    """`fmb run` on the small survey; gives the result."""

    def invoke(*more, command="run"):
        return fmb(command, *RUN, "--data", survey, *more)

    return invoke


def done(result):
    assert result.exit_code == 0, result.stderr
    return result


def claim_folders(home, barrier, answers):
    from fmb.runs.folder import new_folder

    names = []
    for _ in range(100):
        barrier.wait()
        names.append(new_folder(home, None, "race", {"format": "fmb-run/2"}).name)
    answers.put(names)


def test_a_hundred_races_for_a_folder_share_none(home):
    context = multiprocessing.get_context("fork")
    barrier, answers = context.Barrier(2), context.Queue()
    both = [context.Process(target=claim_folders, args=(home, barrier, answers)) for _ in range(2)]
    for process in both:
        process.start()
    names = [*answers.get(timeout=60), *answers.get(timeout=60)]
    for process in both:
        process.join()
    assert len(set(names)) == len(names) == 200
    assert all((home / "runs" / name / "run.toml").is_file() for name in names)
    assert not [p for p in (home / "runs").iterdir() if p.name.startswith(".")]


def test_an_empty_folder_that_a_killed_process_left_takes_no_name(run, home):
    (home / "runs" / "mine").mkdir(parents=True)
    done(run("--out", "mine"))
    assert open_run("mine").name == "mine"


def test_the_same_command_with_resume_goes_on_with_its_own_run(run, home, fmb, counting):
    done(run())
    done(run("--detector", "flow"))
    name = "tiny-counting-gaussian"
    (home / "runs" / name / "manifest.json").unlink()  # as if it had been killed at its end
    done(run("--resume"))
    assert open_run(name).name == name
    assert len(list((home / "runs").iterdir())) == 2
    other = run("--resume", "--seed", 5)
    assert other.exit_code == 2
    assert "no run was made by this request" in other.stderr


def test_a_resumed_run_takes_the_harmless_options_given_now(run):
    done(run("--out", "mine", "--top", 4))
    assert len(open_run("mine").cutouts("counting.mean.image.gaussian", 99)) == 4
    done(run("--resume", "--out", "mine", "--top", 30, "--batch-size", 3, "--workers", 1))
    assert len(open_run("mine").cutouts("counting.mean.image.gaussian", 99)) == 30


def test_a_misspelt_run_to_resume_gets_a_suggestion(run, fmb):
    done(run("--out", "mine"))
    result = fmb("run", "--resume", "--out", "mien")
    assert result.exit_code == 2
    assert "did you mean 'mine'?" in result.stderr


def test_a_run_that_is_not_there_is_answered_with_the_nearest_few_and_not_with_all(home, fmb):
    for name in (*(f"sky-{i}" for i in range(9)), "base", "bass"):
        folder = home / "runs" / name
        folder.mkdir(parents=True)
        (folder / "run.toml").touch()
    for asked, told in (("bas", "did you mean 'bass' or 'base'? "), ("other", "; ")):
        result = fmb("top", asked)
        assert result.exit_code == 2
        assert result.stderr.strip().endswith(f"{told}`fmb runs` lists them")
        assert "sky" not in result.stderr


def test_a_run_is_gone_on_with_from_python(run, survey, home):
    import fmb as package

    asked = {
        "model": "counting", "weights": "random", "view": "image", "detector": "gaussian",
        "data": str(survey),
    }  # fmt: skip
    first = package.detect(**asked)
    (first.folder.manifest).unlink()
    again = package.detect(**asked, resume=True)
    assert again.name == first.name
    (vectors,) = package.embed(**{k: v for k, v in asked.items() if k != "detector"}).values()
    np.testing.assert_array_equal(vectors.values, again.vectors("image").values)


def test_a_copied_run_has_what_it_shows(run, fmb, home, tmp_path, monkeypatch):
    done(run("--out", "mine", "--top", 5))
    before = open_run("mine")
    shown = before.top(5)["object_id"].tolist()
    vectors = dict(zip(before.objects["object_id"], before.vectors("image").values, strict=True))
    shutil.copytree(before.folder.path, tmp_path / "sent")
    shutil.rmtree(home)
    top = done(fmb("top", tmp_path / "sent", "-k", 5)).stdout
    assert all(str(object_id) in top for object_id in shown)
    assert "mag = " in done(fmb("object", shown[0], "--run", tmp_path / "sent")).stdout
    done(fmb("plot", tmp_path / "sent"))
    copied = open_run(str(tmp_path / "sent"))
    view = copied.vectors("image")
    ids = copied.objects["object_id"].to_numpy()[view.rows]
    assert set(shown) <= set(ids.tolist())
    for object_id, vector in zip(ids.tolist(), view.values, strict=True):
        np.testing.assert_array_equal(vector, vectors[object_id])


def test_runs_tell_when_they_were_made_and_what_they_would_free(run, fmb, home):
    done(run("--out", "one"))
    done(run("--out", "two"))
    one, _ = json.loads(done(fmb("runs", "--sizes", "--json")).stdout)
    assert (one["run"], one["state"]) == ("one", "finished")
    files = [p for p in (home / "runs" / "one").rglob("*") if p.is_file()]
    assert one["bytes"] == sum(p.stat().st_size for p in files)
    # Lists and figures are in the cache and in the other run too.
    assert one["frees"] == sum(p.stat().st_size for p in files if p.stat().st_nlink == 1)
    assert 0 < one["frees"] < one["bytes"]
    assert "made" in done(fmb("runs")).stdout


def test_a_damaged_run_does_not_hide_the_others(run, fmb, home):
    done(run("--out", "one"))
    done(run("--out", "two"))
    (home / "runs" / "one" / "manifest.json").write_text("{")
    rows = json.loads(done(fmb("runs", "--json")).stdout)
    assert [row["state"] for row in rows] == ["damaged", "finished"]


def test_runs_are_removed_by_name_and_nothing_else_is(run, fmb, home):
    done(run("--out", "one"))
    done(run("--out", "two"))
    refused = fmb("runs", "remove", "one", "tow", "--yes")
    assert refused.exit_code == 2
    assert "did you mean 'two'?" in refused.stderr
    assert (home / "runs" / "one").exists()
    unasked = fmb("runs", "remove", "one")
    assert unasked.exit_code == 2
    assert "add --yes" in unasked.stderr
    assert done(fmb("runs", "remove", "one", "--yes")).stdout == "removed one\n"
    assert [p.name for p in (home / "runs").iterdir()] == ["two"]
    assert open_run("two").vectors("image").n == 40


def test_the_cache_tells_what_is_kept_and_which_runs_read_it(run, fmb, home):
    done(run("--out", "one"))
    kept = json.loads(done(fmb("cache", "list", "--json")).stdout)
    by_kind = {one["kind"]: one for one in kept}
    assert by_kind["vectors"]["about"] == "40 vectors"
    assert by_kind["vectors"]["used_by"] == ["one"]
    assert by_kind["inputs"]["about"] == "digests of 40 objects"
    assert by_kind["lists"]["about"] == "1 list, shared with runs"
    files = [p for p in (home / "lists").rglob("*") if p.is_file()]
    assert by_kind["lists"]["bytes"] == sum(p.stat().st_size for p in files)
    assert done(fmb("cache")).stdout == done(fmb("cache", "list")).stdout


def test_a_run_outlives_what_is_removed_from_the_cache(run, fmb, home, counting):
    done(run("--out", "one", "--top", 5))
    counting.ids()
    result = done(fmb("cache", "remove", "--all", "--yes"))
    assert "removed lists" in result.stdout
    assert not list((home / "embeddings").glob("*/*/part-*"))
    assert done(fmb("top", "one")).exit_code == 0
    assert len(open_run("one").vectors("image")) == 5
    done(run("--out", "two"))
    assert len(counting.ids()) == 40
    one, two = (open_run(name).all_scores() for name in ("one", "two"))
    # Vectors that were made anew may lie in another order, in which float64 sums round otherwise.
    pd.testing.assert_frame_equal(one, two, rtol=1e-12)


def test_what_no_run_reads_is_removed_alone(run, fmb, home):
    done(run("--out", "one"))
    survey = home.parent / "tiny" / "survey.toml"
    asked = ("--model", "counting", "--weights", "random", "--view", "spectrum")
    done(fmb("embed", *asked, "--data", survey))
    done(fmb("cache", "remove", "--unused", "--yes"))
    kept = json.loads(done(fmb("cache", "list", "--json")).stdout)
    assert [one["name"] for one in kept if one["kind"] == "vectors"] == [
        open_run("one").manifest["vectors"][0]["folder"]
    ]


def test_leftovers_of_killed_work_are_found_and_those_of_living_work_are_not(run, fmb, home):
    done(run("--out", "one"))
    folder = next(home.glob("embeddings/*/*-image-*"))
    old, young = folder / ".part-1.host.1.aa.tmp", folder / ".part-2.host.2.bb.tmp"
    for path in (old, young):
        path.write_bytes(bytes(1000))
    os.utime(old, (time.time() - 7200,) * 2)
    kept = {one["kind"]: one for one in json.loads(fmb("cache", "list", "--json").stdout)}
    assert kept["leftovers"]["paths"] == [str(old)]
    done(fmb("cache", "remove", "leftovers", "--yes"))
    assert (old.exists(), young.exists()) == (False, True)


def test_resume_alone_goes_on_with_the_latest_run_that_is_unfinished(run, fmb, home):
    done(run("--out", "one"))
    done(run("--out", "two"))
    nothing = fmb("run", "--resume")
    assert (nothing.exit_code, "no run is unfinished" in nothing.stderr) == (2, True)
    (home / "runs" / "one" / "manifest.json").unlink()
    done(fmb("run", "--resume"))
    assert open_run("one").name == "one"


def test_surveys_of_one_name_are_told_apart_by_where_they_lie(fmb, counting, make_survey, tmp_path):
    surveys = [make_survey(tmp_path / place, n=12) for place in ("one/sky", "two/sky")]

    def listed(*options):
        return done(fmb("runs", *options)).stdout

    for n, survey in enumerate(surveys):
        done(fmb("run", *RUN, "--data", survey, "--out", f"r{n}", "--no-companions"))
        rows = json.loads(listed("--json"))
        assert rows[n]["source"] == str(survey)
        told = ["tiny"] if not n else ["one/sky/survey.toml", "two/sky/survey.toml"]
        assert [row["data"] for row in rows] == told
    assert fmb_runs()["data"].tolist() == told
    assert "one/sky/survey.toml" in listed()
    assert str(tmp_path) not in listed()
