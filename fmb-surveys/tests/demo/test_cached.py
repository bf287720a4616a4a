"""Opening the demo survey: simulated once, read from HDF5, told apart by its configuration."""

import shutil

import numpy as np
import pytest

from fmb import ConfigError, FailedError, build
from fmb_surveys.demo import DemoConfig, DemoEvalConfig, open_demo
from fmb_surveys.demo.cached import build_demo, demo_folder
from fmb_surveys.files.reader import write_survey

SMALL = {"n_objects": 40, "inputs": ("euclid", "desi"), "kinds": ("trail", "agn")}


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def opened(cache):
    return open_demo("demo", DemoConfig(prevalence=0.1, **SMALL), cache=cache)


def test_the_file_gives_back_what_was_simulated(opened):
    made = build_demo(DemoConfig(prevalence=0.1, **SMALL))
    rows = np.array([7, 0, 33])
    stored, fresh = opened.read(rows), made.read(rows)
    assert np.array_equal(opened.ids, made.ids)
    for name in fresh.inputs:
        assert np.array_equal(stored.rows[name], fresh.rows[name])
        for array in ("flux", "ivar", "mask"):
            assert np.array_equal(
                getattr(stored.inputs[name], array), getattr(fresh.inputs[name], array)
            )
    assert opened.catalog[sorted(opened.catalog)].equals(made.catalog[sorted(made.catalog)])
    assert opened.catalog.attrs["units"]["mag_vis"] == "mag(AB)"
    assert opened.catalog.attrs["roles"] == made.catalog.attrs["roles"]


def test_it_says_that_it_is_simulated_and_what_was_planted(opened):
    assert "simulated data" in opened.warnings
    assert "planted anomalies: trail 2, agn 2" in opened.warnings
    assert (opened.catalog.label == "ordinary").sum() == 36


def test_its_identity_is_the_configuration_and_not_the_file(opened):
    assert opened.identity["name"] == "demo"
    assert opened.identity["n_objects"] == 40
    assert opened.identity["planted"]["kinds"] == ["trail", "agn"]
    assert list(opened.identity["planted"]["gains"]) == ["desi"]  # planted lines bring photons
    assert opened.identity == build_demo(DemoConfig(prevalence=0.1, **SMALL)).identity


def test_a_second_opening_simulates_nothing(opened, cache):
    simulated = []
    again = open_demo(
        "demo",
        DemoConfig(prevalence=0.1, **SMALL),
        cache=cache,
        progress=lambda *numbers: simulated.append(numbers),
    )
    assert simulated == []
    assert np.array_equal(again.ids, opened.ids)


def test_another_configuration_or_revision_is_another_folder(cache, monkeypatch):
    folder = demo_folder(DemoConfig(), cache)
    others = [DemoConfig(seed=1), DemoConfig(n_objects=9), DemoConfig(prevalence=0.05)]
    folders = [demo_folder(config, cache) for config in others]
    monkeypatch.setattr("fmb_surveys.demo.cached.GENERATOR_REVISION", 10_000)
    folders.append(demo_folder(DemoConfig(), cache))
    assert len({folder, *folders}) == 5


def test_an_interrupted_simulation_is_never_taken_for_a_finished_one(tmp_path):
    config = DemoConfig(n_objects=3, inputs=("desi",), planting="none")

    def interrupt(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        open_demo("demo", config, cache=tmp_path, progress=interrupt)
    assert not demo_folder(config, tmp_path).exists()
    assert len(open_demo("demo", config, cache=tmp_path)) == 3


def test_a_survey_that_another_process_finished_first_is_taken(tmp_path):
    config = DemoConfig(n_objects=3, inputs=("desi",), planting="none")
    theirs = tmp_path / "theirs"
    open_demo("demo", config, cache=theirs)

    def finish_theirs(done: int, total: int) -> None:
        shutil.copytree(demo_folder(config, theirs), demo_folder(config, tmp_path))

    opened = open_demo("demo", config, cache=tmp_path, progress=finish_theirs)
    assert len(opened) == 3
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        demo_folder(config, tmp_path).name,
        "theirs",
    ]


def test_progress_is_told_up_to_the_last_object(tmp_path):
    told = []
    config = DemoConfig(n_objects=4, inputs=("desi",), planting="none")
    open_demo("demo", config, cache=tmp_path, progress=lambda *numbers: told.append(numbers))
    assert told[-1] == (4, 4)


def test_a_cache_that_cannot_be_written_is_one_clear_line(tmp_path):
    (tmp_path / "file").write_text("")
    config = DemoConfig(n_objects=3, inputs=("desi",), planting="none")
    with pytest.raises(FailedError, match="cannot be written"):
        open_demo("demo", config, cache=tmp_path / "file")


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


def test_several_processes_write_the_bytes_that_one_writes(tmp_path):
    survey = build_demo(DemoConfig(n_objects=150, inputs=("desi",)))
    for name, shared in (("alone", False), ("shared", True)):
        write_survey(tmp_path / name, survey, shared=shared)
    alone, shared = (tmp_path / name / "survey.h5" for name in ("alone", "shared"))
    assert alone.read_bytes() == shared.read_bytes()


def test_demo_eval_adds_copies_of_each_kind_at_each_strength_to_another_sky(tmp_path):
    config = DemoEvalConfig(n_objects=60, n_per_kind=2, kinds=("trail", "agn"))
    assert DemoEvalConfig().n_objects >= 10_000
    assert DemoEvalConfig().seed != DemoConfig().seed
    catalog = build_demo(config).catalog
    copies = catalog[catalog["label"] != "ordinary"]
    assert copies.groupby(["label", "strength"]).size().to_dict() == {
        (kind, strength): 2 for kind in ("agn", "trail") for strength in (0.0, 0.5, 1.0)
    }
