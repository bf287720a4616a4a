"""Intervals."""

from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fmb import ConfigError, DataError, ShapeError
from fmb_analyses.bootstrap import (
    Interval,
    bootstrap,
    interval,
    paired_difference,
    purity,
    resamples,
    wilson,
)
from fmb_analyses.metrics import auroc, average_precision, recall_at_k

examples = settings(max_examples=50, deadline=None)


def labelled(n=300, positives=60, shift=1.0, seed=0):
    rng = np.random.default_rng(seed)
    labels = np.arange(n) < positives
    return labels, rng.normal(size=n) + shift * labels


def mean(x, weights=None):
    return x.mean() if weights is None else weights @ x / weights.sum(axis=-1)


def test_an_interval_reads_as_in_a_table():
    got = Interval(0.8312, 0.7901, 0.8733)
    assert str(got) == f"{got}" == "0.83 [0.79, 0.87]"
    assert f"{got:+.3f}" == "+0.831 [+0.790, +0.873]"


def test_the_interval_of_a_mean_is_that_of_the_central_limit():
    x = np.random.default_rng(0).normal(size=500)
    got = bootstrap(mean, (x,), n=10_000)
    half = 1.96 * x.std() / 500**0.5
    assert got.value == x.mean()
    # The 2.5 % quantile of 10,000 draws has a standard error of 1.4 % of half the interval.
    assert got.low == pytest.approx(x.mean() - half, abs=0.05 * half)
    assert got.high == pytest.approx(x.mean() + half, abs=0.05 * half)


def test_repeats_of_every_object_narrow_no_interval():
    labels, scores = labelled()
    once = interval(auroc, labels, scores, np.arange(300), n=200, seed=5)
    four = np.repeat(np.arange(300), 4)
    grouped = interval(auroc, labels[four], scores[four], four, n=200, seed=5)
    # Pieces of resamples are shorter for longer arrays: the draws differ, the width does not.
    assert grouped.value == pytest.approx(once.value)
    assert grouped.high - grouped.low == pytest.approx(once.high - once.low, rel=0.25)
    naive = interval(auroc, labels[four], scores[four], n=200, seed=5)
    assert naive.high - naive.low < 0.7 * (grouped.high - grouped.low)


def test_the_order_of_rows_changes_no_interval_of_groups():
    labels, scores = labelled(60, 20)
    groups = np.arange(60) // 2
    at = np.random.default_rng(1).permutation(60)
    a = interval(auroc, labels, scores, groups, n=100)
    b = interval(auroc, labels[at], scores[at], groups[at], n=100)
    assert (a.value, a.low, a.high) == pytest.approx((b.value, b.low, b.high))


def test_equal_seeds_draw_equal_resamples_and_others_do_not():
    labels, scores = labelled()
    assert interval(auroc, labels, scores, seed=1) == interval(auroc, labels, scores, seed=1)
    assert interval(auroc, labels, scores, seed=1) != interval(auroc, labels, scores, seed=2)


@examples
@given(st.lists(st.tuples(st.integers(0, 5), st.booleans()), min_size=2, max_size=20))
def test_no_resample_loses_all_positives_or_all_negatives(rows):
    groups, labels = (np.array(column) for column in zip(*rows, strict=True))
    _, codes = np.unique(groups, return_inverse=True)
    for weights in resamples(codes, labels, 50, seed=0):
        assert weights.shape[1] == len(rows)
        for code in set(codes.tolist()):
            assert (np.ptp(weights[:, codes == code], axis=1) == 0).all()  # groups stay whole
        if labels.any():
            assert ((weights * labels).sum(axis=1) > 0).all()
        if not labels.all():
            assert ((weights * ~labels).sum(axis=1) > 0).all()


def test_a_resample_holds_as_many_groups_as_there_are():
    pieces = list(resamples(np.arange(40) // 2, np.arange(40) < 10, 30, seed=0))
    weights = np.concatenate(pieces)
    assert weights.shape == (30, 40)
    assert (weights[:, :10].sum(axis=1) == 10).all()
    assert (weights.sum(axis=1) == 40).all()


def test_intervals_of_95_percent_hold_the_truth_about_as_often():
    truth = 0.7602  # AUROC of two unit normals 1 apart: Phi(1 / sqrt 2)
    held = 0
    for seed in range(200):
        labels, scores = labelled(200, 80, seed=seed)
        got = interval(auroc, labels, scores, n=200, seed=seed)
        held += got.low <= truth <= got.high
    assert 0.90 <= held / 200 <= 0.985  # 0.95 within 3 standard errors of 200 trials, less bias


def test_a_paired_difference_is_far_tighter_than_two_intervals():
    labels, scores = labelled()
    noise = np.random.default_rng(9).normal(size=300)
    other = scores + 0.1 * noise
    got = paired_difference(auroc, labels, other, scores)
    alone = interval(auroc, labels, scores)
    assert got.value == pytest.approx(auroc(labels, other) - auroc(labels, scores))
    assert got.high - got.low < 0.4 * (alone.high - alone.low)
    same = paired_difference(average_precision, labels, scores, scores)
    assert (same.value, same.low, same.high) == (0, 0, 0)


def test_measures_with_a_length_take_it_by_partial():
    labels, scores = labelled()
    got = interval(partial(recall_at_k, k=60), labels, scores)
    assert got.value == recall_at_k(labels, scores, k=60)
    assert got.low < got.value < got.high


@pytest.mark.parametrize(
    ("hits", "n", "low", "high"),
    [
        # Brown, Cai and DasGupta 2001 state the formula; roots of |p - x| = 1.96 sqrt(p(1-p)/n).
        (0, 10, 0.0, 0.2775),
        (5, 10, 0.2366, 0.7634),
        (81, 263, 0.2553, 0.3662),  # Newcombe 1998, Stat. Med. 17, 857, table I, method 3
        (15, 148, 0.0624, 0.1605),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilson_intervals_are_those_of_the_tables(hits, n, low, high):
    got = wilson(hits, n)
    assert got.value == hits / n
    assert (got.low, got.high) == pytest.approx((low, high), abs=6e-5)


def test_the_purity_of_a_list_is_its_precision_with_wilson_limits():
    labels = np.arange(1000) < 30
    scores = -np.arange(1000.0)
    assert purity(labels, scores, 50) == wilson(30, 50)


def test_what_cannot_be_resampled_is_said():
    with pytest.raises(ConfigError, match="n >= 2"):
        bootstrap(mean, (np.ones(3),), n=1)
    with pytest.raises(ConfigError, match="level"):
        bootstrap(mean, (np.ones(3),), level=1.0)
    with pytest.raises(DataError, match="no objects to resample"):
        bootstrap(mean, (np.ones(0),))
    with pytest.raises(ShapeError, match="do not fit"):
        bootstrap(mean, (np.ones(3),), groups=[1, 2])
    with pytest.raises(DataError, match="is no share"):
        wilson(3, 0)
