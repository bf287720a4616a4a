"""The forest is scikit-learn's; its trees are kept as arrays and scored as such."""

import numpy as np
import pytest
from sklearn.ensemble import IsolationForest

from fmb import ConfigError, Vectors, build
from fmb.testing import DetectorContract
from fmb_detectors.config import IforestConfig
from fmb_detectors.iforest import IforestDetector
from fmb_detectors.plugin import fmb_register_detectors


class TestContract(DetectorContract):
    (spec,) = (one for one in fmb_register_detectors() if one.name == "iforest")

    def make(self, seed=0):
        return IforestDetector(IforestConfig(n_estimators=50), seed=seed, device="cpu")


def vectors(n, seed):
    values = np.random.default_rng(seed).lognormal(size=(n, 7)).astype(np.float32)
    return Vectors(np.arange(n), values)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"n_estimators": 30, "max_samples": 100, "max_features": 3},
        {"max_samples": 0.5, "max_features": 0.5, "bootstrap": True},
    ],
)
@pytest.mark.parametrize("seed", [0, 2**40 + 2**31 + 5])
def test_fitted_and_new_objects_have_scikit_learns_scores(options, seed):
    fit, new = vectors(600, 0), vectors(5000, 1)
    direct = IsolationForest(random_state=seed % 2**32, **options).fit(fit.values)
    detector = IforestDetector(IforestConfig(**options), seed=seed)
    detector.fit(fit)
    for x in (fit, new):
        # Sums of 100 depths in float64.
        assert detector.score(x) == pytest.approx(-direct.score_samples(x.values), rel=1e-12)


def test_more_objects_and_numbers_than_there_are_mean_all_of_them():
    x = vectors(40, 0)
    detector = IforestDetector(IforestConfig(max_samples=1000, max_features=1000), seed=1)
    detector.fit(x)
    direct = IsolationForest(random_state=1, max_samples=40, max_features=7).fit(x.values)
    assert detector.score(x) == pytest.approx(-direct.score_samples(x.values), rel=1e-12)


@pytest.mark.parametrize(
    "options", [{"max_samples": 0}, {"max_samples": 1.5}, {"max_features": "many"}]
)
def test_options_that_mean_nothing_are_refused(options):
    with pytest.raises(ConfigError, match=rf"detector.iforest.{next(iter(options))}"):
        build(IforestConfig, options, "detector.iforest")
