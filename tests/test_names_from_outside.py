"""A name that comes from outside never becomes a path; one that cannot work is refused early."""

import json
from pathlib import Path

import numpy as np
import pytest

from fmb.contract.names import VectorName
from fmb.datasets.names import refuse_names
from fmb.messages.errors import DataError

N = 20
ALPHA = "\N{GREEK SMALL LETTER ALPHA}"
"""A letter of two bytes, six signs in a quoted name."""
MODEL = ("--model", "astropt", "--weights", "random", "--set", "model.astropt.preset=tiny")
RUN = ("run", *MODEL, "--view", "spectrum", "--detector", "gaussian", "--fit", "in-sample")


def detect(fmb, tmp_path, *options, view="image"):
    vectors = np.random.default_rng(0).normal(size=(N, 3)).astype(np.float32)
    np.savez(tmp_path / "v.npz", **{"object_id": np.arange(N), view: vectors})
    return fmb("detect", "--embeddings", "v.npz", "--fit", "in-sample", *options)


def refused(done, *words):
    assert (done.exit_code, done.stdout) == (2, "")
    (line,) = done.stderr.splitlines()
    for word in words:
        assert word in line


def named(survey: Path, name: str) -> Path:
    survey.write_text(survey.read_text().replace('name = "tiny"', f"name = {json.dumps(name)}"))
    return survey


@pytest.mark.parametrize("name", ["a\tb", "\x1b[31mred", "a\nb", "x" * 101])
def test_a_survey_whose_name_cannot_be_read_is_refused(fmb, survey, home, name):
    path = named(survey, name)
    refused(fmb(*RUN, "--data", path), "cannot be the name of a survey")
    refused(fmb("data", "show", path), "cannot be the name of a survey")
    assert not (home / "runs").exists()


@pytest.mark.parametrize("name", ["../../evil", "..", "a/b:c*", ALPHA * 100])
def test_whatever_a_survey_is_called_its_files_stay_in_the_workspace(fmb, survey, home, name):
    before = set(home.parent.rglob("*"))
    done = fmb(*RUN, "--data", named(survey, name), "--out", "r")
    assert done.exit_code == 0, done.stderr
    assert fmb("label", "r", "lens", -50_000).exit_code == 0
    assert "lens   1" in fmb("label", "r").stdout
    made = set(home.parent.rglob("*")) - before - {home}
    assert [path for path in made if home not in path.parents] == []
    assert {"runs", "labels", "embeddings"} <= {path.name for path in home.iterdir()}


def test_a_run_that_nobody_named_has_a_name_that_a_folder_can_have(fmb, survey, home):
    label = "a" * 100
    options = ("--detector", f"{label}=gaussian", "--data", named(survey, ALPHA * 100))
    assert fmb(*RUN[:-4], "--fit", "in-sample", *options).exit_code == 0
    (folder,) = (home / "runs").iterdir()
    assert folder.name == ALPHA * 100


def test_two_long_names_that_begin_alike_keep_their_labels_apart(fmb, survey, home):
    first = ALPHA * 90
    for n, name in enumerate((first + "a", first + "b")):
        assert fmb(*RUN, "--data", named(survey, name), "--out", f"r{n}").exit_code == 0
        survey.write_text(survey.read_text().replace(json.dumps(name), '"tiny"'))
    assert fmb("label", "r0", "lens", -50_000).exit_code == 0
    assert "lens" not in fmb("label", "r1").stdout
    assert len(list((home / "labels").iterdir())) == 1


@pytest.mark.parametrize(
    ("view", "detector"), [(ALPHA * 95, "gaussian"), ("image", "a" * 190 + "=gaussian")]
)
def test_names_that_make_too_long_a_file_are_refused_before_anything_is_computed(
    fmb, home, tmp_path, view, detector
):
    done = detect(fmb, tmp_path, "--detector", detector, view=view)
    refused(done, "200 fit; shorten labels of models, embedders, detectors or figures")
    assert not (home / "runs").exists()


@pytest.mark.parametrize("view", ["../" * 3 + "out", "a/b", "a\nb", "-x", ".hidden", "a b", "/x"])
def test_an_array_whose_name_could_be_a_path_is_refused(fmb, home, tmp_path, view):
    refused(detect(fmb, tmp_path, "--detector", "gaussian", view=view), "name of a view")
    assert not (home / "runs").exists()


@pytest.mark.parametrize("label", ["../x", "a.b", "A", "a b", "", "a/b", ALPHA])
def test_a_label_that_could_be_a_path_is_refused(fmb, tmp_path, label):
    done = detect(fmb, tmp_path, "--detector", f"{label}=gaussian")
    refused(done, "write NAME or LABEL=NAME, lower case with hyphens")
    table = detect(fmb, tmp_path, "--set", f'detector."{label}".use=gaussian')
    assert (table.exit_code, len(table.stderr.splitlines())) == (2, 1)


@pytest.mark.parametrize("name", ["..", ".", "a/b", "", "-x", "a b", "a\nb", "x" * 201, "~"])
def test_a_run_name_that_could_be_a_path_is_refused(fmb, home, tmp_path, name):
    refused(detect(fmb, tmp_path, "--detector", "gaussian", "--out", name), "a run name has up to")
    assert list((home / "runs").glob("*")) == []


@pytest.mark.parametrize("name", ["../x", "a b", "-x", "a\n", ALPHA])
def test_a_class_that_could_be_a_path_is_refused(fmb, tmp_path, name):
    assert detect(fmb, tmp_path, "--detector", "gaussian", "--out", "r").exit_code == 0
    assert fmb("label", "r", "--", name, 5).exit_code == 2


class Brought:
    """A dataset of a stranger's reader, with one instrument and one view of vectors."""

    def __init__(self, name="s", instrument="cam", view="image") -> None:
        self.identity = {"name": name}
        self.inputs = {instrument: None}
        self.vectors = {VectorName("own", "as-is", view): None}


@pytest.mark.parametrize(
    "names", [{"instrument": "../x"}, {"instrument": "x" * 101}, {"view": "a/b"}, {"name": "\0"}]
)
def test_what_a_reader_of_a_stranger_brings_is_checked_alike(names):
    refuse_names(Brought(), "data")
    with pytest.raises(DataError, match=r"data: '.*' cannot be the name of"):
        refuse_names(Brought(**names), "data")
