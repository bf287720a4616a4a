"""`fmb data plot`: what a survey measured, and how another is brought onto it."""

import json

import numpy as np
import pytest


def kept(arrays):
    return lambda made: arrays.update({key: value.copy() for key, value in made.items()})


def test_what_is_drawn_is_what_the_files_hold(fmb, make_survey, home):
    arrays = {}
    survey = make_survey(home.parent / "tiny", change=kept(arrays))
    done = fmb("data", "plot", survey, "--json")
    assert done.exit_code == 0, done.stderr
    told = json.loads(done.stdout)
    rows = {row["column"]: row for row in told["columns"]}
    bands = ["flux VIS", "flux NISP-Y", "flux NISP-J", "flux NISP-H"]
    assert list(rows) == ["redshift", *bands, "flux desi"]
    assert rows["redshift"]["median"] == np.median(arrays["redshift"])
    sums = arrays["image/flux"].astype(np.float64).sum(axis=(2, 3))
    assert [rows[band]["median"] for band in bands] == pytest.approx(np.median(sums, axis=0))
    spread = 1.4826 * np.median(np.abs(sums[:, 0] - np.median(sums[:, 0])))
    assert rows["flux VIS"]["spread"] == pytest.approx(spread)
    middle = np.median(np.median(arrays["spectrum/flux"].astype(np.float64), axis=1))
    assert rows["flux desi"]["median"] == pytest.approx(middle)
    assert (rows["flux VIS"]["unit"], rows["flux VIS"]["from"]) == ("uJy", "euclid")
    assert told["figure"] == "tiny-columns.png"
    assert (home.parent / "tiny-columns.png").read_bytes()[:4] == b"\x89PNG"


def test_bad_pixels_play_no_part(fmb, make_survey, home):
    def damage(arrays):
        arrays["image/flux"][:] = 2.0
        arrays["image/flux"][:, :, 0] = np.nan
        arrays["spectrum/flux"][:] = 5.0
        arrays["spectrum/flux"][:, ::2] = 9999.0
        arrays["spectrum/ivar"][:, ::2] = 0.0

    survey = make_survey(home.parent / "tiny", change=damage)
    rows = json.loads(fmb("data", "plot", survey, "--json").stdout)["columns"]
    medians = {row["column"]: row["median"] for row in rows}
    assert medians["flux VIS"] == 2.0 * 31 * 32
    assert medians["flux desi"] == 5.0


def test_two_surveys_are_matched_by_the_affine_that_made_one_of_the_other(fmb, make_survey, home):
    def stretched(arrays):
        arrays["redshift"] = 2.0 * arrays["redshift"] + 0.5
        arrays["image/flux"][:, 1] = 4.0 * arrays["image/flux"][:, 1]

    one = make_survey(home.parent / "one")
    other = make_survey(home.parent / "other", change=stretched)
    done = fmb("data", "plot", one, other, "--json", "--out", "both.svg")
    rows = {row["column"]: row for row in json.loads(done.stdout)["columns"]}
    assert rows["redshift"]["scale"] == pytest.approx(0.5)
    assert rows["redshift"]["offset"] == pytest.approx(-0.25)
    assert rows["flux VIS"]["scale"] == 1.0
    assert rows["flux VIS"]["offset"] == 0.0
    assert rows["flux NISP-Y"]["scale"] == pytest.approx(0.25)
    assert (home.parent / "both.svg").exists()


def test_a_column_that_is_half_constant_is_not_matched(fmb, make_survey, home):
    def constant(arrays):
        arrays["redshift"][:] = 0.25

    other = make_survey(home.parent / "other", change=constant)
    done = fmb("data", "plot", make_survey(home.parent / "one"), other)
    assert done.exit_code == 0
    (line,) = (line for line in done.stdout.splitlines() if line.startswith("redshift"))
    assert line.split()[1].startswith("0.")  # the median: neither scale nor offset stands before it
    assert max(map(len, done.stdout.splitlines())) <= 80


def test_limit_reads_the_pixels_of_as_many_objects(fmb, survey):
    rows = json.loads(fmb("data", "plot", survey, "--limit", 7, "--json").stdout)["columns"]
    objects = {row["column"]: row["objects"] for row in rows}
    assert (objects["redshift"], objects["flux VIS"]) == (40, 7)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--set2", "data.name=x"), "--set2 is of SOURCE2"),
        (("--out", "x.gif"), "a figure ends in .png, .pdf, .svg"),
        (("gone.toml",), "gone.toml: no such file or folder"),
    ],
)
def test_what_cannot_be_drawn_is_one_line(fmb, survey, words, told):
    done = fmb("data", "plot", survey, *words)
    assert done.exit_code == 2
    assert told in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
