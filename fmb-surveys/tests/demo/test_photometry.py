"""The simulated survey has photometry, and nothing else of it is another for that."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest

from fmb_surveys.demo import DemoConfig, DemoEvalConfig, open_demo
from fmb_surveys.demo.cached import build_demo, demo_folder
from fmb_surveys.demo.survey import DemoSurvey

BEFORE = {
    "planted": ("7c9cfbee6bc62acf2d6251983455856d", "660317ee50b2ac93d14bd55d1f179f38",
                "176cead9fb65e706d0ed6ecd6d30b66e", "demo-9192b074f086aefd"),
    "plain": ("b6a194b0c0b468aed2d1c237d4a64827", "f698dc6f242e70d80228a692a35f804e",
              "98dd8ed343099ddb75ca33f63b382452", "demo-f3bdd9c46fe86f7b"),
    "paired": ("36f6c01391a0ce811c5de148b1538505", "5859769c5963d285dd733d21fbae7b2a",
               "844990b1caea53f7d68621f344158708", "demo-2dcf55a7dd8c4903"),
}  # fmt: skip
"""Digests of pixels, catalogue and identity, and the folder, of surveys that had none."""
CONFIGS = {
    "planted": DemoConfig(n_objects=60),
    "plain": DemoConfig(n_objects=40, planting="none", seed=3),
    "paired": DemoEvalConfig(n_objects=80, n_per_kind=1, remeasure=False),
}


def digest(*parts):
    made = hashlib.blake2b(digest_size=16)
    for part in parts:
        made.update(part)
    return made.hexdigest()


def pixels(survey, names):
    batch = survey.read(np.arange(0, len(survey), 3), list(names))
    for name in names:
        yield batch.rows[name].astype(np.int64).tobytes()
        for field in ("flux", "ivar", "mask", "psf_fwhm_arcsec"):
            if (values := getattr(batch.inputs[name], field, None)) is not None:
                yield np.ascontiguousarray(values).tobytes()
        yield survey.inputs[name].origin.tobytes()


@pytest.mark.parametrize("name", BEFORE)
def test_pixels_catalogue_and_ids_are_those_of_before(name):
    config = CONFIGS[name]
    survey = build_demo(config)
    catalogue = survey.catalog.to_csv(float_format="%.17g").encode()
    identity = json.dumps(survey.identity, sort_keys=True, default=str).encode()
    assert (
        digest(*pixels(survey, config.inputs)),
        digest(survey.ids.tobytes(), catalogue),
        digest(identity),
        demo_folder(config, Path()).name,
    ) == BEFORE[name]


def test_fluxes_are_those_of_the_magnitudes_within_their_errors():
    survey = DemoSurvey(1000, 0)
    batch = survey.read(np.arange(1000), ("phot",))
    data = batch.inputs["phot"]
    assert data.names == ("VIS", "NISP-Y", "NISP-J", "NISP-H", "DES-G", "DES-R", "DES-I", "DES-Z")
    columns = ("mag_vis", "mag_y", "mag_j", "mag_h", "mag_g", "mag_r", "mag_i", "mag_z")
    mags = survey.catalog.loc[batch.rows["phot"], list(columns)].to_numpy()
    pull = (data.values - 10 ** (0.4 * (23.9 - mags))) / data.errors
    # 8,000 normal numbers: their mean is within 5 / sqrt(8000), their std within 5 / sqrt(16000).
    assert abs(pull.mean()) < 0.056
    assert abs(pull.std() - 1) < 0.04
    assert (data.errors > 0).all()
    assert np.array_equal(survey.inputs["phot"].have(1000), survey.inputs["euclid"].have(1000))


def test_a_longer_survey_begins_with_the_same_photometry():
    short, long = DemoSurvey(30, 4), DemoSurvey(60, 4)
    rows = np.array([29, 3, 11])
    assert np.array_equal(
        short.read(rows, ("phot",)).inputs["phot"].values,
        long.read(rows, ("phot",)).inputs["phot"].values,
    )
    assert np.array_equal(short.inputs["phot"].origin, long.inputs["phot"].origin[:30])


def test_photometry_costs_no_pixel(monkeypatch):
    survey = build_demo(CONFIGS["planted"])
    monkeypatch.setattr("fmb_surveys.demo.survey.render", None)  # calling it fails
    batch = survey.read(np.arange(60), ("phot",))
    assert len(batch.inputs["phot"]) == len(batch.rows["phot"]) > 50


def test_photometry_is_kept_with_the_catalogue(tmp_path, monkeypatch):
    config = DemoConfig(n_objects=20, inputs=("desi",), planting="none")
    survey = open_demo("demo", config, cache=tmp_path)
    survey.make(("desi",), lambda done, total: None)
    monkeypatch.setattr("fmb_surveys.demo.cached.DemoSurvey", None)  # calling it fails
    again = open_demo("demo", config, cache=tmp_path).read(np.arange(20), ("phot",)).inputs["phot"]
    fresh = DemoSurvey(20, 0, ("desi",)).read(np.arange(20), ("phot",)).inputs["phot"]
    for field in ("values", "errors"):
        assert np.array_equal(getattr(again, field), getattr(fresh, field))
    for field in ("names", "units", "wavelength_aa"):
        assert getattr(again, field) == getattr(fresh, field)
