"""Roles measured on inputs: once an object, in the pass in which it is read anyway."""

import json
from dataclasses import replace

import h5py
import numpy as np
import pandas as pd
import pytest

from fmb import open_run
from fmb.contract.inputs import Images
from fmb.datasets.selection import Selection
from fmb.embedding.measures import measured_roles
from fmb.measured.images import IMAGE_ROLES, measure_images
from fmb.messages.progress import quiet
from fmb.plan.session import Session
from fmb.request.options import options_request
from fmb.steps.vectors import embed_all

N = 40


@pytest.fixture
def reads(monkeypatch):
    """Every object and instrument that is read, in order."""
    seen, read = [], Selection.read

    def told(self, rows, inputs=None):
        seen.extend((str(self.ids[row]), name) for row in rows for name in inputs or self.inputs)
        return read(self, rows, inputs)

    monkeypatch.setattr(Selection, "read", told)
    return seen


@pytest.fixture
def planned(home, counting):
    """A plan for a survey and what is to be measured on it."""

    def plan(survey, *measured, **options):
        options = {"model": "counting", "weights": "random", "batch_size": 8, **options}
        asked = options_request({"data": str(survey), **options})
        return replace(Session.open(quiet).plan(asked, steps=("embed",)), measured=measured)

    return plan


def images_of(survey):
    with h5py.File(survey.parent / "tiny.h5") as file:
        order = np.argsort(file["object_id"][:])
        flux = file["image/flux"][:][order]
    bands, valid = ("VIS", "Y", "J", "H"), np.ones((len(flux), 4), dtype=bool)
    return Images(flux=flux, bands=bands, band_valid=valid, unit="uJy", pixel_scale_arcsec=0.1)


def test_objects_are_measured_as_they_are_read_to_be_encoded(planned, survey, reads):
    measured = embed_all(planned(survey, "euclid", "desi")).measured
    assert len(reads) == len(set(reads)) == 2 * N
    assert {name for name in measured if name.endswith("@desi")} == {
        "noise@desi", "light@desi", "measured_snr@desi", "masked@desi"
    }  # fmt: skip
    expected = measure_images(images_of(survey))
    for column, role in enumerate(IMAGE_ROLES):
        np.testing.assert_allclose(measured[f"{role}@euclid"], expected[:, column])


def test_nothing_is_measured_that_nobody_asks_for(planned, survey, home):
    assert embed_all(planned(survey)).measured == {}
    assert not list(home.glob("inputs/*/*measured*"))


def test_a_survey_that_was_embedded_before_is_read_once_and_not_encoded(
    planned, survey, reads, counting
):
    embed_all(planned(survey))
    counting.ids()
    reads.clear()
    first = embed_all(planned(survey, "euclid")).measured
    assert sorted(reads) == sorted({(id_, "euclid") for id_, _ in reads})
    assert len(reads) == N
    assert counting.ids() == []
    reads.clear()
    again = embed_all(planned(survey, "euclid")).measured
    assert reads == []
    for role, values in first.items():
        np.testing.assert_array_equal(again[role], values)


def test_objects_that_are_chosen_otherwise_are_not_measured_again(planned, survey, reads):
    every = embed_all(planned(survey, "euclid"))
    reads.clear()
    plan = planned(survey, "euclid", limit=9)
    some = measured_roles(plan, "euclid")
    assert reads == []
    at = np.isin(planned(survey).dataset.ids, plan.dataset.ids)
    np.testing.assert_array_equal(some["light"], every.measured["light@euclid"][at])


def test_one_pixel_of_one_object_has_that_object_measured(planned, survey, reads):
    before = embed_all(planned(survey, "euclid")).measured["light@euclid"]
    with h5py.File(survey.parent / "tiny.h5", "r+") as file:
        file["image/flux"][7, 0, 16, 16] += 1000
    after = embed_all(planned(survey, "euclid")).measured["light@euclid"]
    assert (after > before).sum() == 1
    assert (after == before).sum() == N - 1


def test_an_input_that_is_missing_or_unusable_has_no_measures(planned, tmp_path, make_survey):
    toml = make_survey(tmp_path / "a").read_text()
    toml = toml.replace("[inputs.euclid]", '[inputs.euclid]\npresent = "seen"')

    def change(arrays):
        arrays["seen"] = np.arange(N) != 3
        arrays["image/flux"][5, :, 4:] = np.nan  # 28 of 32 rows

    survey = make_survey(tmp_path / "gaps", toml=toml, change=change)
    values = measured_roles(planned(survey), "euclid")
    assert np.flatnonzero(np.isnan(values["light"])).tolist() == [3, 5]
    assert np.flatnonzero(np.isnan(values["masked"])).tolist() == [3]
    assert values["masked"][5] == pytest.approx(28 / 32)


