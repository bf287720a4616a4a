"""Measures of how well a score finds labelled objects."""

from functools import partial
from itertools import permutations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, roc_auc_score

from fmb import DataError, ScoreError, ShapeError, UnknownNameError
from fmb_analyses.metrics import (
    auroc,
    auroc_of_copies,
    average_precision,
    chance,
    enrichment,
    precision_at_k,
    recall_at_k,
)

examples = settings(max_examples=50, deadline=None)

MEASURES = [
    auroc,
    average_precision,
    *(partial(f, k=3) for f in (recall_at_k, precision_at_k, enrichment)),
]


@st.composite
def labelled(draw):
    """Labels of both kinds, scores with ties and whole weights that keep both kinds."""
    n = draw(st.integers(3, 25))
    labels = draw(st.lists(st.booleans(), min_size=n, max_size=n))
    labels[0], labels[1] = True, False
    scores = draw(st.lists(st.integers(-3, 3).map(float), min_size=n, max_size=n))
    weights = draw(st.lists(st.integers(0, 3), min_size=n, max_size=n))
    weights[0], weights[1] = max(1, weights[0]), max(1, weights[1])
    return np.array(labels), np.array(scores), np.array(weights)


@examples
@given(labelled())
def test_auroc_and_average_precision_are_those_of_scikit_learn(data):
    labels, scores, weights = data
    assert auroc(labels, scores) == pytest.approx(roc_auc_score(labels, scores))
    assert auroc(labels, scores, weights) == pytest.approx(
        roc_auc_score(labels, scores, sample_weight=weights)
    )
    assert average_precision(labels, scores) == pytest.approx(
        average_precision_score(labels, scores)
    )
    assert average_precision(labels, scores, weights) == pytest.approx(
        average_precision_score(labels, scores, sample_weight=weights)
    )


@examples
@given(labelled())
def test_a_copy_is_compared_with_every_host_but_its_own(data):
    labels, scores, weights = data
    groups = np.arange(len(scores)) // 2
    total = pairs = 0.0
    for i in np.flatnonzero(labels):
        for j in np.flatnonzero(~labels):
            if groups[i] != groups[j]:
                total += (
                    weights[i]
                    * weights[j]
                    * ((scores[i] > scores[j]) + (scores[i] == scores[j]) / 2)
                )
                pairs += weights[i] * weights[j]
    assume(pairs > 0)
    assert auroc_of_copies(labels, scores, groups, weights) == pytest.approx(total / pairs)
    assert auroc_of_copies(
        labels, scores, groups, np.stack([weights, 2 * weights])
    ) == pytest.approx([total / pairs] * 2)


def test_without_another_host_there_is_nothing_to_compare():
    with pytest.raises(DataError, match="share one group"):
        auroc_of_copies([True, False], [1.0, 2.0], [7, 7])


@examples
@given(labelled())
def test_auroc_counts_pairs_and_half_of_the_ties(data):
    labels, scores, _ = data
    pairs = [(a > b) + (a == b) / 2 for a in scores[labels] for b in scores[~labels]]
    assert auroc(labels, scores) == pytest.approx(np.mean(pairs))


@pytest.mark.parametrize("measure", MEASURES)
@examples
@given(labelled())
def test_a_weight_is_a_number_of_copies(measure, data):
    labels, scores, weights = data
    copies = np.repeat(np.arange(len(labels)), weights)
    if len(copies) >= 3:
        expected = measure(labels[copies], scores[copies])
        assert measure(labels, scores, weights) == pytest.approx(expected)


@pytest.mark.parametrize("measure", MEASURES)
@examples
@given(labelled())
def test_many_rows_of_weights_give_the_value_of_each(measure, data):
    labels, scores, weights = data
    rows = np.stack([weights, np.ones_like(weights), weights[::-1] + 1])
    got = measure(labels, scores, rows)
    assert got == pytest.approx([measure(labels, scores, w) for w in rows])


