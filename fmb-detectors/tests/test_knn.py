"""The distance to the nearest neighbours: whose, how exact, and which objects it cannot see."""

import numpy as np
import pytest
from sklearn.covariance import LedoitWolf
from sklearn.metrics import roc_auc_score
from sklearn.neighbors import NearestNeighbors

from fmb import ConfigError, DataError, Vectors, build
from fmb.crossfit import cross_fit
from fmb.testing import DetectorContract
from fmb_detectors.knn import KnnDetector
from fmb_detectors.neighbour_config import KnnConfig
from fmb_detectors.plugin import fmb_register_detectors

(RECORD,) = (one for one in fmb_register_detectors() if one.name == "knn")


class TestContract(DetectorContract):
    spec = RECORD

    def make(self, seed=0):
        return KnnDetector(KnnConfig(), seed=seed, device="cpu")


class TestContractOfDirections(DetectorContract):
    spec = RECORD

    def make(self, seed=0):
        return KnnDetector(KnnConfig(metric="cosine", distance="kth"), seed=seed, device="cpu")

    def ordinary(self, seed):
        """About one direction: what is far out in any other has a large angle with it."""
        x = super().ordinary(seed)
        return Vectors(x.ids, x.values + np.float32(60))


def normal(n, d, seed=0, ids=None):
    values = np.random.default_rng(seed).normal(size=(n, d)).astype(np.float32)
    return Vectors(np.arange(n) if ids is None else ids, values)


def fitted(x, **options):
    detector = KnnDetector(KnnConfig(**options), seed=0)
    detector.fit(x)
    return detector


def brute(fit, new=None, k=10, metric="euclidean"):
    """Distances that scikit-learn finds one by one, in float64; in-sample without the row itself"""
    search = NearestNeighbors(n_neighbors=k, metric=metric, algorithm="brute")
    search.fit(fit.astype(np.float64))
    return search.kneighbors(None if new is None else new.astype(np.float64))[0]


def whitened(values, new=None, k=None):
    """By eigenvectors of scikit-learn's covariance, the k of largest variance."""
    model = LedoitWolf().fit(values.astype(np.float64))
    variances, axes = np.linalg.eigh(model.covariance_)
    axes = (axes / np.sqrt(variances))[:, ::-1][:, :k]
    return ((values if new is None else new) - model.location_) @ axes


def test_scores_of_new_objects_are_mean_distances_to_the_fitted():
    fit, new = normal(400, 40), normal(50, 40, seed=1)
    expected = brute(whitened(fit.values, k=32), whitened(fit.values, new.values, k=32))
    # Whitened vectors are float32 of numbers about 1: 1e-7 of a distance of about 8.
    assert fitted(fit).score(new) == pytest.approx(expected.mean(axis=1), abs=1e-6)
    kth = fitted(fit, distance="kth")
    assert kth.score(new) == pytest.approx(expected[:, -1], abs=1e-6)
    assert kth.details(new)["nearest"] == pytest.approx(expected[:, 0], abs=1e-6)


@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
@pytest.mark.parametrize("n", [300, 12])
def test_a_fitted_object_is_not_its_own_neighbour(metric, n):
    x = normal(n, 12)
    expected = brute(x.values, k=3, metric=metric).mean(axis=1)
    assert fitted(x, k=3, metric=metric).score(x) == pytest.approx(expected, abs=1e-6)


def test_a_new_object_with_an_id_of_the_fit_is_another_object():
    fit = normal(100, 5)
    repeat = Vectors(np.array([7, 500]), fit.values[[7, 7]])
    other = Vectors(np.array([8]), fit.values[[7]])
    detector = fitted(fit, k=1, metric="euclidean")
    own, twin = detector.score(repeat)
    assert own == pytest.approx(brute(fit.values, k=1)[7, 0], abs=1e-6)
    assert twin == detector.score(other)[0] == 0
    moved = Vectors(np.array([7]), fit.values[[7]] + np.float32(1e-3))
    assert detector.score(moved)[0] == pytest.approx(1e-3 * 5**0.5, abs=1e-6)


def test_in_a_cross_fit_all_neighbours_are_of_other_folds():
    x, fold = normal(60, 4), np.arange(60) % 3
    made = cross_fit(
        lambda fold: KnnDetector(KnnConfig(k=5, metric="euclidean"), seed=0),
        x,
        np.arange(60),
        3,
        name="knn",
        folds=fold,
    )
    for i in range(3):
        expected = brute(x.values[fold != i], x.values[fold == i], k=5).mean(axis=1)
        assert made.scores[fold == i] == pytest.approx(expected, abs=1e-6)


