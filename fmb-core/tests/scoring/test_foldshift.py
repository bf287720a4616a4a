"""Whether the scores of folds share a scale."""

import numpy as np
import pytest
from scipy.stats import chi2, chi2_contingency, kruskal

from fmb.scoring.foldshift import fold_shift


def scores_and_folds(n=1000, k=5, seed=0):
    return np.random.default_rng(seed).gumbel(size=n), np.arange(n) % k


@pytest.mark.parametrize("k", [2, 3, 4, 5, 12])
@pytest.mark.parametrize("decimals", [6, 1, 0])
def test_the_test_of_medians_is_kruskal_wallis_with_ties(decimals, k):
    scores, fold = scores_and_folds(k=k)
    scores = np.round(scores + 0.1 * (fold == 1), decimals)
    expected = kruskal(*(scores[fold == i] for i in range(k))).pvalue
    assert fold_shift(scores, fold, k).p_value == pytest.approx(expected, rel=1e-9)


def test_folds_of_one_distribution_are_rarely_called_shifted():
    notable = [fold_shift(*scores_and_folds(seed=seed), 5).notable for seed in range(300)]
    assert sum(notable) <= 3  # two tests at 0.001 each, 300 times: 0.6 expected


def test_a_fold_moved_by_half_a_spread_is_found_and_measured():
    scores, fold = scores_and_folds(n=20_000)
    spread = 1.4826 * np.median(np.abs(scores - np.median(scores)))
    scores[fold == 3] += 0.5 * spread
    got = fold_shift(scores, fold, 5)
    # The median of all moves by 0.1 of the shift or so, too: one fold of five has moved.
    assert 0.35 < got.shift < 0.45
    assert got.notable
    assert "NOT on one scale" in str(got)


def test_a_fold_whose_tail_alone_is_heavier_is_found():
    scores, fold = scores_and_folds(n=5000)
    high = np.flatnonzero((fold == 1) & (scores > np.quantile(scores, 0.9)))
    scores[high] *= 3
    got = fold_shift(scores, fold, 5)
    assert got.p_value > 0.01
    assert got.top_by_fold[1] > 40
    assert got.top == sum(got.top_by_fold) == 50
    assert got.notable


def test_the_test_of_tails_is_that_of_a_table_of_folds_and_top():
    scores, fold = scores_and_folds(n=5000)
    scores[(fold == 4) & (scores > 2)] += 1
    got = fold_shift(scores, fold, 5)
    top = np.array(got.top_by_fold)
    table = chi2_contingency([top, np.bincount(fold) - top], correction=False)
    # Drawn from n objects without replacement the variance is n / (n - 1) of the table's.
    expected = chi2.sf(table.statistic * 4999 / 5000, 4)
    assert got.top_p_value == pytest.approx(expected, rel=1e-9)
    assert 0 < expected < 0.9


def test_a_small_survey_is_not_judged_by_its_tail():
    got = fold_shift(*scores_and_folds(n=28), 5)
    assert (got.top, got.top_by_fold, got.top_p_value) == (0, (), 1.0)
    assert "on one scale" in str(got)


def test_scores_that_are_mostly_equal_have_no_spread_but_may_differ():
    scores = np.zeros(100)
    scores[0] = 1.0
    assert fold_shift(scores, np.arange(100) % 5, 5).shift == 0
