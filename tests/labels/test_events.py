"""Labels: what people say objects are, kept for a survey whatever becomes of its runs and files."""

import json
from datetime import datetime

import numpy as np
import pandas as pd
import pytest
from labelled import FIRST, SECOND, THIRD, N, done, journals, refused

from fmb import ConfigError, UnknownNameError, open_run


def test_a_label_is_an_event_with_all_that_was_known(detect, fmb, home, tmp_path):
    table = pd.DataFrame({"object_id": range(N), "ra": np.arange(N) / 2, "dec": -np.arange(N) / 3})
    table.to_csv("c.csv", index=False)
    detect("--catalog", "c.csv", "--out", "mine")
    said = done(fmb("label", "mine", "artefact", FIRST, THIRD))
    assert said.stdout == "2 objects labelled artefact\n"
    (path,) = journals(home)
    assert path.parent == home / "labels" / "sky"
    first, third = map(json.loads, path.read_text().splitlines())
    assert first["object_id"] == str(FIRST)
    assert (first["id_type"], first["class"], first["run"]) == ("int64", "artefact", "mine")
    assert (first["ra"], third["dec"]) == (FIRST / 2, -THIRD / 3)
    assert (first["list"], first["rank"], third["rank"]) == ("own.as-is.v.gaussian", 1, 3)
    assert path.stem == first["who"]
    assert datetime.fromisoformat(first["time"]).utcoffset().total_seconds() == 0


def test_every_run_on_the_survey_shows_the_labels_also_one_made_later(detect, fmb):
    detect("--out", "one")
    done(fmb("label", "one", "lens", FIRST))
    detect("--out", "two", "--folds", 3)
    assert open_run("two").labels[FIRST] == "lens"
    assert "lens" in done(fmb("top", "two", "-k", 1)).stdout
    shown = done(fmb("object", FIRST, "--run", "two")).stdout
    assert "  labelled lens by " in shown


def test_a_label_is_replaced_and_taken_away_and_all_of_it_is_kept(detect, fmb, home):
    detect("--out", "mine")
    done(fmb("label", "mine", "star", FIRST))
    done(fmb("label", "mine", "lens", FIRST))
    assert open_run("mine").labels[FIRST] == "lens"
    taken = done(fmb("label", "mine", "--remove", FIRST, SECOND))
    assert taken.stdout == "1 object labelled no more\n"
    assert "1 of those named had no label" in taken.stderr
    assert set(open_run("mine").labels) == {""}
    (path,) = journals(home)
    kept = [json.loads(line)["class"] for line in path.read_text().splitlines()]
    assert kept == ["star", "lens", ""]


def test_a_clock_that_is_behind_loses_no_word(detect, fmb, home):
    detect("--out", "mine")
    done(fmb("label", "mine", "star", FIRST))
    (path,) = journals(home)
    ahead = json.loads(path.read_text()) | {"time": "2999-01-01T00:00:00.000000+00:00"}
    (path.parent / "eve@elsewhere.jsonl").write_text(json.dumps(ahead | {"who": "eve@elsewhere"}))
    done(fmb("label", "mine", "lens", FIRST))
    assert open_run("mine").labels[FIRST] == "lens"


def test_a_misspelt_id_is_refused_before_anything_is_written(detect, fmb, home):
    detect("--out", "mine")
    refused(fmb("label", "mine", "lens", FIRST, 577), "no object '577'", "did you mean '57'?")
    refused(fmb("label", "mine", "lens", 100, 200), "'100', nor 1 more of the 2 named")
    refused(fmb("label", "mine", "not here!", FIRST), "letters, digits, hyphens and underscores")
    refused(fmb("label", "mine", "lens", "--idd", FIRST), "did you mean '--ids'?")
    refused(fmb("label", "mine", "lens"), "name a CLASS and the objects")
    refused(fmb("label", "mine", "lens", FIRST, "--csv"), "do one thing")
    assert journals(home) == []


def test_a_class_that_looks_like_a_slip_gets_a_hint(detect, fmb):
    detect("--out", "mine")
    assert done(fmb("label", "mine", "artefact", FIRST)).stderr == ""
    again = done(fmb("label", "mine", "artifact", SECOND))
    assert again.stderr == "note: new class 'artifact'; you have 'artefact'\n"
    assert done(fmb("label", "mine", "lens", THIRD)).stderr == ""


def test_labelled_objects_are_hidden_and_ranks_stay(detect, fmb):
    detect("--out", "mine")
    before = open_run("mine").scores("own.as-is.v.gaussian")
    done(fmb("label", "mine", "artefact", FIRST, THIRD))
    top = done(fmb("top", "mine", "-k", 2, "--without", "artefact"))
    assert "the strangest of 60; 2 not shown, labelled artefact\n" in top.stdout
    shown = json.loads(done(fmb("top", "mine", "--json", "--without", "artefact")).stdout)
    rows = shown["own.as-is.v.gaussian"]
    assert rows[0]["object_id"] == str(SECOND)
    assert [row["rank"] for row in rows[:2]] == [2, 4]
    run = open_run("mine")
    assert run.top(5, only="artefact")["object_id"].tolist() == [FIRST, THIRD]
    table = run.ranked("own.as-is.v.gaussian", without=["artefact"])
    assert (len(table), table.attrs["ranked"]) == (N - 2, N)
    pd.testing.assert_frame_equal(before, run.scores("own.as-is.v.gaussian"))
    hidden = done(fmb("top", "mine", "--only", "artefact")).stdout
    assert "58 not shown, not labelled artefact" in " ".join(hidden.split())


