"""Drift: two samples told apart, as often as promised where there is nothing to tell."""

import numpy as np
import pytest
from scipy import stats

from fmb.scoring.drift import shift_of, tail_of


@pytest.fixture
def rng():
    return np.random.default_rng(11)


def test_the_distance_is_that_of_the_two_distributions_and_its_p_that_of_smirnov(rng):
    old, new = rng.normal(size=900), rng.normal(0.2, 1.1, size=700)
    got, expected = shift_of(old, new), stats.ks_2samp(old, new, method="asymp")
    assert (got.old, got.new) == (900, 700)
    assert got.distance == pytest.approx(expected.statistic, abs=1e-12)
    assert got.p_value == pytest.approx(stats.kstwobign.sf(got.distance * np.sqrt(9 / 16 * 700)))


def test_the_shift_of_the_median_is_in_units_of_the_old_spread():
    old = np.array([0.0, 1.0, 2.0, 3.0, 4.0])  # median 2, median absolute deviation 1
    got = shift_of(old, np.array([5.0, 6.0, 7.0]))
    assert got.median_shift == pytest.approx((6 - 2) / 1.4826)
    assert got.outside == 1.0
    assert shift_of(old, np.array([-1.0, 0.0, 4.0, 9.0])).outside == 0.5


def test_values_that_are_all_the_same_have_no_spread_to_measure_by():
    assert shift_of(np.full(5, 2.0), np.array([3.0])).median_shift is None
    mostly = np.array([0.0, 0.0, 0.0, 4.0])  # no median deviation, but a standard one: sqrt(3)
    assert shift_of(mostly, np.array([3.0])).median_shift == pytest.approx(3 / np.sqrt(3))


def test_the_share_beyond_the_top_percent_has_the_interval_of_clopper_and_pearson(rng):
    old, new = np.arange(1000.0), np.r_[np.full(962, -1.0), np.full(38, 2000.0)]
    got = tail_of(old, new)
    assert (got.top, got.share) == (0.01, 0.038)
    exact = stats.binomtest(38, 1000).proportion_ci(0.95, method="exact")
    assert (got.low, got.high) == pytest.approx((exact.low, exact.high))
    # The threshold is the tenth of 1,000: the chance to lie above it is Beta(10, 991).
    assert got.p_value == pytest.approx(stats.betabinom(1000, 10, 991).sf(37))


@pytest.mark.parametrize(("value", "share", "p"), [(-1.0, 0.0, 1.0), (5e3, 1.0, 0.0)])
def test_none_and_all_beyond_the_top_have_an_interval_too(value, share, p):
    got = tail_of(np.arange(300.0), np.full(40, value))
    assert got.share == share
    assert got.low <= share <= got.high
    assert got.p_value == pytest.approx(p, abs=1e-12)


def test_few_old_values_say_how_large_their_top_is():
    assert tail_of(np.arange(40.0), np.arange(40.0)).top == 1 / 40


def test_samples_of_one_distribution_are_told_apart_no_more_often_than_p_says(rng):
    found = np.zeros(2)
    for _ in range(2000):
        old, new = rng.normal(size=300), rng.normal(size=200)
        found += (shift_of(old, new).p_value <= 0.05, tail_of(old, new).p_value <= 0.05)
    # 3 sigma of a binomial of 2,000 with 0.05
    assert (found / 2000 <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 2000)).all()