def test_vectors_of_ones_own_beside_a_survey_are_measured_by_one_pass(
    planned, survey, reads, tmp_path
):
    with h5py.File(survey.parent / "tiny.h5") as file:
        ids = file["object_id"][:]
    vectors = np.random.default_rng(0).normal(size=(N, 5))
    np.savez(tmp_path / "own.npz", object_id=ids, vectors=vectors)
    own = {"model": (), "weights": None, "embeddings": str(tmp_path / "own.npz")}
    first = embed_all(planned(survey, "euclid", **own)).measured
    assert len(reads) == N
    np.testing.assert_allclose(first["sky@euclid"], measure_images(images_of(survey))[:, 0])
    embed_all(planned(survey, "euclid", **own))
    assert len(reads) == N


def test_what_is_wrong_with_an_input_is_known_when_it_was_read_to_be_measured(
    planned, survey, make_survey
):
    def blank(arrays):
        arrays["image/flux"][5] = 0

    make_survey(survey.parent, change=blank)
    measured_roles(planned(survey), "euclid")
    found = [one for one in embed_all(planned(survey)).findings if one["input"] == "euclid"]
    assert {one["object_id"] for one in found} == {str(planned(survey).dataset.ids[5])}


def test_the_cache_tells_measures_from_digests(planned, survey, fmb):
    embed_all(planned(survey, "euclid"))
    kept = json.loads(fmb("cache", "list", "--json").stdout)
    about = [row["about"] for row in kept if row["kind"] == "inputs"]
    assert sorted(about) == [f"digests of {N} objects"] * 2 + [f"measures of {N} objects"]


DETECT = ("detect", "--model", "counting", "--weights", "random", "--detector", "gaussian")


@pytest.fixture
def large(tmp_path, make_survey):
    """A survey of 300 objects without a catalogue: enough for conditioning on a few roles."""
    toml = make_survey(tmp_path / "unused").read_text()
    toml = toml.replace('columns = ["mag"]\n', "").replace('redshift = "redshift"\n', "")
    return make_survey(tmp_path / "large", n=300, toml=toml)


def test_lists_are_given_what_is_measured_on_what_they_judge(fmb, counting, large, reads):
    result = fmb(*DETECT, "--data", large, "--given", "sky,noise", "--out", "mine")
    assert result.exit_code == 0, result.stderr
    assert len(set(reads[:600])) == 600  # nothing was read twice, but for pictures of the first
    assert len(reads) < 900
    given = {name.view: name.given for name in open_run("mine").lists}
    assert given == {
        "image": ("sky@euclid", "noise@euclid"),
        "spectrum": ("noise@desi",),
        "joint": ("sky@euclid", "noise@euclid", "noise@desi"),
        "image+spectrum": (),
    }
    assert "gaussian given sky@euclid, noise@euclid" in result.stdout.replace("\n  ", " ")
    measured = dict(zip(IMAGE_ROLES, measure_images(images_of(large)).T, strict=True))
    objects = open_run("mine").objects
    np.testing.assert_allclose(objects["noise@euclid"], measured["noise"])


def test_one_instrument_can_be_named_and_other_views_are_given_nothing(fmb, counting, large):
    fmb(*DETECT, "--data", large, "--given", "light@desi", "--out", "mine")
    run = open_run("mine")
    given = {name.view: name.given for name in run.lists}
    light = ("light@desi",)
    assert given == {"image": (), "spectrum": light, "joint": light, "image+spectrum": ()}
    said = [line for line in run.remarks() if "is given nothing" in line]
    assert len(said) == 1
    assert said[0].endswith("its inputs have no light")
    assert "image" in said[0]


def test_without_a_catalogue_lists_of_images_are_given_their_light_unasked(fmb, counting, large):
    result = fmb(*DETECT, "--data", large, "--given", "auto", "--out", "mine")
    assert result.exit_code == 0, result.stderr
    chosen = ("sky@euclid", "noise@euclid", "light@euclid")
    given = {name.view: name.given for name in open_run("mine").lists}
    assert given == {"image": chosen, "spectrum": (), "joint": chosen, "image+spectrum": ()}
    large.write_text(large.read_text().replace('unit = "uJy"', 'unit = "display"'))
    fmb(*DETECT, "--data", large, "--given", "auto", "--view", "image", "--out", "display")
    (name,) = open_run("display").lists
    assert name.given == ("light@euclid",)  # a stretch has made the others


