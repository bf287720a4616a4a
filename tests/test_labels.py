"""Labels: what people say objects are, kept for a survey whatever becomes of its runs and files."""

import csv
import io
import json
from datetime import datetime

import numpy as np
import pandas as pd
import pytest

from fmb import ConfigError, UnknownNameError, open_run

N = 60
FIRST, SECOND, THIRD = 10, 20, 30
"""The three strangest of the survey, strangest first."""


@pytest.fixture
def detect(fmb, tmp_path):
    """`fmb detect` on vectors of one's own with three objects far out: detect("--out", "mine")."""
    values = np.random.default_rng(0).normal(size=(N, 4)).astype(np.float32)
    for row, far in ((FIRST, 90), (SECOND, 60), (THIRD, 40)):
        values[row, 0] += far
    np.savez(tmp_path / "sky.npz", object_id=np.arange(N), v=values, w=values[:, :2])

    def run(*more, views=False):
        if not views:
            np.savez(tmp_path / "sky.npz", object_id=np.arange(N), v=values)
        return done(fmb("detect", "--embeddings", "sky.npz", "--detector", "gaussian", *more))

    return run


def done(result):
    assert result.exit_code == 0, result.stderr
    return result


def refused(result, *words):
    assert (result.exit_code, result.stderr.count("\n")) == (2, 1), result.stderr
    for word in words:
        assert word in result.stderr


def journals(home):
    return sorted((home / "labels").rglob("*.jsonl"))


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


def test_ids_of_one_list_go_through_a_pipe(detect, fmb, home, tmp_path):
    detect("--out", "both", views=True)
    refused(fmb("top", "both", "--ids"), "choose by --list", "own.as-is.w.gaussian")
    printed = done(fmb("top", "both", "--ids", "-k", 3, "--view", "v")).stdout
    assert printed == f"{FIRST}\n{SECOND}\n{THIRD}\n"
    assert done(fmb("top", "both", "--ids", "-k", 3, "--list", "own.as-is.v.gaussian")).stdout
    (tmp_path / "ids.txt").write_text(printed)
    done(fmb("label", "both", "artefact", "--ids", "ids.txt", "--list", "own.as-is.v.gaussian"))
    (path,) = journals(home)
    assert [json.loads(line)["rank"] for line in path.read_text().splitlines()] == [1, 2, 3]
    rest = done(fmb("top", "both", "--ids", "--view", "v", "--without", "artefact"))
    assert not set(printed.split()) & set(rest.stdout.split())
    assert "3 not shown" in rest.stderr
    done(fmb("detect", "--embeddings", "sky.npz", "--detector", "gaussian",
             "--exclude", "ids.txt", "--out", "rest"))  # fmt: skip
    assert len(open_run("rest").objects) == N - 3


def test_ids_come_from_stdin(detect, home, tmp_path):
    from click.testing import CliRunner

    from fmb.cli import main

    detect("--out", "mine")
    given = CliRunner().invoke(main, ["label", "mine", "lens", "--ids", "-"], input="10\n20\n")
    assert given.stdout == "2 objects labelled lens\n"


def test_an_id_that_holds_a_comma_survives_the_pipe(fmb, tmp_path):
    ids = [f'a,"{i}"' for i in range(N)]
    values = np.random.default_rng(0).normal(size=(N, 3))
    np.savez(tmp_path / "text.npz", object_id=np.array(ids), v=values)
    done(fmb("detect", "--embeddings", "text.npz", "--detector", "gaussian", "--out", "mine"))
    (tmp_path / "ids.txt").write_text(done(fmb("top", "mine", "--ids", "-k", 1)).stdout)
    done(fmb("label", "mine", "lens", "--ids", "ids.txt"))
    run = open_run("mine")
    assert run.objects["object_id"][run.labels == "lens"].tolist() == [run.top(1)["object_id"][0]]


