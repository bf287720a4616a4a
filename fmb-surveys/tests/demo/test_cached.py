"""Opening the demo survey: at once, told apart by its configuration, with nothing simulated."""

import dataclasses
import pickle

import numpy as np
import pandas as pd
import pytest

from fmb import ConfigError, build
from fmb_surveys.demo import DemoConfig, DemoEvalConfig, open_demo
from fmb_surveys.demo.cached import build_demo, demo_folder

SMALL = {"n_objects": 40, "inputs": ("euclid", "desi"), "kinds": ("trail", "agn")}


@pytest.fixture(scope="module")
def opened(tmp_path_factory):
    cache = tmp_path_factory.mktemp("cache")
    return open_demo("demo", DemoConfig(prevalence=0.1, **SMALL), cache=cache)


@pytest.mark.parametrize(
    "config", [DemoConfig(n_objects=300), DemoEvalConfig(n_objects=300, remeasure=False)]
)
def test_opening_makes_no_pixel_and_no_file(tmp_path, monkeypatch, config):
    def make_a_pixel(*arguments):
        raise AssertionError("a pixel was simulated")

    for name in ("render", "fibre_spectrum", "expose"):
        monkeypatch.setattr(f"fmb_surveys.demo.survey.{name}", make_a_pixel)
    opened = open_demo("demo", config, cache=tmp_path / "cache")
    assert len(opened.catalog) == len(opened.ids) >= 300
    assert opened.inputs["desi"].present.shape == opened.ids.shape
    assert opened.warnings[0].startswith("planted anomalies in the whole survey: ")
    assert list(tmp_path.iterdir()) == []


def test_rows_that_are_measured_again_are_measured_once(tmp_path, monkeypatch):
    config = DemoEvalConfig(n_objects=60, n_per_kind=2, kinds=("agn", "trail"))
    told = []
    first = open_demo("demo", config, cache=tmp_path, progress=lambda *n: told.append(n))
    assert told[-1] == (12, 12)  # 2 hosts of 2 kinds at 3 strengths
    catalog = first.catalog.set_index("object_id")
    strong = catalog[catalog["strength"] == 1.0]
    hosts = catalog.loc[strong["injected_from"]]
    assert (strong["mag_vis"].to_numpy() < hosts["mag_vis"].to_numpy()).all()
    for name in ("render", "fibre_spectrum"):
        monkeypatch.setattr(f"fmb_surveys.demo.survey.{name}", None)  # calling it fails
    again = open_demo("demo", config, cache=tmp_path)
    pd.testing.assert_frame_equal(again.catalog, first.catalog)


def test_rows_are_measured_each_time_where_nothing_can_be_kept(tmp_path):
    config = DemoEvalConfig(n_objects=30, n_per_kind=1, kinds=("trail",))
    cache = tmp_path / "cache"
    cache.write_text("a file where a folder should be")
    opened = open_demo("demo", config, cache=cache)
    assert len(opened.catalog) == 33
    assert cache.is_file()


def test_it_says_what_was_planted(opened):
    assert "planted anomalies in the whole survey: trail 2, agn 2" in opened.warnings
    assert (opened.catalog.label == "ordinary").sum() == 36


def test_its_identity_is_the_configuration_and_not_the_file(opened):
    assert opened.identity["name"] == "demo"
    assert opened.identity["n_objects"] == 40
    assert opened.identity["planted"]["kinds"] == ["trail", "agn"]
    assert list(opened.identity["planted"]["gains"]) == ["desi"]  # planted lines bring photons
    assert opened.identity == build_demo(DemoConfig(prevalence=0.1, **SMALL)).identity


def test_another_configuration_or_revision_is_another_folder(tmp_path, monkeypatch):
    folder = demo_folder(DemoConfig(), tmp_path)
    others = [DemoConfig(seed=1), DemoConfig(n_objects=9), DemoConfig(prevalence=0.05)]
    folders = [demo_folder(config, tmp_path) for config in others]
    monkeypatch.setattr("fmb_surveys.demo.cached.GENERATOR_REVISION", 10_000)
    folders.append(demo_folder(DemoConfig(), tmp_path))
    assert len({folder, *folders}) == 5


