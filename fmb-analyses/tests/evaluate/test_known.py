"""Measures of known objects are those of scikit-learn, and count each source once."""

import numpy as np
import pytest
from scipy.stats import binomtest
from sklearn.metrics import average_precision_score, roc_auc_score

from fmb import ConfigError
from fmb_analyses.evaluate.known import KnownKind, top_percent
from fmb_analyses.evaluate.standing import Standing
from fmb_analyses.evaluate.truth import Kind

N = 400


@pytest.fixture
def listed():
    rng = np.random.default_rng(3)
    of_kind = rng.random(N) < 0.1
    score = rng.normal(size=N) + of_kind
    ranks = np.argsort(np.argsort(-score)) + 1.0
    return Standing(score, ranks, np.ones(N, bool), np.arange(N)), of_kind


def kind_of(of_kind, known=None):
    return Kind("k", of_kind, np.ones(len(of_kind), bool) if known is None else known)


def test_auroc_and_average_precision_are_those_of_scikit_learn(listed):
    standing, of_kind = listed
    one = KnownKind.of(standing, kind_of(of_kind), 100, "list")
    got = one.measured("auroc")
    assert got.value == pytest.approx(roc_auc_score(of_kind, standing.score))
    assert got.low < got.value < got.high
    assert (got.n, got.n_positive, got.chance) == (N, of_kind.sum(), 0.5)
    expected = average_precision_score(of_kind, standing.score)
    assert one.measured("average_precision").value == pytest.approx(expected)


def test_shares_have_the_interval_of_wilson(listed):
    standing, of_kind = listed
    one = KnownKind.of(standing, kind_of(of_kind), 50, "list")
    hits = int(of_kind[np.argsort(-standing.score)[:50]].sum())
    wilson = binomtest(hits, 50).proportion_ci(method="wilson")
    got = one.measured("precision")
    assert got.value == hits / 50
    assert (got.low, got.high) == pytest.approx((wilson.low, wilson.high))
    assert got.chance == of_kind.mean()
    assert one.measured("enrichment").value == pytest.approx(hits / 50 / of_kind.mean())
    assert one.measured("recall").value == pytest.approx(hits / of_kind.sum())
    assert one.measured("recall").chance == 50 / N


def test_the_top_percent_is_one_object_at_least():
    assert [top_percent(n) for n in (10, 149, 151, 10_000)] == [1, 1, 2, 100]


def test_a_source_is_of_a_kind_when_one_of_its_rows_is():
    # Rows 0 and 1 are one source; row 1, which is not listed, is of the kind.
    score = np.array([3.0, 2.0, 1.0, 0.0])
    listed = np.array([True, False, True, True])
    standing = Standing(score, np.array([1.0, 1, 2, 3]), listed, np.array([0, 0, 1, 2]))
    one = KnownKind.of(standing, kind_of(np.array([False, True, False, False])), 1, "list")
    assert one.labels.tolist() == [True, False, False]


def test_objects_of_unknown_kind_are_left_out():
    score = np.arange(4.0)
    standing = Standing(score, 4 - score, np.ones(4, bool), np.arange(4))
    known = np.array([True, False, True, True])
    one = KnownKind.of(standing, kind_of(np.array([True, False, False, False]), known), 1, "list")
    assert one.scores.tolist() == [0, 2, 3]


def test_a_list_without_the_kind_measures_nothing(listed):
    standing, _ = listed
    assert KnownKind.of(standing, kind_of(np.zeros(N, bool)), 1, "list") is None


def test_more_looks_than_objects_are_refused(listed):
    standing, of_kind = listed
    with pytest.raises(ConfigError, match="--looks 401: my list ranks 400 objects"):
        KnownKind.of(standing, kind_of(of_kind), 401, "my list")
