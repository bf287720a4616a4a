"""Each option of the flow changes the fit, and one out of range is named."""

import numpy as np
import pytest
from curved_cloud import curved, fitted

from fmb import ConfigError, build
from fmb_detectors.config import FlowConfig


@pytest.mark.parametrize(
    "option",
    [
        {"kind": "coupling"},
        {"kind": "coupling", "components": 5},
        {"components": 5},
        {"hidden": 32},
        {"transforms": 2},
        {"epochs": 2},
        {"batch_size": 50},
        {"learning_rate": 1e-3},
        {"weight_decay": 0.5},
        {"gradient_clip": 0.1},
        {"gradient_clip": 0.0},
        {"validation": 0.3},
        {"clip": 1.5},
        {"clip": 0.0},
    ],
    ids=str,
)
def test_every_option_changes_the_fit(option):
    values = curved(400)
    values[:40, 0] *= 1000.0  # beyond 8 standard deviations are only objects to clip
    values[:39, 0] /= 100.0
    gains = [fitted(values, **o).report()["validation_gain"] for o in ({}, option)]
    assert gains[0] != gains[1]


def test_components_and_epochs_are_what_was_asked_for():
    report = fitted(curved(600), components=7, epochs=2).report()
    assert report["components"] == 7
    assert report["epochs"] == 2


@pytest.mark.parametrize("d", [15, 70])
def test_no_components_asked_for_are_all_of_them_whether_even_or_odd_in_number(d):
    detector = fitted(curved(300, d=d), kind="coupling", components=0, epochs=1, hidden=4)
    assert detector.report()["components"] == d


@pytest.mark.parametrize(("n", "d", "k"), [(1600, 200, 64), (400, 200, 20), (400, 5, 5)])
def test_one_component_for_twenty_objects_up_to_sixty_four(n, d, k):
    values = np.random.default_rng(0).normal(size=(n, d))
    assert fitted(values, epochs=1, hidden=4).report()["components"] == k


def test_an_option_out_of_range_is_named():
    with pytest.raises(ConfigError, match="validation"):
        build(FlowConfig, {"validation": 1.0}, "detector.flow")