def test_instruments_left_out_are_another_survey_only_where_something_is_planted(tmp_path):
    def folder(**settings):
        return demo_folder(DemoConfig(n_objects=9, **settings), tmp_path)

    assert folder(inputs=("desi",)) != folder()  # what is planted in one follows from all
    assert folder(planting="none", inputs=("desi",)) == folder(planting="none")


def test_paired_copies_are_added_to_the_survey(tmp_path):
    config = DemoConfig(
        n_objects=30,
        inputs=("desi",),
        planting="paired",
        kinds=("arm-step",),
        n_per_kind=2,
        strengths=(0.0, 1.0),
    )
    opened = open_demo("demo", config, cache=tmp_path)
    assert len(opened) == 34
    copies = opened.catalog[opened.catalog.label == "arm-step"]
    assert sorted(copies.strength) == [0.0, 0.0, 1.0, 1.0]
    assert set(copies.injected_from) <= set(opened.ids[:30].tolist())


def test_wrong_settings_are_named():
    with pytest.raises(ConfigError, match="did you mean 'lens'"):
        build(DemoConfig, {"kinds": ["lense"]}, "data")
    with pytest.raises(ConfigError, match="between 0"):
        build(DemoConfig, {"strengths": [1.5]}, "data")
    with pytest.raises(ConfigError, match="seed"):
        build(DemoConfig, {"seed": -1}, "data")
    with pytest.raises(ConfigError, match=r"unknown key data\.n_object; did you mean 'n_objects'"):
        build(DemoConfig, {"n_object": 3}, "data")


def test_demo_eval_adds_copies_of_each_kind_at_each_strength_to_another_sky(tmp_path):
    config = DemoEvalConfig(n_objects=60, n_per_kind=2, kinds=("trail", "agn"))
    assert DemoEvalConfig().n_objects >= 10_000
    assert DemoEvalConfig().seed != DemoConfig().seed
    catalog = build_demo(config).catalog
    copies = catalog[catalog["label"] != "ordinary"]
    assert copies.groupby(["label", "strength"]).size().to_dict() == {
        (kind, strength): 2 for kind in ("agn", "trail") for strength in (0.0, 0.5, 1.0)
    }


@pytest.mark.parametrize(
    "config", [DemoConfig(n_objects=40, inputs=("euclid", "desi")), DemoEvalConfig(n_objects=40)]
)
def test_a_survey_with_pixels_opens_without_drawing_a_galaxy_and_is_the_same(
    tmp_path, monkeypatch, config
):
    first = open_demo("demo", config, cache=tmp_path)
    rows = np.arange(len(first))[::-3]
    first.make(["desi"], lambda done, total: None)
    read = first.read(rows, ["desi"])

    def build(*arguments):
        raise AssertionError("the survey was drawn again")

    monkeypatch.setattr("fmb_surveys.demo.cached.build_demo", build)
    again = open_demo("demo", config, cache=tmp_path)
    assert np.array_equal(again.ids, first.ids)
    pd.testing.assert_frame_equal(again.catalog, first.catalog)
    assert again.catalog.attrs == first.catalog.attrs
    assert again.identity == first.identity
    assert list(again.warnings) == list(first.warnings)
    for name, info in first.inputs.items():
        for field in dataclasses.fields(info):
            assert np.array_equal(
                getattr(again.inputs[name], field.name), getattr(info, field.name)
            )
    same = again.read(rows, ["desi"])
    for field in dataclasses.fields(read.inputs["desi"]):
        one, other = (getattr(batch.inputs["desi"], field.name) for batch in (read, same))
        assert np.array_equal(one, other)
    assert pickle.loads(pickle.dumps(first)).read(rows[:1], ["euclid"]).ids == first.ids[rows[:1]]
