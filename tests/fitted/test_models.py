"""New galaxies through the network of a run, and then its fits."""

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


def test_galaxies_without_spectra_get_the_lists_of_images(fmb, model_run):
    only = ("--model", "astropt", "--view", "image")
    engine = ("--engine", "local", "--set", "engine.local.workers=1")
    done = fmb("detect", "--fitted", "base", *DEMO, *only, *engine, "--out", "r")
    assert done.exit_code == 0, done.stderr
    assert [name.view for name in open_run("r").lists] == ["image"]
    assert "these objects have no spectrum" in open_run("r").folder.log.read_text()