def test_distances_are_exact_where_a_product_in_float32_is_not():
    """Far from the origin, one giant among them, and nearly alike in hundreds."""
    rng = np.random.default_rng(0)
    values = 1000 + rng.normal(size=(600, 30))
    values[:300] = values[0] + 1e-3 * values[:300]
    values[599] *= 1e4
    x = Vectors(np.arange(600), values.astype(np.float32))
    away = x.values[:, None].astype(np.float64) - x.values
    exact = np.sort(np.linalg.norm(away, axis=2), axis=1)[:, 1:11].mean(axis=1)
    # Coordinates about their mean keep 2^-24 of some 1,600, the giant's share of the mean.
    found = fitted(x, metric="euclidean").score(x)
    assert found[:599] == pytest.approx(exact[:599], abs=30**0.5 * 16_700 * 2**-23)
    assert found[599] == pytest.approx(exact[599], rel=1e-6)


@pytest.mark.filterwarnings("error")
def test_vectors_whose_squares_float32_cannot_hold_have_the_same_neighbours():
    x = normal(600, 16)
    huge = Vectors(x.ids, x.values * np.float32(1e25))
    expected = fitted(x, metric="euclidean").score(x)
    found = fitted(huge, metric="euclidean").score(huge)
    # Coordinates about their mean are float32: 2^-24 of each, here of some 16.
    assert found / np.float32(1e25) == pytest.approx(expected, rel=1e-5)


def test_exact_repeats_have_distance_zero():
    x = normal(500, 64)
    repeated = Vectors(x.ids, x.values[np.arange(500) % 20])
    assert fitted(repeated, metric="euclidean").score(repeated).max() == 0


def test_neighbours_are_found_in_all_blocks():
    """More objects than a block of distances is wide."""
    x = normal(17_000, 2)
    some = x.take([0, 16_383, 16_384, 16_999])
    search = NearestNeighbors(n_neighbors=11).fit(x.values.astype(np.float64))
    expected = search.kneighbors(some.values.astype(np.float64))[0][:, 1:].mean(axis=1)
    assert fitted(x, metric="euclidean").score(some) == pytest.approx(expected, abs=1e-6)


def test_ids_of_text_survive_a_saved_fit(tmp_path):
    x = normal(50, 3, ids=np.array([f"object {i}" for i in range(50)]))
    detector = fitted(x)
    detector.save(tmp_path)
    loaded = KnnDetector.load(tmp_path)
    assert np.array_equal(loaded.score(x), detector.score(x))
    assert loaded.score(x).min() > 0


def test_what_is_normal_amid_a_curve_is_strange_and_a_clump_is_not():
    rng = np.random.default_rng(0)
    t = rng.normal(size=(2000, 1))
    curve = np.hstack([t, t**2]) + 0.05 * rng.normal(size=(2000, 2))
    curve[:20] = rng.multivariate_normal(curve.mean(axis=0), np.cov(curve.T), size=20)
    curve[20:40] = curve[0] + 0.001 * rng.normal(size=(20, 2))
    x = Vectors(np.arange(2000), curve.astype(np.float32))
    scores = fitted(x).score(x)
    assert roc_auc_score(np.arange(1, 2000) < 20, scores[1:]) > 0.9
    assert scores[20:40].max() < np.quantile(scores, 0.02)


def test_directions_in_which_nothing_differs_are_left_out():
    """Vectors at two points, equally often, have the one covariance that is never shrunk."""
    points = np.random.default_rng(0).normal(size=(2, 30)).astype(np.float32)
    x = Vectors(np.arange(40), points[np.arange(40) % 2])
    detector = fitted(x, components=0)
    assert detector.report()["compared"] == 1
    middle = Vectors(np.array([50]), points.mean(axis=0, keepdims=True))
    # Two points are one standard deviation from their mean.
    assert detector.score(middle)[0] == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize(("k", "n"), [(10, 10), (10, 4), (1, 1)])
def test_too_few_objects_are_refused_with_the_option_to_set(k, n):
    with pytest.raises(DataError, match=f"{n} fitted objects do not have {k} neighbours .* k to"):
        fitted(normal(n, 3), k=k)


def test_a_vector_without_a_direction_is_refused_for_cosine():
    x = normal(40, 3)
    x.values[[5, 9]] = 0
    with pytest.raises(DataError, match="2 vectors are all zeros, first of 5: they have no"):
        fitted(x, metric="cosine")


def test_components_without_whitening_are_refused():
    with pytest.raises(ConfigError, match="metric = 'cosine' takes no components"):
        build(KnnConfig, {"metric": "cosine", "components": 3}, "detector.knn")
