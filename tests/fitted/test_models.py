"""New galaxies through the network of a run, and then its fits."""

import numpy as np
import pytest
from fitted_sky import refused

from fmb import open_run

DEMO = ("--data", "demo", "--set", "data.n_objects=300")


@pytest.fixture
def model_run(fmb, home):
    """A run on a third of the galaxies of a small sky, by a network."""
    done = fmb(
        *("detect", "--model", "astropt", "--view", "image", "--view", "spectrum", *DEMO),
        *("--detector", "gaussian", "--detector", "mismatch", "--limit", "160", "--out", "base"),
    )
    assert done.exit_code == 0, done.stderr
    ids = open_run("base").objects["object_id"]
    ids.to_csv("theirs.txt", index=False, header=False)
    return home


def test_other_galaxies_of_the_same_sky_are_scored_without_the_network_learning_anew(
    fmb, model_run
):
    done = fmb("detect", "--fitted", "base", *DEMO, "--exclude", "theirs.txt", "--out", "r")
    assert done.exit_code == 0, done.stderr
    run, base = open_run("r"), open_run("base")
    assert run.lists == base.lists
    assert "drift: 0 of" in done.stdout
    again = fmb("detect", "--fitted", "base", *DEMO, "--out", "all")
    assert again.exit_code == 0, again.stderr
    assert any(
        "of these objects were seen by the fit" in line for line in open_run("all").remarks()
    )


def test_a_network_whose_weights_are_others_now_is_refused(fmb, model_run):
    args = ("--model", "astropt", "--weights", "random")
    done = fmb("detect", "--fitted", "base", *DEMO, *args, "--out", "r")
    refused(done, "image vectors of astropt do not compare", "weights", "without --fitted")


def test_weights_and_leave_of_the_run_need_not_be_given_again(fmb, home, make_survey):
    """The first run names them, or took those of a simulated survey; the second is real data."""
    for name, first in (("old", 0), ("new", 1000)):
        ids = np.arange(first, first + 60)
        survey = make_survey(
            home.parent / name, n=60, change=lambda a, ids=ids: a.update(object_id=ids)
        )
        survey.write_text(survey.read_text().replace("arcsec = 0.1", "arcsec = 0.5"))
    asked = ("--model", "astropt", "--weights", "tiny", "--allow-out-of-domain", "--view", "image")
    done = fmb("detect", "--data", "old", *asked, "--detector", "gaussian", "--out", "base")
    assert done.exit_code == 0, done.stderr
    done = fmb("detect", "--fitted", "base", "--data", "new", "--out", "r")
    assert done.exit_code == 0, done.stderr
    assert open_run("r").manifest["models"] == open_run("base").manifest["models"]


def test_weights_that_a_simulated_survey_took_go_for_real_data(fmb, model_run, make_survey):
    survey = make_survey(model_run.parent / "real", n=60)
    done = fmb("detect", "--fitted", "base", "--data", survey, "--out", "r")
    assert done.exit_code == 0, done.stderr
    names = {one["weights"]["name"] for one in open_run("r").manifest["models"].values()}
    assert names == {one["weights"]["name"] for one in open_run("base").manifest["models"].values()}


def test_galaxies_without_spectra_get_the_lists_of_images(fmb, model_run):
    only = ("--model", "astropt", "--view", "image")
    engine = ("--engine", "local", "--set", "engine.local.workers=1")
    done = fmb("detect", "--fitted", "base", *DEMO, *only, *engine, "--out", "r")
    assert done.exit_code == 0, done.stderr
    assert [name.view for name in open_run("r").lists] == ["image"]
    assert "these objects have no spectrum" in open_run("r").folder.log.read_text()
