"""Measures of planted copies are what counting by hand gives."""

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from fmb.scoring import rank_survey
from fmb_analyses.evaluate.known import top_percent
from fmb_analyses.evaluate.planted import PLANTED_METRICS, PlantedKind
from fmb_analyses.evaluate.standing import Standing
from fmb_analyses.evaluate.truth import Kind, Truth

N, HOSTS, STEPS = 500, 40, (0.0, 0.5, 1.0)


def planted(moved, *, looks=50, prevalence=0.05, n=N, hosts=HOSTS, seed=0):
    """N unchanged objects, and a copy of some at each strength that moves by `moved` of it."""
    rng = np.random.default_rng(seed)
    score = rng.normal(size=n)
    host = np.repeat(np.arange(hosts), len(STEPS))
    strength = np.tile(STEPS, hosts)
    score = np.append(score, score[host] + [moved(s) for s in strength])
    source = np.append(np.arange(n), host)
    copies = np.arange(len(score)) >= n
    ranking = rank_survey(np.arange(len(score)), score, source, copies)
    standing = Standing(score, ranking.rank, ~copies, source)
    own = np.append(np.arange(n), host)
    truth = Truth("copies", (), own, np.append(np.full(n, np.nan), strength))
    kind = Kind("k", copies, np.ones(len(score), bool))
    return PlantedKind.of(standing, truth, kind, looks, prevalence, "list"), score, host, strength


def test_auroc_is_that_against_all_unchanged_objects_but_the_own_host():
    one, score, host, _ = planted(lambda s: s)
    by_hand = [np.mean(score[N + i] > np.delete(score[:N], h)) for i, h in enumerate(host)]
    assert one.measured("auroc").value == pytest.approx(np.mean(by_hand))
    assert one.measured("auroc").n_positive == HOSTS * 3


def test_auroc_against_own_hosts_leaves_all_others_out():
    one, score, host, _ = planted(lambda s: s)
    pairs = [
        float(score[N + i] > score[h])
        for i, own in enumerate(host)
        for h in range(HOSTS)
        if h != own
    ]
    assert one.measured("auroc_own_hosts").value == pytest.approx(np.mean(pairs))


def test_the_shift_is_the_percentile_of_the_copy_less_that_of_its_host():
    one, score, host, _ = planted(lambda s: 3 * s)
    shifts = []
    for i, h in enumerate(host):
        others = np.delete(score[:N], h)
        shifts.append((np.sum(others < score[N + i]) - np.sum(others < score[h])) / N)
    assert one.measured("shift").value == pytest.approx(np.mean(shifts))


def test_copies_like_their_hosts_do_not_move_at_all():
    shift = planted(lambda s: 0.0)[0].measured("shift")
    assert (shift.value, shift.low, shift.high, shift.chance) == (0, 0, 0, 0)


def test_recall_counts_copies_above_all_but_one_percent():
    one, score, _, _ = planted(lambda s: 2 * s)
    k = top_percent(N)
    bound = np.sort(score[:N])[-k]
    expected = np.mean(score[N:] > bound)  # k - 1 others above at most: the host is weak or above
    assert one.measured("recall_top_percent").value == pytest.approx(
        expected, abs=3 / len(score[N:])
    )
    assert one.measured("recall_top_percent").chance == k / N


def test_precision_is_that_of_a_survey_with_so_many_of_the_kind():
    # Of 1,000 objects at 5 %: 50 far out, so that 50 looks hold nothing else and 100 half of them.
    far = planted(lambda s: 100.0, looks=25)[0]  # 500 x 0.05 = 25
    assert far.measured("precision").value == pytest.approx(1)
    assert far.measured("enrichment").value == pytest.approx(20)
    assert planted(lambda s: 100.0, looks=50)[0].measured("precision").value == pytest.approx(0.5)
    assert planted(lambda s: -100.0)[0].measured("precision").value == pytest.approx(0, abs=1e-9)


def test_precision_and_average_precision_agree_with_scikit_learn_on_a_mixed_list():
    one, score, host, _ = planted(lambda s: 1.5 * s, looks=60)
    labels = np.arange(len(score)) >= N
    weights = np.where(labels, N * 0.05 / len(host), 0.95)
    expected = average_precision_score(labels, score, sample_weight=weights)
    # A copy stands in the place of its host, which is one of 500: 0.2 % of the others.
    assert one.measured("average_precision").value == pytest.approx(expected, rel=0.02)
    assert one.measured("auroc").value == pytest.approx(roc_auc_score(labels, score), abs=0.004)


def test_half_recall_lies_on_the_line_between_two_strengths():
    # Recall is 0 at 0 and 0.5 and 1 at strength 1: half of it is reached at 0.75.
    half = planted(lambda s: 100.0 if s == 1 else -100.0)[0].measured("strength_at_half_recall")
    assert (half.value, half.low, half.high) == (0.75, 0.75, 0.75)
    never = planted(lambda s: 0.0)[0].measured("strength_at_half_recall")
    assert (never.value, never.low, never.high) == (None, None, None)
    always = planted(lambda s: 100.0)[0].measured("strength_at_half_recall")
    assert always.value == 0


def test_one_strength_is_measured_by_itself():
    one = planted(lambda s: 100.0 if s == 1 else 0.0)[0]
    assert one.strengths == [0.0, 0.5, 1.0]
    assert one.at(1.0).measured("recall_top_percent").value == 1
    assert one.at(0.0).measured("shift").value == 0
    assert one.at(1.0).measured("auroc").n_positive == HOSTS


@pytest.mark.parametrize("metric", PLANTED_METRICS)
def test_intervals_hold_the_value(metric):
    got = planted(lambda s: 4 * s)[0].measured(metric)
    assert got.value is not None
    assert (got.low or 0) <= got.value <= (np.inf if got.high is None else got.high)


def test_the_interval_over_hosts_covers_what_other_hosts_give():
    """AUROC of 200 draws of hosts: about 95 % of intervals hold the mean of all of them."""
    values = [planted(lambda s: s, seed=i, hosts=30)[0].measured("auroc") for i in range(200)]
    truth = np.mean([one.value for one in values])
    held = np.mean([one.low <= truth <= one.high for one in values])
    assert held > 0.88  # 0.95, less 3 standard errors of 0.015 and what 30 hosts cost a bootstrap


def test_a_kind_with_one_host_is_measured_as_far_as_that_says_anything():
    one = planted(lambda s: 100.0, hosts=1)[0]
    got = one.measured("auroc")
    assert (got.value, got.low, got.high) == (1, None, None)
    assert one.measured("auroc_own_hosts").value is None  # there is no other host
    assert one.at(7.0) is None
