"""The local outlier factor is scikit-learn's, in-sample and of new objects."""

import numpy as np
import pytest
from sklearn.neighbors import LocalOutlierFactor

from fmb import DataError, Vectors
from fmb.testing import DetectorContract
from fmb_detectors.lof import LofDetector
from fmb_detectors.neighbour_config import LofConfig
from fmb_detectors.plugin import fmb_register_detectors


class TestContract(DetectorContract):
    (spec,) = (one for one in fmb_register_detectors() if one.name == "lof")

    def make(self, seed=0):
        return LofDetector(LofConfig(), seed=seed, device="cpu")


def crowds(n, seed):
    """A dense and a thin crowd in five dimensions."""
    rng = np.random.default_rng(seed)
    width = np.where(rng.random((n, 1)) < 0.5, 0.1, 2.0)
    values = (rng.normal(size=(n, 5)) * width + (width > 1) * 10).astype(np.float32)
    return Vectors(np.arange(n), values)


def fitted(x, **options):
    detector = LofDetector(LofConfig(**options), seed=0)
    detector.fit(x)
    return detector


@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
def test_fitted_and_new_objects_have_scikit_learns_factors(metric):
    fit, new = crowds(500, 0), crowds(60, 1)
    direct = LocalOutlierFactor(12, metric=metric, novelty=True).fit(fit.values.astype(np.float64))
    detector = fitted(fit, k=12, metric=metric)
    # Coordinates are float32, and directions unit vectors in it, some of them 1e-3 apart.
    assert detector.score(fit) == pytest.approx(-direct.negative_outlier_factor_, rel=1e-4)
    expected = -direct.score_samples(new.values.astype(np.float64))
    assert detector.score(new) == pytest.approx(expected, rel=1e-4)


def test_at_the_edge_of_a_dense_crowd_an_object_is_strange_that_a_thin_one_takes_in():
    x = crowds(600, 0)
    dense = np.zeros((1, 5), np.float32)
    dense[0, 0] = 2.0
    thin = np.full((1, 5), 10, np.float32)
    thin[0, 0] = 12.0
    beside, inside = fitted(x).score(Vectors(np.array([900, 901]), np.vstack([dense, thin])))
    assert beside > 4
    assert inside == pytest.approx(1, abs=0.3)


def test_too_few_objects_are_refused_with_the_option_to_set():
    with pytest.raises(DataError, match="20 fitted objects do not have 20 neighbours each"):
        fitted(crowds(20, 0))
