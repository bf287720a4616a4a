"""The Gaussian: its formula, its numerics, its limits."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import multivariate_normal
from sklearn.covariance import LedoitWolf

from fmb import DataError, StoreError, Vectors
from fmb.crossfit import cross_fit
from fmb_detectors.config import FlowConfig, GaussianConfig
from fmb_detectors.flow import FlowDetector
from fmb_detectors.gaussian import GaussianDetector
from fmb_detectors.plugin import fmb_register_detectors


def vectors(values):
    values = np.asarray(values, dtype=np.float32)
    return Vectors(np.arange(len(values)), values)


def fitted(values):
    detector = GaussianDetector(GaussianConfig(), seed=0)
    detector.fit(vectors(values))
    return detector


def correlated(n, d, seed=0, decay=10.0):
    rng = np.random.default_rng(seed)
    spread = np.exp(-np.arange(d) / decay)
    return (rng.normal(size=(n, d)) * spread @ rng.normal(size=(d, d))).astype(np.float32)


def reference(values):
    """The same score from scikit-learn's covariance and SciPy's density, all in float64."""
    values = np.asarray(values, dtype=np.float64)
    shrunk = LedoitWolf().fit(values)
    score = -multivariate_normal(shrunk.location_, shrunk.covariance_).logpdf(values)
    return score, shrunk.shrinkage_


def test_one_dimension_by_hand():
    detector = fitted([[1.0], [3.0]])  # mean 2, variance 1
    expected = 0.5 * np.array([0.0, 1.0, 16.0]) + 0.5 * math.log(2 * math.pi)
    assert detector.score(vectors([[2.0], [3.0], [6.0]])) == pytest.approx(expected, rel=1e-14)


def test_two_dimensions_by_hand():
    detector = fitted([[1, 0], [-1, 0], [0, 1], [0, -1]])  # C = I / 2: 1 - log 2 + log 2 pi
    assert detector.score(vectors([[1, 0]])) == pytest.approx([1 + math.log(math.pi)], rel=1e-14)


@pytest.mark.parametrize(("n", "d"), [(500, 20), (200, 64), (60, 100), (3, 768), (2500, 5)])
def test_scores_are_the_normal_density_with_the_ledoit_wolf_covariance(n, d):
    values = correlated(n, d)
    expected, shrinkage = reference(values)
    detector = fitted(values)
    assert detector.report()["shrinkage"] == pytest.approx(shrinkage, rel=1e-6)
    got = detector.score(vectors(values))
    np.testing.assert_allclose(got, expected, rtol=1e-10, atol=1e-9 * expected.std())


@pytest.mark.parametrize("offset", [0.0, 1e4, -1e6])
@pytest.mark.parametrize("scale", [1e-25, 1.0, 1e25])
def test_offset_and_scale_of_the_vectors_do_not_cost_precision(offset, scale):
    values = ((correlated(300, 8) + offset) * scale).astype(np.float32)
    values64 = values.astype(np.float64) / scale  # the same rounded values, in a range SciPy bears
    expected = reference(values64)[0] + 8 * math.log(scale)
    np.testing.assert_allclose(fitted(values).score(vectors(values)), expected, rtol=1e-5)


def test_columns_of_very_different_size_agree_with_float64():
    values = correlated(400, 6) * np.array([1e-3, 1, 1e3, 1e5, 1, 1e-5], dtype=np.float32)
    expected, shrinkage = reference(values)
    detector = fitted(values)
    assert detector.report()["shrinkage"] == pytest.approx(shrinkage, rel=1e-6)
    np.testing.assert_allclose(detector.score(vectors(values)), expected, rtol=1e-4)


def test_small_variances_that_little_shrinkage_leaves_are_right():
    values = correlated(60_000, 12, decay=0.7)
    expected, shrinkage = reference(values)
    assert shrinkage < 1e-4
    np.testing.assert_allclose(fitted(values).score(vectors(values)), expected, rtol=1e-9)


def in_parts(*parts):
    """One detector that was given its vectors part by part, each summed on its own."""
    whole = GaussianDetector(GaussianConfig(), seed=0)
    for part in parts:
        one = GaussianDetector(GaussianConfig(), seed=0)
        one.add(vectors(part))
        whole.merge(one)
    return whole


@pytest.mark.parametrize("cuts", [[1], [2999], [7, 8, 1500], [1024, 2048]])
@pytest.mark.parametrize("offset", [0.0, 1e6])
def test_sums_of_parts_give_the_density_of_all_whatever_their_size_and_offset(cuts, offset):
    values = (correlated(3000, 8) + offset).astype(np.float32)
    # The covariance does not feel an offset; the one of the rounded values is taken off in float64.
    expected, shrinkage = reference(values.astype(np.float64) - offset)
    detector = in_parts(*np.split(values, cuts))
    assert detector.report()["shrinkage"] == pytest.approx(shrinkage, rel=1e-9)
    got = detector.score(vectors(values))
    np.testing.assert_allclose(got, expected, rtol=0, atol=1e-9 * expected.std())
    assert detector.report()["n"] == 3000


def test_vectors_that_are_added_in_blocks_are_as_good_as_all_at_once():
    values = correlated(3000, 8)
    detector = GaussianDetector(GaussianConfig(), seed=0)
    for block in np.split(values, [3, 4, 1100]):
        detector.add(vectors(block))
    expected = reference(values)[0]
    got = detector.score(vectors(values))
    np.testing.assert_allclose(got, expected, rtol=0, atol=1e-9 * expected.std())


def test_a_stray_first_vector_costs_those_who_leave_it_out_nothing():
    values = correlated(3000, 8)
    stray = np.vstack([np.full((1, 8), 1e10, np.float32), values])
    x, fold = vectors(stray), np.arange(3001) % 2
    got = cross_fit(
        lambda i: GaussianDetector(GaussianConfig(), seed=0), x, x.ids, 2, name="g", folds=fold
    )
    others = stray[fold == 1].astype(np.float64)
    shrunk = LedoitWolf().fit(others)
    density = multivariate_normal(shrunk.location_, shrunk.covariance_)
    expected = -density.logpdf(stray[2:][fold[2:] == 0].astype(np.float64))
    mine = got.scores[2:][fold[2:] == 0]
    np.testing.assert_allclose(mine, expected, rtol=0, atol=1e-9 * expected.std())


def test_a_second_fit_knows_nothing_of_the_first():
    detector = fitted(correlated(50, 4, seed=1))
    values = correlated(200, 4)
    detector.fit(vectors(values))
    assert np.array_equal(detector.score(vectors(values)), fitted(values).score(vectors(values)))


def test_folds_of_one_pass_are_the_fits_to_the_others():
    values = correlated(2000, 30)
    x, fold = vectors(values), np.arange(2000) % 5
    got = cross_fit(
        lambda i: GaussianDetector(GaussianConfig(), seed=0), x, x.ids, name="g", folds=fold
    )
    for i in range(5):
        shrunk = LedoitWolf().fit(values[fold != i].astype(np.float64))
        density = multivariate_normal(shrunk.location_, shrunk.covariance_)
        expected = -density.logpdf(values[fold == i].astype(np.float64))
        # 1e-9 of the spread: float64 sums of 1,600 terms and two ways to invert
        atol = 1e-9 * expected.std()
        np.testing.assert_allclose(got.scores[fold == i], expected, rtol=0, atol=atol)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**31), log_scale=st.floats(-20, 20), n=st.integers(4, 40))
def test_turning_and_shifting_change_nothing_and_scaling_adds_d_logs(seed, log_scale, n):
    rng = np.random.default_rng(seed)
    values, d = rng.normal(size=(n, 7)), 7
    turn = np.linalg.qr(rng.normal(size=(d, d)))[0]
    moved = math.exp(log_scale) * (values @ turn + rng.normal(size=d))
    before, after = (fitted(v).score(vectors(v)) for v in (values, moved))
    # float32 vectors: 1e-7 of a coordinate, magnified by a shrunk condition number below 1e3
    np.testing.assert_allclose(after, before + d * log_scale, rtol=1e-3, atol=1e-3)


def test_the_density_integrates_to_one():
    detector = fitted(correlated(200, 2))
    spread = correlated(200, 2).std(axis=0)
    axes = [np.linspace(-9, 9, 301) * s for s in spread]
    grid = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 2)
    cell = (axes[0][1] - axes[0][0]) * (axes[1][1] - axes[1][0])
    assert np.exp(-detector.score(vectors(grid))).sum() * cell == pytest.approx(1, abs=1e-4)


def test_a_constant_column_is_no_obstacle():
    values = np.hstack([correlated(50, 4), np.full((50, 1), 7.0)])
    assert np.isfinite(fitted(values).score(vectors(values))).all()


def test_no_object_is_clipped():
    values = correlated(200, 4)
    far = values.mean(axis=0) + 10.0 ** np.arange(1, 12)[:, None] * values[:1]
    distance = fitted(values).details(vectors(far))["squared_mahalanobis"]
    assert np.diff(np.log10(distance))[2:] == pytest.approx(2, abs=1e-3)


def test_more_than_one_block_of_rows_is_scored_like_one():
    values = correlated(2500, 5)
    detector = fitted(values)
    alone = np.concatenate(
        [detector.score(vectors(values[i : i + 1])) for i in (0, 1023, 1024, 2499)]
    )
    np.testing.assert_allclose(detector.score(vectors(values))[[0, 1023, 1024, 2499]], alone)


def test_details_are_the_squared_mahalanobis_distance():
    detector = fitted([[1, 0], [-1, 0], [0, 1], [0, -1]])
    table = detector.details(vectors([[1, 0], [3, 4]]))
    (record,) = (one for one in fmb_register_detectors() if one.name == "gaussian")
    assert list(table) == list(record.details) == ["squared_mahalanobis"]
    assert table["squared_mahalanobis"].tolist() == pytest.approx([2.0, 50.0], rel=1e-12)


def test_a_score_is_half_the_squared_distance_and_the_same_for_all():
    values = correlated(200, 6)
    detector = fitted(values)
    squared = detector.details(vectors(values))["squared_mahalanobis"]
    rest = detector.score(vectors(values)) - squared / 2
    np.testing.assert_allclose(rest, rest[0], rtol=0, atol=1e-9)


def test_no_object_gives_no_score():
    assert fitted(correlated(20, 3)).score(vectors(np.empty((0, 3)))).shape == (0,)


@pytest.mark.parametrize("make", [GaussianDetector, FlowDetector])
class TestErrors:
    def detector(self, make):
        config = GaussianConfig() if make is GaussianDetector else FlowConfig()
        return make(config, seed=0)

    @pytest.mark.parametrize("times", [1, 50])
    def test_two_points_fix_no_distribution(self, make, times):
        for seed in range(20):  # rounding makes some of these just invertible
            points = np.random.default_rng(seed).normal(size=(2, 3))
            with pytest.raises(DataError, match="at least 3 different vectors"):
                self.detector(make).fit(vectors(np.tile(points, (times, 1))))

    def test_a_damaged_or_foreign_folder_is_refused(self, make, tmp_path):
        detector = self.detector(make)
        detector.fit(vectors(correlated(20, 3)))
        detector.save(tmp_path)
        other = FlowDetector if make is GaussianDetector else GaussianDetector
        with pytest.raises(StoreError, match="holds a fit of"):
            other.load(tmp_path)
        file = tmp_path / "detector.safetensors"
        file.write_bytes(file.read_bytes()[:100])
        with pytest.raises(StoreError, match="no readable"):
            make.load(tmp_path)
        with pytest.raises(StoreError, match="no readable"):
            make.load(tmp_path / "elsewhere")


def test_a_saved_gaussian_scores_the_same_to_the_last_bit(tmp_path):
    values = correlated(300, 30)
    detector = fitted(values)
    detector.save(tmp_path)
    loaded = GaussianDetector.load(tmp_path)
    assert np.array_equal(detector.score(vectors(values)), loaded.score(vectors(values)))
    assert loaded.report() == detector.report()
