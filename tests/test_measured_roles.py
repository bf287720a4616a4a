"""Roles measured on inputs: once an object, in the pass in which it is read anyway."""

import json
from dataclasses import replace

import h5py
import numpy as np
import pytest

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
        seen.extend((str(self.ids[row]), name) for row in rows for name in inputs)
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
