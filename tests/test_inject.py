"""The commands of docs/injecting.md work, and a run on what was injected knows what is a copy."""

import re
import shlex
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from fmb_surveys.demo.survey import DemoSurvey
from fmb_surveys.files.reader import write_survey
from fmb_surveys.inject.command import command

PAGE = (Path(__file__).parents[1] / "docs" / "injecting.md").read_text()


@pytest.fixture(scope="module")
def sky(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sky") / "mine"
    write_survey(folder, DemoSurvey(160, seed=105, inputs=("euclid", "desi")))
    return folder / "survey.toml"


def test_the_commands_of_the_page_run_in_their_order(fmb, home, sky, monkeypatch):
    shown = re.findall(r"^\$ fmb (.*)$", PAGE, re.M)
    assert len(shown) == 4
    monkeypatch.chdir(home.parent)
    (home.parent / "survey.toml").symlink_to(sky)
    for name in ("survey.h5", "catalog.parquet"):
        (home.parent / name).symlink_to(sky.parent / name)
    printed = [fmb(*shlex.split(words)) for words in shown]
    assert [result.exit_code for result in printed] == [0] * 4, [r.stderr for r in printed]
    assert "prevalence" in printed[2].stderr
    paths = (home / "runs").glob("*/objects.parquet")
    with_copies, hosts = sorted(map(pd.read_parquet, paths), key=len, reverse=True)
    copies = with_copies["injected_from"] != with_copies["object_id"]
    assert copies.sum() > 20
    assert len(hosts) == 160
    assert np.array_equal(hosts["injected_from"], hosts["object_id"])


def test_every_option_is_explained_on_the_page():
    table = re.findall(r"^\| `(-[^ `]+)", PAGE, re.M)
    known = {option for parameter in command.params for option in parameter.opts}
    assert set(table) <= known
    told = known - {"survey", "--reader", "--json", "--kinds", "--out", "-o"}
    assert set(table) == told