@pytest.mark.parametrize("option", ["--without", "--only"])
def test_a_class_that_nobody_gave_is_refused(detect, fmb, option):
    detect("--out", "mine")
    refused(fmb("top", "mine", option, "lens"), "ever labelled 'lens'")
    done(fmb("label", "mine", "artefact", FIRST))
    refused(fmb("top", "mine", option, "artifact"), "did you mean 'artefact'?")
    refused(fmb("plot", "mine", option, "artifact"), "did you mean 'artefact'?")


def test_labels_are_kept_when_the_survey_file_is_written_anew(fmb, home, tmp_path, make_survey):
    command = ["run", "--model", "astropt", "--weights", "random", "--detector", "gaussian"]
    command += ["--view", "image", "--plot", "score-histogram"]
    survey = make_survey(tmp_path / "tiny", n=40)
    done(fmb(*command, "--data", survey, "--out", "before"))
    ids = open_run("before").objects["object_id"].tolist()
    done(fmb("label", "before", "artefact", ids[3], ids[7], ids[20]))

    def ten_more(arrays):
        arrays["ra"], arrays["dec"] = arrays["ra"].copy(), arrays["dec"].copy()
        before = open_run("before").objects
        arrays["ra"][:40], arrays["dec"][:40] = before["ra"], before["dec"]
        arrays["object_id"][7] = 10**9  # the same source under another id
        arrays["dec"][20] += 1  # another source under the same id

    survey = make_survey(tmp_path / "tiny", n=50, change=ten_more)
    done(fmb(*command, "--data", survey, "--out", "after"))
    run = open_run("after")
    assert len(run.objects) == 50
    labelled = run.objects["object_id"][run.labels == "artefact"].tolist()
    assert labelled == [ids[3], 10**9]
    listed = done(fmb("top", "after"))
    assert "note: 1 label names an object that is now more than 1 arcsec away" in listed.stderr


def test_a_survey_has_a_folder_of_its_own_whatever_it_is_called(fmb, home, tmp_path, make_survey):
    command = ["run", "--model", "astropt", "--weights", "random", "--detector", "gaussian"]
    survey = make_survey(tmp_path / "odd")
    survey.write_text(survey.read_text().replace('name = "tiny"', 'name = "../up/a b"'))
    done(fmb(*command, "--data", survey, "--view", "image", "--out", "mine"))
    done(fmb("label", "mine", "lens", -50000))
    (path,) = journals(home)
    assert path.parent.parent == home / "labels"
    assert open_run("mine").labels[0] == "lens"


def test_a_notebook_labels_and_reads_labels(detect, home):
    detect("--out", "mine")
    run = open_run("mine")
    assert run.label([FIRST, SECOND], "lens") == 2
    assert run.label(THIRD, "star") == 1
    assert [run.labels[row] for row in (FIRST, SECOND, THIRD, 0)] == ["lens", "lens", "star", ""]
    assert run.top(4)["class"].tolist() == ["lens", "lens", "star", ""]
    assert run.label(THIRD, "") == 1
    with pytest.raises(UnknownNameError, match="no object '577'"):
        run.label([577], "lens")
    with pytest.raises(ConfigError, match="letters, digits"):
        run.label(FIRST, "a b")


def test_what_is_left_out_stays_out_when_more_is(detect):
    detect("--out", "mine")
    run = open_run("mine")
    run.label(FIRST, "artefact")
    run.label([SECOND, THIRD], "star")
    part = run.showing(without="artefact")
    assert part.top(1)["object_id"].tolist() == [SECOND]
    assert not {FIRST, SECOND, THIRD} & set(part.top(N, without="star")["object_id"])
    assert part.top(N, only="star")["object_id"].tolist() == [SECOND, THIRD]
    assert len(part.top(N, only="artefact")) == 0


def test_a_catalogue_column_called_class_keeps_its_values(detect, tmp_path):
    table = pd.DataFrame({"object_id": range(N), "class": [f"c{i}" for i in range(N)]})
    table.to_csv("c.csv", index=False)
    detect("--catalog", "c.csv", "--out", "mine")
    run = open_run("mine")
    run.label(FIRST, "lens")
    top = run.top(1)
    assert (top["class"][0], top["catalog_class"][0]) == ("lens", f"c{FIRST}")


def test_figures_of_a_part_stand_beside_those_of_all(fmb, survey, home):
    command = ["run", "--model", "astropt", "--weights", "random", "--detector", "gaussian"]
    done(fmb(*command, "--data", survey, "--view", "image", "--out", "mine"))
    plots = home / "runs" / "mine" / "plots"
    before = {path.name: path.read_bytes() for path in plots.iterdir()}
    strangest = open_run("mine").top(3)["object_id"].tolist()
    open_run("mine").label(strangest, "artefact")
    drawn = done(fmb("plot", "mine", "--without", "artefact")).stdout.split()
    assert {path.name: path.read_bytes() for path in plots.iterdir() if path.is_file()} == before
    assert len(drawn) == 2
    part = open_run("mine").showing(without="artefact")
    assert [n.text for n in part.notes if n.code == "labels"] == [
        "objects 3 not shown, labelled artefact"
    ]
    (name,) = part.lists
    assert not set(part.cutouts(name, 12).ids.tolist()) & set(strangest)
    for path in map(plots.parent.joinpath, drawn):
        assert path.exists()
        assert path.parent.name == "without-artefact"
