"""The weights that come with the packages, through the command line."""

import json
import shutil
from importlib.resources import files
from pathlib import Path

import pytest

TINY = Path(str(files("fmb_astropt"))) / "weights" / "tiny"
EMBED = ("embed", "--model", "astropt", "--data", "survey.toml")


@pytest.fixture
def here(survey, monkeypatch):
    monkeypatch.chdir(survey.parent)
    return survey.parent


def test_the_demo_takes_the_small_weights_and_says_so(fmb):
    done = fmb(
        "run", "--model", "astropt", "--detector", "gaussian", "--set", "data.n_objects=60",
        "--set", "data.inputs=['desi']",
    )  # fmt: skip
    assert done.exit_code == 0, done.stderr
    assert "simulated data, small weights: not evidence" in done.stderr
    assert "astropt spectrum (tails), gaussian" in done.stdout


def test_the_embedder_is_the_one_that_the_weights_name_unless_another_is_asked_for(fmb, here):
    for more, expected in (
        (("--weights", "tiny"), "tails"),
        (("--weights", "tiny", "--embedder", "mean"), "mean"),
        (("--weights", "random"), "mean"),  # their preset names none: the model's first
    ):
        done = fmb(*EMBED, *more, "--json")
        assert done.exit_code == 0, done.stderr
        assert {row["embedder"] for row in json.loads(done.stdout)} == {expected}


def test_weights_that_name_an_unknown_embedder_are_refused_until_one_is_asked_for(fmb, here):
    shutil.copytree(TINY, here / "odd")
    card = json.loads((TINY / "card.json").read_text())
    (here / "odd" / "card.json").write_text(json.dumps({**card, "embedder": "median"}))
    refused = fmb(*EMBED, "--weights", "odd")
    assert refused.exit_code == 2
    assert "'median'" in refused.stderr
    assert "choose with --embedder mean, last, exp-decay, tails" in refused.stderr
    assert fmb(*EMBED, "--weights", "odd", "--embedder", "last").exit_code == 0


def test_bundled_weights_are_listed_and_verified(fmb):
    listed = fmb("weights", "list")
    assert listed.exit_code == 0, listed.stderr
    lines = [line for line in listed.stdout.splitlines() if "tiny" in line]
    assert lines
    assert all("bundled" in line for line in lines)
    checked = fmb("weights", "verify", "astropt", "tiny")
    assert checked.exit_code == 0
    assert "bundled" in checked.stdout


@pytest.mark.parametrize("model", ["astropt", "astroclip"])
def test_an_option_that_the_card_settles_is_refused_not_ignored(fmb, model):
    asked = ("run", "--model", model, "--detector", "gaussian", "--dry-run", "--limit", "20")
    refused = fmb(*asked, "--set", f"model.{model}.preset=full")
    assert refused.exit_code == 2
    assert f"option 'preset' of {model} shapes weights that are drawn or imported" in refused.stderr
    assert "weights 'tiny' have a card that settles it" in refused.stderr