def test_pictures_stretched_for_display_do_not_tell_their_sky(fmb, counting, large):
    large.write_text(large.read_text().replace('unit = "uJy"', 'unit = "display"'))
    asked = (*DETECT, "--data", large, "--view", "image", "--out", "mine")
    assert fmb(*asked, "--given", "sky,noise,light").exit_code == 0
    (name,) = open_run("mine").lists
    assert name.given == ("light@euclid",)
    said = "pictures stretched for display (euclid) do not tell sky, noise"
    assert said in open_run("mine").remarks()
    refused = fmb(*asked[:-1], "none", "--given", "sky")
    assert refused.exit_code == 2
    assert refused.stderr.splitlines()[-1].endswith(said.removesuffix(", noise"))


def test_where_the_catalogue_tells_a_role_nothing_is_measured_unasked(fmb, counting, large, home):
    text = large.read_text().replace("[catalog]", '[catalog]\ncolumns = {magnitude = "mag"}')
    large.write_text(text)
    fmb(*DETECT, "--data", large, "--given", "auto", "--view", "image", "--out", "mine")
    (name,) = open_run("mine").lists
    assert name.given == ("magnitude",)
    assert not list(home.glob("inputs/*/*measured*"))


def test_own_vectors_beside_their_survey_are_given_measured_roles(fmb, large, tmp_path):
    with h5py.File(large.parent / "tiny.h5") as file:
        ids = file["object_id"][:]
    vectors = np.random.default_rng(0).normal(size=(len(ids), 5))
    np.savez(tmp_path / "own.npz", object_id=ids, vectors=vectors)
    own = ("detect", "--embeddings", tmp_path / "own.npz", "--detector", "gaussian")
    result = fmb(*own, "--data", large, "--given", "light", "--out", "mine")
    assert result.exit_code == 0, result.stderr
    (name,) = open_run("mine").lists
    assert name.given == ("light@euclid", "light@desi")
    alone = fmb(*own, "--given", "light")
    assert alone.exit_code == 2
    assert len(alone.stderr.splitlines()) == 1
    assert "given names 'light', which is measured on images and spectra" in alone.stderr
    assert "name their survey with --data" in alone.stderr


@pytest.mark.parametrize(
    ("roles", "said"),
    [
        ("lihgt", "given names 'lihgt'; did you mean 'light'?"),
        ("light@sdss", "given names 'light@sdss', which is measured on images and spectra"),
        ("sky@desi", "the inputs are euclid (images), desi (spectra)"),
        ("magnitude@euclid", "given names 'magnitude@euclid'"),
    ],
)
def test_roles_that_are_measured_nowhere_are_refused_in_a_line(fmb, counting, large, roles, said):
    result = fmb(*DETECT, "--data", large, "--given", roles)
    assert result.exit_code == 2
    assert len(result.stderr.splitlines()) == 1
    assert said in result.stderr
    assert counting.ids() == []


def test_jobs_of_an_engine_measure_as_they_read(fmb, counting, large, reads):
    result = fmb(*DETECT, "--data", large, "--given", "noise", "--engine", "local", "--out", "mine")
    assert result.exit_code == 0, result.stderr
    # This process reads pictures of the first only: its workers have measured what they read.
    assert len(set(reads)) < 300
    assert open_run("mine").objects["noise@desi"].notna().all()


def test_measured_roles_stand_in_exports_and_beside_an_object(fmb, counting, large, tmp_path):
    fmb(*DETECT, "--data", large, "--given", "light", "--view", "image", "--out", "mine")
    objects = open_run("mine").objects
    shown = fmb("object", objects["object_id"][0]).stdout
    assert "light@euclid = " in shown
    for suffix in ("csv", "ecsv", "fits"):
        result = fmb("export", "mine", "--out", tmp_path / f"out.{suffix}")
        assert result.exit_code == 0, result.stderr
    table = pd.read_csv(tmp_path / "out.csv").set_index("object_id")
    light = objects.set_index("object_id")["light@euclid"]
    np.testing.assert_allclose(table["light@euclid"], light[table.index], rtol=1e-6)
