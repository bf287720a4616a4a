"""On labelled embeddings, in-sample and with the same seed, scores are those of direct calls."""

import os
from pathlib import Path

import numpy as np
import pytest
from sklearn.covariance import LedoitWolf
from sklearn.ensemble import IsolationForest
from sklearn.neighbors import LocalOutlierFactor, NearestNeighbors

from fmb import Vectors
from fmb_detectors.config import IforestConfig
from fmb_detectors.iforest import IforestDetector
from fmb_detectors.knn import KnnDetector
from fmb_detectors.lof import LofDetector
from fmb_detectors.neighbour_config import KnnConfig, LofConfig

FOLDER = os.environ.get("FMB_TEST_DATA")
pytestmark = pytest.mark.skipif(FOLDER is None, reason="FMB_TEST_DATA is not set")

SETS = sorted(Path(FOLDER or ".", "adbench").glob("*.npz"))
SEED = 11


@pytest.fixture(params=SETS, ids=lambda path: path.stem)
def values(request):
    with np.load(request.param) as file:
        return file["X"]


def in_sample(detector, values):
    x = Vectors(np.arange(len(values)), values)
    detector.fit(x)
    return detector.score(x)


def mean_distance(values, **options):
    search = NearestNeighbors(n_neighbors=10, algorithm="brute", **options)
    return search.fit(values).kneighbors()[0].mean(axis=1)


def test_knn(values):
    exact = values.astype(np.float64)
    model = LedoitWolf().fit(exact)
    variances, axes = np.linalg.eigh(model.covariance_)
    whitened = (exact - model.location_) @ (axes / np.sqrt(variances))[:, -32:]
    found = in_sample(KnnDetector(KnnConfig(), seed=SEED), values)
    assert found == pytest.approx(mean_distance(whitened), abs=1e-6)
    for metric in ("euclidean", "cosine"):
        found = in_sample(KnnDetector(KnnConfig(metric=metric), seed=SEED), values)
        assert found == pytest.approx(mean_distance(exact, metric=metric), abs=1e-6)


def test_iforest(values):
    direct = IsolationForest(random_state=SEED).fit(values)
    found = in_sample(IforestDetector(IforestConfig(), seed=SEED), values)
    assert found == pytest.approx(-direct.score_samples(values), abs=1e-6)


def test_lof(values):
    direct = LocalOutlierFactor().fit(values.astype(np.float64))
    found = in_sample(LofDetector(LofConfig(), seed=SEED), values)
    assert found == pytest.approx(-direct.negative_outlier_factor_, abs=1e-6)


@pytest.mark.parametrize("method", ["ECOD", "HBOS", "IForest"])
def test_pyod(values, method):
    pytest.importorskip("pyod", reason="PyOD is not installed")
    from fmb_detectors.pyod import PyodDetector
    from fmb_detectors.pyod_config import PyodConfig
    from fmb_detectors.pyod_methods import method as class_of

    options = {"random_state": SEED} if method == "IForest" else {}
    direct = class_of(method)(**options).fit(values.copy())
    found = in_sample(PyodDetector(PyodConfig(method=method), seed=SEED), values)
    assert found == pytest.approx(direct.decision_scores_, abs=1e-6)