@pytest.mark.parametrize("measure", MEASURES)
@examples
@given(labelled(), st.randoms())
def test_the_order_of_rows_changes_no_measure(measure, data, random):
    labels, scores, _ = data
    at = random.sample(range(len(labels)), len(labels))
    assert measure(labels, scores) == pytest.approx(measure(labels[at], scores[at]))


def test_the_top_of_a_list_by_hand():
    labels = np.array([1, 0, 1, 0, 0, 1, 0, 0])
    scores = np.array([9.0, 8.0, 7.0, 6.0, 5.0, 4.0, 3.0, 2.0])
    assert recall_at_k(labels, scores, k=3) == pytest.approx(2 / 3)
    assert precision_at_k(labels, scores, k=3) == pytest.approx(2 / 3)
    assert enrichment(labels, scores, k=3) == pytest.approx(2 / 3 / (3 / 8))
    assert recall_at_k(labels, scores, k=8) == 1


@pytest.mark.parametrize("k", [1, 2, 3, 4, 5])
def test_ties_at_the_border_count_as_the_mean_over_their_orders(k):
    labels = np.array([True, False, True, False, False])
    scores = np.array([2.0, 1.0, 1.0, 1.0, 0.0])
    found = [
        sum(sorted_labels[:k])
        for order in permutations([1, 2, 3])
        if (sorted_labels := labels[[0, *order, 4]].tolist())
    ]
    assert recall_at_k(labels, scores, k=k) == pytest.approx(np.mean(found) / 2)


@pytest.mark.parametrize(("n", "n_labelled"), [(5, 1), (6, 2), (6, 5)])
def test_chance_is_the_mean_over_all_orders(n, n_labelled):
    scores = np.arange(n, dtype=float)
    labels = np.arange(n) < n_labelled
    for measure in (auroc, average_precision):
        mean = np.mean([measure(labels[list(at)], scores) for at in permutations(range(n))])
        assert chance(measure.__name__, n=n, n_labelled=n_labelled) == pytest.approx(mean)
    for measure in (recall_at_k, precision_at_k, enrichment):
        mean = np.mean([measure(labels[list(at)], scores, k=2) for at in permutations(range(n))])
        assert chance(measure.__name__, n=n, n_labelled=n_labelled, k=2) == pytest.approx(mean)


def test_an_unknown_measure_gets_a_hint():
    with pytest.raises(UnknownNameError, match="did you mean 'auroc'"):
        chance("auroch", n=5, n_labelled=1)


@pytest.mark.parametrize("measure", MEASURES)
def test_labels_of_one_kind_measure_nothing(measure):
    with pytest.raises(DataError, match="0 of 4 objects are labelled"):
        measure(np.zeros(4, dtype=bool), np.arange(4.0))
    with pytest.raises(DataError, match="4 of 4 objects are labelled"):
        measure(np.ones(4, dtype=bool), np.arange(4.0))


def test_unknown_labels_and_scores_are_refused():
    with pytest.raises(DataError, match="unknown label"):
        auroc([0.0, 1.0, np.nan], [1.0, 2.0, 3.0])
    with pytest.raises(DataError, match="unknown label"):
        auroc([0, 1, 2], [1.0, 2.0, 3.0])
    with pytest.raises(ScoreError, match="1 of 3 scores"):
        auroc([0, 1, 1], [1.0, np.nan, 3.0])
    with pytest.raises(ShapeError, match="2 labels, 3 scores"):
        auroc([0, 1], [1.0, 2.0, 3.0])


def test_a_resample_lighter_than_the_list_is_all_listed():
    labels, scores, weights = np.array([1, 0, 0, 1]), np.arange(4.0), np.array([1, 1, 0, 0])
    assert precision_at_k(labels, scores, weights, k=4) == 0.5
    assert recall_at_k(labels, scores, weights, k=4) == 1
    assert enrichment(labels, scores, weights, k=4) == 1


@pytest.mark.parametrize("k", [0, 5])
def test_a_list_longer_than_the_survey_does_not_exist(k):
    with pytest.raises(DataError, match=rf"no top {k} of 4 objects; choose k from 1 to 4"):
        recall_at_k([0, 1, 0, 1], np.arange(4.0), k=k)
