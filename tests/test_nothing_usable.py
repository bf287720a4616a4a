"""Where no object can be used, one line counts them by reason, before or instead of a list."""

import re

import numpy as np
import pytest

N = 12
RANDOM = ("--weights", "random", "--set", "model.astropt.preset=tiny")
MODEL = ("--model", "astropt", *RANDOM)
RUN = ("run", *MODEL, "--detector", "gaussian", "--fit", "in-sample")
SURVEY = """
name = "tiny"
file = "tiny.h5"
catalog = {{ {file}id = "object_id", ra = "ra", dec = "dec", columns = ["mag"] }}
[inputs.euclid]
kind = "images"
flux = "image/flux"
bands = ["VIS", "NISP-Y", "NISP-J", "NISP-H"]
unit = "uJy"
pixel_scale_arcsec = 0.1
{image}
[inputs.desi]
kind = "spectra"
flux = "spectrum/flux"
ivar = "spectrum/ivar"
wavelength = "spectrum/wavelength"
unit = "1e-17 erg / (s cm2 Angstrom)"
{spectrum}
"""
PLAIN = SURVEY.format(file="", image="", spectrum="")
BY_ID = "id = 'object_id'"
OTHER_IDS = SURVEY.format(file='file = "cat.csv", ', image=BY_ID, spectrum=BY_ID)
PRESENT = SURVEY.format(file="", image="present = 'has_image'", spectrum="present = 'has_spec'")


@pytest.fixture
def made(make_survey, tmp_path):
    """made(toml, **arrays): survey.toml of 12 objects, with these arrays in their places."""

    def make(toml=PLAIN, **arrays):
        return make_survey(tmp_path / "s", N, toml, lambda old: old.update(arrays))

    return make


@pytest.fixture
def strangers(made, tmp_path):
    """A survey whose catalogue shares no id with its inputs."""
    path = made(OTHER_IDS)
    rows = [f"{i},10,0,20" for i in range(1_000_000, 1_000_000 + N)]
    (tmp_path / "s" / "cat.csv").write_text("\n".join(["object_id,ra,dec,mag", *rows]))
    return path


def refused(done, *words):
    assert (done.exit_code, done.stdout) == (2, "")
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("fmb: ")]
    for word in words:
        assert word in line


def test_ids_that_match_nowhere_are_counted_before_anything_is_encoded(fmb, strangers, home):
    counts = "0 of 12 objects", "image: 12 have no euclid", "spectrum: 12 have no desi"
    orphans = "desi: 12 rows belong to no object of the catalogue"
    refused(fmb(*RUN, "--data", strangers), *counts, orphans, "do the files share their ids?")
    refused(fmb("embed", *MODEL, "--data", strangers, "--dry-run"), *counts)
    assert not (home / "runs").exists() or not list((home / "runs").iterdir())


def test_validation_of_ids_that_match_nowhere_fails_with_their_number(fmb, strangers):
    done = fmb("data", "validate", strangers)
    assert done.exit_code == 1
    assert re.search(r"error: catalog: nothing was observed of it: 12\s+objects", done.stdout)


def test_a_view_that_no_object_has_is_left_out_with_a_note(fmb, made):
    path = made(PRESENT, has_image=np.ones(N, "i1"), has_spec=np.zeros(N, "i1"))
    done = fmb(*RUN, "--data", path, "--out", "r")
    assert done.exit_code == 0
    told = " ".join(done.stderr.split())
    assert "astropt does without its spectrum: 12 have no desi, of 12 objects" in told
    assert "spectrum" not in fmb("top", "r").stdout


def test_a_view_that_is_asked_for_and_that_no_object_has_is_refused(fmb, made):
    path = made(PRESENT, has_image=np.ones(N, "i1"), has_spec=np.zeros(N, "i1"))
    asked = fmb(*RUN, "--data", path, "--view", "spectrum", "--view", "image")
    refused(asked, "0 of 12 objects", "spectrum: 12 have no desi", "--view image")


def test_a_joint_view_of_objects_that_have_one_input_each_is_refused(fmb, made):
    odd = np.arange(N) % 2
    path = made(PRESENT, has_image=odd, has_spec=1 - odd)
    refused(
        fmb(*RUN, "--data", path, "--view", "joint"),
        "0 of 12 objects",
        "joint: 6 have no euclid, 6 have no desi",
    )


def test_inputs_without_a_usable_value_are_counted_by_reason(fmb, made, home):
    path = made(**{"spectrum/ivar": np.zeros((N, 800), "f4")})
    refused(
        fmb(*RUN, "--data", path, "--view", "spectrum", "--out", "r"),
        "0 of 12 objects can be used for view 'spectrum' of model 'astropt'",
        "no good pixel within 3600-9824 A: 12",
    )
    assert not (home / "runs" / "r").exists()
    table = fmb("embed", *MODEL, "--view", "spectrum", "--data", path)
    assert table.exit_code == 0
    assert table.stdout.split()[-3:] == ["0", "12", "0"]


@pytest.mark.parametrize(
    ("rows", "said"), [(1, "there is one object, and nothing"), (2, "2 groups of objects cannot")]
)
def test_one_or_two_objects_are_too_few_for_folds_in_one_line(fmb, survey, rows, said):
    done = fmb(*RUN, "--fit", "cross-fit", "--view", "spectrum", "--data", survey, "--limit", rows)
    refused(done, said)


def test_one_object_has_its_vector(fmb, survey):
    done = fmb("embed", *MODEL, "--view", "spectrum", "--data", survey, "--limit", 1)
    assert (done.exit_code, done.stdout.split()[-3:]) == (0, ["1", "0", "1"])


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--limit", 0), "limit = 0: input should be greater than 0"),
        (("--where", "mag < 0"), "--where leaves none of 40 objects: 'mag < 0' keeps 0"),
        (("--exclude", "all.txt"), "none of 40 objects is left: --exclude all.txt keeps 0"),
        (
            ("--where", "object_id == -50000", "--exclude", "first.txt"),
            "none of 40 objects is left: --where keeps 1, --exclude first.txt keeps 39",
        ),
    ],
)
def test_a_selection_of_nothing_is_one_line(fmb, survey, tmp_path, options, said):
    ids = [str(i * 7919 - 50_000) for i in range(40)]
    (tmp_path / "all.txt").write_text("\n".join(ids))
    (tmp_path / "first.txt").write_text(ids[0])
    refused(fmb(*RUN, "--data", survey, *options), said)


def test_a_list_whose_objects_are_all_of_the_reference_is_refused(fmb, made, tmp_path):
    odd = np.arange(N) % 2
    path = made(PRESENT, has_image=1 - odd, has_spec=odd)
    ids = np.arange(N) * 7919 - 50_000
    (tmp_path / "known.txt").write_text("\n".join(map(str, ids[odd == 1])))
    done = fmb(*RUN, "--data", path, "--view", "spectrum", "--reference", "known.txt")
    refused(done, "gaussian: none of 12 objects can be ranked", "or is of the reference")
