"""What cannot be injected is refused in one line that says what to do."""

import shutil
from collections import namedtuple

import pytest

TRAIL = ("--kind", "trail", "-n", 2, "--strength", "1")


def refused(result, *words, code=2):
    assert (result.exit_code, result.stderr.count("\n")) == (code, 1), result.stderr
    for word in words:
        assert word in result.stderr


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--kind", "lense"), "no kind of anomaly is called 'lense'; did you mean 'lens'?"),
        (("--kind", "lens", "--strength", "strong"), "write a number, several as 0,0.5,1"),
        (("--kind", "lens", "--strength", "0..2"), "strengths lie between 0 (weak) and 1"),
        (("--kind", "lens", "--strength", "1..0.5"), "from the weaker to the stronger"),
        (("--kind", "trail", "--where", "mag_vis < 3"), "--where leaves none of 60 objects"),
        (("--kind", "trail", "--where", "mag_viz < 3"), "did you mean 'mag_vis'"),
        (("--kind", "lens", "--psf", "euclid"), "write INPUT=FWHM"),
        (("--kind", "lens", "--psf", "euclid=0.1,0.2"), "2 widths for euclid, which has 4 bands"),
        (("--kind", "lens", "--psf", "hsc=0.6"), "no images are called 'hsc'"),
        (("--kind", "lens", "--set", "run.seed=1"), "only data.KEY is of use"),
        ((), "give --kind KIND; `fmb inject --kinds` lists the kinds"),
    ],
)
def test_a_mistake_is_named(fmb, sky, tmp_path, options, words):
    refused(fmb("inject", sky, *options, "-o", "out"), words)
    assert not (tmp_path / "out").exists()


def test_everything_that_is_missing_is_asked_for_at_once(fmb):
    refused(fmb("inject"), "give SURVEY and --kind KIND and -o FOLDER")


def test_a_folder_that_is_there_is_not_touched(fmb, sky, tmp_path):
    (tmp_path / "out").mkdir()
    refused(fmb("inject", sky, *TRAIL, "-o", "out"), "is there already; remove it or choose")
    assert list((tmp_path / "out").iterdir()) == []


def test_copies_are_not_copied_again(fmb, sky):
    assert fmb("inject", sky, *TRAIL, "-o", "first").exit_code == 0
    refused(fmb("inject", "first", *TRAIL, "-o", "second"), "holds injected copies already")


def test_a_survey_that_lacks_what_a_kind_needs_is_told_what(fmb, pictures, spectra_alone):
    lens = ("--kind", "lens", "-o", "out")
    refused(
        fmb("inject", pictures, *lens),
        "lens cannot be planted: cam is in 'display', which is no flux (--host-mag MAG",
        "no point-spread function (--psf cam=FWHM)",
    )
    refused(fmb("inject", spectra_alone, *lens), "the survey has no images")


def test_a_survey_without_hosts_for_a_kind_is_told(fmb, sky):
    options = ("--kind", "lens", "--where", "redshift < 0.25", "-o", "out")
    refused(fmb("inject", sky, *options), "nothing was injected", "lens: 0 of 60 hosts found")


def test_a_disk_without_room_is_told_in_one_line(fmb, sky, tmp_path, monkeypatch):
    usage = namedtuple("usage", "total used free")(10**9, 10**9, 10**3)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage)
    result = fmb("inject", sky, *TRAIL, "-o", "place/out")
    refused(result, "out: cannot be written", "1,000 are free", code=1)
    assert list((tmp_path / "place").iterdir()) == []


def test_a_place_that_nobody_can_write_to_is_told_in_one_line(fmb, sky, tmp_path):
    (tmp_path / "file").write_text("")
    refused(fmb("inject", sky, *TRAIL, "-o", "file/out"), "file", code=1)