def test_labels_go_out_as_csv_and_come_in_again(detect, fmb, home, tmp_path):
    detect("--out", "mine")
    done(fmb("label", "mine", "lens", FIRST))
    done(fmb("label", "mine", "star", SECOND))
    text = done(fmb("label", "mine", "--csv")).stdout
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [(row["object_id"], row["class"]) for row in rows] == [("10", "lens"), ("20", "star")]
    counted = done(fmb("label", "mine")).stdout
    assert counted == "class  objects\nlens   1\nstar   1\n"
    (tmp_path / "out.csv").write_text(text)
    (path,) = journals(home)
    path.unlink()
    assert set(open_run("mine").labels) == {""}
    assert done(fmb("label", "mine", "--import", "out.csv")).stdout == (
        "2 labels taken from out.csv\n"
    )
    assert done(fmb("label", "mine", "--csv")).stdout == text


def test_an_older_label_that_comes_in_does_not_undo_a_newer_one(detect, fmb, tmp_path):
    detect("--out", "mine")
    done(fmb("label", "mine", "lens", FIRST))
    old = f"object_id,class,time,who\n{FIRST},star,2001-02-03T04:05:06Z,bob\n{SECOND},star,,\n"
    (tmp_path / "old.csv").write_text(old)
    taken = done(fmb("label", "mine", "--import", "old.csv"))
    assert "1 of them do not hold" in taken.stderr
    labels = open_run("mine").labels
    assert (labels[FIRST], labels[SECOND]) == ("lens", "star")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("object_id,klass\n1,lens\n", "no column 'class'; did you mean 'klass'?"),
        ("object_id,class,colour\n1,lens,red\n", "column 'colour' is none of"),
        ("object_id,class\n577,lens\n", "no object '577'; did you mean '57'?"),
        ("object_id,class\n1,\n", "line 2: class ''"),
        ("object_id,class,time\n1,lens,noon\n", "line 2: 'noon' is no time"),
        ("object_id,class,ra\n1,lens,x\n", "line 2: 'x' is no number"),
        ("object_id,class\n", "holds no labels"),
    ],
)
def test_a_file_of_labels_that_is_wrong_is_refused_whole(detect, fmb, home, tmp_path, text, why):
    detect("--out", "mine")
    (tmp_path / "in.csv").write_text(text)
    refused(fmb("label", "mine", "--import", "in.csv"), "in.csv", why)
    assert journals(home) == []


def test_an_imported_label_of_another_place_is_refused(detect, fmb, home, tmp_path):
    table = pd.DataFrame({"object_id": range(N), "ra": np.arange(N) / 2, "dec": 0.0})
    table.to_csv("c.csv", index=False)
    detect("--catalog", "c.csv", "--out", "mine")
    (tmp_path / "in.csv").write_text("object_id,class,ra,dec\n4,lens,2.1,0\n")
    refused(fmb("label", "mine", "--import", "in.csv"), "more than 1 arcsec", "first 4")
    # Under another id, but at the place of object 4.
    (tmp_path / "in.csv").write_text("object_id,class,ra,dec\n900,lens,2.0,0\n")
    done(fmb("label", "mine", "--import", "in.csv"))
    assert open_run("mine").labels[4] == "lens"


def test_lines_torn_by_a_crash_are_counted_and_stop_nobody(detect, fmb, home):
    detect("--out", "mine")
    done(fmb("label", "mine", "lens", FIRST))
    (path,) = journals(home)
    with path.open("a") as stream:
        stream.write('{"time": "2026-')
    done(fmb("label", "mine", "lens", SECOND))
    listed = done(fmb("label", "mine"))
    assert listed.stdout == "class  objects\nlens   2\n"
    assert listed.stderr == "note: 1 line of labels cannot be read: left out\n"
    assert "1 line of labels cannot be read" in done(fmb("top", "mine")).stderr
    assert done(fmb("-q", "top", "mine")).stderr == ""


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
