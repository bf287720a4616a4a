"""`fmb data show SURVEY ID`: one object of a survey, told and drawn before any run."""

import json
import struct

import numpy as np
import pytest

from fmb import open_run

FIRST, NEGATIVE = 7919 * 9 - 50_000, -50_000


def test_an_object_is_told_and_drawn(fmb, survey, home):
    done = fmb("data", "show", survey, FIRST)
    assert done.exit_code == 0, done.stderr
    told = done.stdout.splitlines()
    assert told[0] == f"object {FIRST} of tiny"
    assert told[-1] == f"tiny-{FIRST}.png"
    assert "  euclid: observed" in told
    body = (home.parent / f"tiny-{FIRST}.png").read_bytes()
    width, height = struct.unpack(">2I", body[16:24])
    assert body[:4] == b"\x89PNG"
    assert width > height > 300


def test_the_catalogue_row_is_that_of_the_object(fmb, survey, home, make_survey):
    arrays = {}
    source = make_survey(home.parent / "other", change=arrays.update)
    done = fmb("data", "show", source, NEGATIVE, "--json", "--out", "page.svg")
    values = json.loads(done.stdout)
    assert values["object_id"] == str(NEGATIVE)
    assert values["catalog"]["mag"] == arrays["mag"][0]
    assert values["catalog"]["redshift"] == arrays["redshift"][0]
    assert values["inputs"] == {"euclid": True, "desi": True}
    assert values["figures"] == ["page.svg"]
    assert (home.parent / "page.svg").read_bytes().startswith(b"<?xml")


def test_how_it_is_drawn_can_be_set(fmb, survey, home):
    fmb("data", "show", survey, FIRST, "--out", "grey.svg")
    setting = "plot.object-page.bands={euclid = ['VIS']}"
    done = fmb("data", "show", survey, FIRST, "--out", "one.svg", "--set", setting)
    assert done.exit_code == 0, done.stderr
    assert (home.parent / "grey.svg").read_bytes() != (home.parent / "one.svg").read_bytes()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ((5,), "has no object '5'"),
        ((FIRST, "--out", "page.bmp"), "a figure ends in .png, .pdf, .svg"),
        (("--out", "page.png"), "--out is the figure of an object: give its ID too"),
        (("--nothing",), "no option is called --nothing"),
        ((FIRST, "--set", "plot.object-page.smooth=1"), "smooth"),
        ((FIRST, "--set", "run.seed=1"), "--set run.seed=1: write data.KEY=VALUE"),
    ],
)
def test_what_cannot_be_shown_is_one_line(fmb, survey, words, told):
    done = fmb("data", "show", survey, *words)
    assert done.exit_code == 2
    assert told in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_a_figure_of_one_object_is_no_figure_of_a_run(fmb, home, tmp_path):
    vectors = np.random.default_rng(0).normal(size=(60, 3)).astype(np.float32)
    np.savez(tmp_path / "own.npz", object_id=np.arange(60), image=vectors)
    words = ("--embeddings", "own.npz", "--detector", "gaussian", "--out", "mine")
    assert fmb("detect", *words).exit_code == 0
    refused = fmb("plot", "mine", "--plot", "object-page")
    assert refused.exit_code == 2
    assert "is drawn of one object: fmb data show SOURCE ID" in refused.stderr
    fmb("plot", "mine")
    assert not list(open_run("mine").folder.plots.glob("*object-page*"))
