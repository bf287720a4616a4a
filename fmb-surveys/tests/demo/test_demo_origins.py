"""Where simulated pixels come from: a number an object that changes when its pixels may."""

import numpy as np
import pytest

from fmb_surveys.demo.cached import build_demo
from fmb_surveys.demo.config import DemoConfig, DemoEvalConfig
from fmb_surveys.demo.survey import DemoSurvey


def origins(config, name="euclid"):
    """Id of each object -> the origin of its input, of those that have it."""
    survey = build_demo(config)
    info = survey.inputs[name]
    assert info.origin.dtype == np.uint64
    assert (info.origin[~info.present] == 0).all()
    pairs = zip(survey.ids.tolist(), info.origin.tolist(), info.present.tolist(), strict=True)
    return {key: origin for key, origin, present in pairs if present}


def plain(**settings):
    return DemoConfig(**{"n_objects": 300, "planting": "none", **settings})


def test_every_object_has_an_origin_of_its_own_in_each_instrument():
    numbers = [n for name in ("euclid", "desi") for n in origins(plain(), name).values()]
    assert len(set(numbers)) == len(numbers) > 500


def test_a_longer_survey_gives_the_same_objects_the_same_origins():
    short, long = origins(plain(n_objects=60)), origins(plain())
    assert short == {key: long[key] for key in short}


def test_leaving_instruments_out_changes_no_origin_where_nothing_is_planted():
    assert origins(plain(inputs=("desi",)), "desi") == origins(plain(), "desi")


def test_another_seed_or_generator_gives_others(monkeypatch):
    ours = set(origins(plain()).values())
    assert not ours & set(origins(plain(seed=1)).values())
    monkeypatch.setattr("fmb_surveys.demo.survey.GENERATOR_REVISION", 10_000)
    assert not ours & set(origins(plain()).values())


@pytest.mark.parametrize("mode", ["in-survey", "paired"])
def test_planted_objects_have_an_origin_of_their_own_and_the_others_keep_theirs(mode):
    settings = {"kinds": ("trail", "swap-easy"), "n_per_kind": 3, "prevalence": 0.05}
    config = DemoEvalConfig(n_objects=300, planting=mode, seed=0, **settings)
    clean, survey = origins(plain(inputs=config.inputs)), build_demo(config)
    planted = survey.ids[survey.catalog["label"] != "ordinary"].tolist()
    assert len(planted) >= 12
    found = origins(config)
    changed = {key for key, number in found.items() if clean.get(key) != number}
    assert changed == set(planted)
    assert len(set(found.values())) == len(found)


def test_what_is_planted_tells_origins_apart(monkeypatch):
    def planted(**settings):
        config = DemoConfig(n_objects=300, kinds=("trail",), strengths=(0.5,), **settings)
        survey = build_demo(config)
        rows = np.flatnonzero(survey.catalog["label"] == "trail")
        return survey.inputs["euclid"].origin[rows].tolist()

    first = planted()
    assert len(set(first)) == 12  # 4 in 100
    assert planted() == first
    for change in ({"inputs": ("euclid", "desi")},):  # noise is drawn input by input
        assert not set(planted(**change)) & set(first)
    monkeypatch.setattr("fmb_surveys.planting.wrapper.PLANTING_REVISION", 10_000)
    assert not set(planted()) & set(first)


def test_equal_origins_mean_equal_pixels():
    """Of objects planted alike in a short and in a longer survey, and of ordinary ones."""
    settings = {"kinds": ("agn",), "strengths": (1.0,), "inputs": ("euclid", "desi")}
    short = build_demo(DemoConfig(n_objects=100, **settings))
    long = build_demo(DemoConfig(n_objects=300, **settings))
    ours, theirs = short.inputs["desi"].origin, long.inputs["desi"].origin[:100]
    differ = np.flatnonzero(ours != theirs)
    assert 0 < len(differ) <= 4 + 12  # planted in one of them only
    some = np.concatenate([differ, np.flatnonzero((ours == theirs) & (ours > 0))[:8]])
    for row in some.tolist():
        flux = [one.read(np.array([row]), ["desi"]).inputs["desi"].flux for one in (short, long)]
        assert np.array_equal(*flux) == (row not in differ)


def test_no_pixel_is_needed_for_it():
    assert DemoSurvey(5, 0).inputs["desi"].origin.shape == (5,)
