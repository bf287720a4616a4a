"""Rows left out of a Gaussian in closed form are those of fits without them."""

import numpy as np
import pytest
from scipy.stats import multivariate_normal

from fmb import Vectors
from fmb.crossfit import cross_fit
from fmb_detectors.config import GaussianConfig
from fmb_detectors.gaussian import GaussianDetector


def vectors(values):
    values = np.asarray(values, dtype=np.float32)
    return Vectors(np.arange(len(values)), values)


def correlated(n, d, seed=0):
    rng = np.random.default_rng(seed)
    return (rng.standard_t(5, size=(n, d)) @ rng.normal(size=(d, d)) + 3).astype(np.float32)


def fitted(x):
    detector = GaussianDetector(GaussianConfig(), seed=0)
    detector.fit(x)
    return detector


def refitted(values, groups, shrinkage):
    """-log N of each row by SciPy, fitted to the others; the shrinkage and what it adds held."""
    values = values.astype(float)
    n, d = values.shape
    added = n * shrinkage * np.trace(np.cov(values.T, bias=True)) / d
    scores = np.empty(n)
    for i in range(n):
        others = values[groups != groups[i]]
        scatter = (1 - shrinkage) * len(others) * np.cov(others.T, bias=True)
        covariance = (scatter + added * np.eye(d)) / len(others)
        scores[i] = -multivariate_normal(others.mean(axis=0), covariance).logpdf(values[i])
    return scores


SINGLES = np.arange(40)
GROUPS = np.where(SINGLES < 9, SINGLES // 3, SINGLES)[::-1].copy()
"""Three of three rows, the others alone."""


@pytest.mark.parametrize("groups", [SINGLES, GROUPS, SINGLES // 2], ids=["one", "some", "twos"])
@pytest.mark.parametrize("d", [3, 25, 90])
def test_scores_are_those_of_a_fit_without_the_row_and_its_repeats(groups, d):
    values = correlated(40, d)
    detector = fitted(vectors(values))
    scores, details = detector.score_left_out(vectors(values), groups)
    expected = refitted(values, groups, detector.report()["shrinkage"])
    np.testing.assert_allclose(scores, expected, rtol=1e-9, atol=1e-9)
    assert list(details) == ["squared_mahalanobis"]


def test_of_two_numbers_by_hand():
    """Of -1, 1 and 3 in one dimension, where shrinkage changes nothing, without 3: N(0, 1)."""
    x = vectors([[-1.0], [1.0], [3.0]])
    scores, details = fitted(x).score_left_out(x, np.arange(3))
    assert details["squared_mahalanobis"][2] == pytest.approx(9.0)
    assert scores[2] == pytest.approx(4.5 + 0.5 * np.log(2 * np.pi))


@pytest.mark.parametrize("d", [10, 200])
def test_ranks_of_single_rows_are_those_in_sample(d):
    x = vectors(correlated(120, d))
    detector = fitted(x)
    left_out = detector.score_left_out(x, np.arange(120))[0]
    assert np.array_equal(np.argsort(left_out), np.argsort(detector.score(x)))


def test_they_are_near_those_of_folds_of_one_row_whose_shrinkage_is_their_own():
    x = vectors(correlated(100, 60))
    scores = fitted(x).score_left_out(x, np.arange(100))[0]
    folds = cross_fit(lambda f: GaussianDetector(GaussianConfig(), seed=0), x, x.ids, 100, name="g")
    apart = scores - folds.scores
    assert np.abs(apart).max() < 0.1 * scores.std()


def test_a_strange_pair_hides_from_a_fit_to_it_and_not_from_one_without_both():
    values = correlated(60, 100, seed=3)
    values[:2] = values[0] + 30.0 * np.linalg.norm(values.std(axis=0)) / 10
    x, groups = vectors(values), np.where(np.arange(60) < 2, 0, np.arange(60))
    apart = fitted(x).score_left_out(x, np.arange(60))[0]
    together = fitted(x).score_left_out(x, groups)[0]
    assert set(np.argsort(-together)[:2]) == {0, 1}
    assert (together[:2] > apart[:2] + 3 * apart[2:].std()).all()
    np.testing.assert_allclose(together[2:], apart[2:], rtol=1e-12)


def test_ordinary_objects_left_out_meet_a_new_reference_fairly_on_average():
    """300 surveys of 60 objects of 40 numbers, 99 of reference: p is below 0.1 one time in ten."""
    rng, small = np.random.default_rng(0), []
    mix = rng.normal(size=(40, 40))
    for _ in range(300):
        x, new = (vectors(rng.normal(size=(n, 40)) @ mix) for n in (60, 99))
        detector = fitted(x)
        left_out = detector.score_left_out(x, x.ids)[0]
        p = (1 + (detector.score(new) >= left_out[:, None]).sum(axis=1)) / 100
        small.append((p <= 0.1).mean())
    # The reference meets a fit to one object more: 0.1 + about 1 / n.
    assert np.mean(small) == pytest.approx(0.1, abs=0.015)
