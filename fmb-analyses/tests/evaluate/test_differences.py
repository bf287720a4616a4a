"""Two lists are compared on what both have, resample by resample."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from fmb.scoring import rank_survey
from fmb_analyses.evaluate.differences import difference_of
from fmb_analyses.evaluate.known import KnownKind
from fmb_analyses.evaluate.planted import PlantedKind
from fmb_analyses.evaluate.standing import Standing
from fmb_analyses.evaluate.truth import Kind, Truth

N, HOSTS = 300, 60
SOURCE = np.append(np.arange(N), np.arange(HOSTS))
COPIES = np.arange(N + HOSTS) >= N


def planted(scores, absent=()):
    score = np.array(scores, dtype=float)
    score[list(absent)] = np.nan
    inside = np.isfinite(score)
    rank = np.full(len(score), np.nan)
    rank[inside] = rank_survey(
        np.flatnonzero(inside), score[inside], SOURCE[inside], COPIES[inside]
    ).rank
    standing = Standing(score, rank, ~COPIES & inside, SOURCE)
    truth = Truth("copies", (), SOURCE, np.where(COPIES, 1.0, np.nan))
    return PlantedKind.of(
        standing, truth, Kind("k", COPIES, np.ones(N + HOSTS, bool)), 10, 0.01, ""
    )


@pytest.fixture
def scores():
    base = np.random.default_rng(0).normal(size=N)
    return np.append(base, base[:HOSTS] + 1), np.append(base, base[:HOSTS] + 1.2)


def test_a_difference_is_that_of_the_two_values_and_sharper_than_either(scores):
    weak, strong = (planted(s) for s in scores)
    one = difference_of("auroc", strong, weak)
    a, b = strong.measured("auroc"), weak.measured("auroc")
    assert one.value == pytest.approx(a.value - b.value)
    assert one.low > 0  # each copy moved farther
    assert one.high - one.low < (a.high - a.low) / 2
    assert one.chance == 0


@pytest.mark.parametrize("metric", ["auroc", "recall_top_percent"])
def test_a_list_has_nothing_more_than_itself(scores, metric):
    one = difference_of(metric, planted(scores[0]), planted(scores[0]))
    assert (one.value, one.low, one.high) == (0, 0, 0)


def test_copies_that_one_list_lacks_count_in_neither(scores):
    absent = [N, N + 1, 5]  # two copies, and the host of a third
    one = difference_of("auroc", planted(scores[1]), planted(scores[0], absent))
    assert one.n_positive == HOSTS - 3


def test_lists_without_a_common_copy_have_no_difference(scores):
    a, b = range(N, N + 30), range(N + 30, N + HOSTS)
    assert difference_of("auroc", planted(scores[0], a), planted(scores[0], b)) is None


def test_known_objects_are_compared_source_by_source():
    rng = np.random.default_rng(1)
    of_kind = rng.random(N) < 0.2
    ours, theirs = (rng.normal(size=N) + k * of_kind for k in (1.0, 0.5))
    kind = Kind("k", of_kind, np.ones(N, bool))
    judged = []
    for score in (ours, theirs):
        standing = Standing(score, np.zeros(N), np.ones(N, bool), np.arange(N)[::-1])
        judged.append(KnownKind.of(standing, kind, 10, ""))
    one = difference_of("auroc", *judged)
    expected = roc_auc_score(of_kind, ours) - roc_auc_score(of_kind, theirs)
    assert one.value == pytest.approx(expected)
    assert one.low < one.value < one.high
