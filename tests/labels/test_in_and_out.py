"""Ids and labels come in by pipes and files and go out again; what is wrong is refused whole."""

import csv
import io
import json

import numpy as np
import pandas as pd
import pytest
from labelled import FIRST, SECOND, THIRD, N, done, journals, refused

from fmb import open_run


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
