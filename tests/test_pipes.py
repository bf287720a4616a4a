"""A pipe in the place of a text file: one line, for nobody may ever write to it."""

import os

import numpy as np
import pandas as pd
import pytest

from fmb import DataError
from fmb.files import read_table

pytestmark = pytest.mark.usefixtures("no_longer_than_a_minute")

DETECT = ("detect", "--detector", "gaussian", "--embeddings", "v.npz")


@pytest.fixture(autouse=True)
def pipe(home, tmp_path):
    """Its name, in the current folder, where vectors of nine objects lie too."""
    rng = np.random.default_rng(0)
    np.savez(tmp_path / "v.npz", object_id=np.arange(9), vec=rng.normal(size=(9, 2)))
    os.mkfifo(tmp_path / "pipe.csv")
    return "pipe.csv"


def refused(result, *words):
    assert result.exit_code == 2, result.stderr
    told = [line for line in result.stderr.splitlines() if line.startswith("fmb:")]
    assert len(told) == 1, result.stderr
    assert not [word for word in words if word not in told[0]], told


@pytest.mark.parametrize("option", ["--include", "--exclude", "--config"])
def test_it_is_no_list_of_ids_and_no_settings(fmb, pipe, option):
    refused(fmb(*DETECT, option, pipe), "pipe.csv", "not a regular file")


@pytest.mark.parametrize("option", ["--reference", "--catalog", "--ids"])
def test_what_may_be_something_else_is_said_under_its_own_name(fmb, pipe, option):
    refused(fmb(*DETECT, option, pipe), "pipe.csv")


def test_it_is_no_file_of_labels(fmb, pipe):
    assert fmb(*DETECT, "--out", "mine").exit_code == 0
    refused(fmb("label", "mine", "--import", pipe), "labels cannot be read: not a regular file")
    refused(fmb("label", "mine", "merger", "--ids", pipe), "pipe.csv", "not a regular file")


def test_it_is_no_survey_and_no_table(fmb, pipe, tmp_path):
    os.mkfifo(tmp_path / "survey.toml")
    refused(fmb("data", "show", "survey.toml"), "survey.toml: not a regular file")
    with pytest.raises(DataError, match=r"pipe\.csv: not a regular file"):
        read_table(tmp_path / pipe)


def test_a_link_to_a_file_is_read_as_ever(fmb, tmp_path):
    pd.DataFrame({"object_id": np.arange(5)}).to_csv(tmp_path / "ids.csv", index=False)
    (tmp_path / "link.csv").symlink_to("ids.csv")
    assert fmb(*DETECT, "--include", "link.csv", "--fit", "in-sample").exit_code == 0
