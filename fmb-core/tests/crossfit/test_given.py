"""Detectors given roles: nothing is fitted on an object it scores, the conditioning included."""

from typing import ClassVar

import numpy as np
import pytest

from fmb.contract.names import VectorName
from fmb.contract.vectors import Pairs, Vectors
from fmb.crossfit.fitted import score_each, score_new
from fmb.crossfit.given import Given
from fmb.crossfit.scored import cross_fit, in_sample
from fmb.messages.errors import DataError
from fmb.scoring.calibration import p_values_by_fold
from fmb.scoring.folds import assign_folds

K = 4


class Norm:
    """Squared distance from the mean of what it was fitted to."""

    def fit(self, x):
        self.mean = x.values.mean(axis=0, dtype=np.float64)

    def score(self, x):
        return ((x.values - self.mean) ** 2).sum(axis=1)

    def details(self, x):
        return {"first": x.values[:, 0].astype(np.float64)}


class SummedNorm(Norm):
    """The same from sums."""

    most: ClassVar[list] = []

    def __init__(self):
        self.n, self.total = 0, 0.0

    def add(self, x):
        self.most.append(len(x))
        self.n += len(x)
        self.total = self.total + x.values.sum(axis=0, dtype=np.float64)

    def merge(self, other):
        raise AssertionError("sums of parts are not those of residuals")

    fit = add

    def score(self, x):
        self.mean = self.total / self.n
        return super().score(x)


class JointNorm(Norm):
    """The same, all fits in one go."""

    @staticmethod
    def fit_together(detectors, samples):
        for detector, sample in zip(detectors, samples, strict=True):
            detector.fit(sample)


class PairNorm:
    """Squared distance of two views."""

    def fit(self, x):
        pass

    def score(self, x):
        return ((x.a - x.b).astype(np.float64) ** 2).sum(axis=1)


KINDS = [Norm, SummedNorm, JointNorm]


def distance(of):
    """What `Norm` makes of (residuals of its fit, others)."""
    fitted, others = of
    return ((others - fitted.mean(axis=0)) ** 2).sum(axis=1)


def between(a, b):
    """What `PairNorm` makes of both views."""
    return ((a[1] - b[1]) ** 2).sum(axis=1)


def survey(n=800, d=3, seed=0):
    """Vectors whose mean follows a role, and whose spread does."""
    rng = np.random.default_rng(seed)
    roles = rng.normal(size=(n, 2))
    values = 2 * roles[:, :1] + rng.normal(size=(n, d)) * np.exp(0.5 * roles[:, 1:])
    return values.astype(np.float32), roles


def given(values, roles, ids=None):
    ids = np.arange(len(values)) if ids is None else ids
    return Given(Vectors(ids, values), ("magnitude", "snr"), roles)


def fitted(detector, x, **options):
    return cross_fit(lambda fold: detector(), x, x.ids, K, name="mine", **options)


@pytest.mark.parametrize("detector", KINDS)
def test_scores_are_those_of_residuals_by_formula_fold_by_fold(
    direct_residuals, direct_scores, detector
):
    values, roles = survey()
    made = fitted(detector, given(values, roles), details=("first",))
    fold = assign_folds(np.arange(len(values)), K)
    for i in range(K):
        r = direct_residuals(values, roles, fold != i, 2)
        expected = direct_scores([values], roles, fold != i, 2, distance)
        inside = fold == i
        np.testing.assert_allclose(made.scores[inside], expected[inside], rtol=1e-4, atol=1e-4)
        np.testing.assert_allclose(made.details["first"][inside], r[inside, 0], atol=1e-4)


@pytest.mark.parametrize("detector", KINDS)
def test_the_conditioning_is_not_fitted_on_an_object_that_it_is_scored_by(detector):
    """One object alone at the edge of a role: only a fit that has seen it can explain its vector.

    Others know the role up to 1 within 0.01; three spreads out there is nobody but the one. Its
    fold's fit predicts nothing there, so it stands 40 out; a fit with it would follow it, and a
    level of scores with it would take its own for what is usual there.
    """
    rng = np.random.default_rng(0)
    roles = np.column_stack([rng.uniform(-1, 1, 200), np.zeros(200)])
    roles[7] = 3.3, 0.0
    values = rng.normal(size=(200, 3)).astype(np.float32)
    values[7] += 40
    out = fitted(detector, given(values, roles)).scores
    spread = np.sqrt(3 - 8 / np.pi)  # of the length of three standard normal numbers
    assert out[7] > 0.8 * np.sqrt(3) * 40 / spread
    within = in_sample(lambda fold: detector(), given(values, roles), name="mine").scores
    assert within[7] < out[7] / 2


@pytest.mark.parametrize("detector", KINDS)
def test_what_an_object_is_changes_nothing_in_the_fit_that_scores_it(detector):
    values, roles = survey()
    fold = assign_folds(np.arange(len(values)), K)
    changed, moved = values.copy(), roles.copy()
    changed[fold == 2] *= -3
    moved[fold == 2] += 1
    before = fitted(detector, given(values, roles))
    after = fitted(detector, given(changed, moved))
    x = given(values[:50], roles[:50])
    score = [score_each(one.detectors, x, one.given) for one in (before, after)]
    np.testing.assert_array_equal(score[0][2], score[1][2])
    assert not np.allclose(score[0][1], score[1][1])


def auroc(scores, planted):
    """Share of pairs of a planted and another object in which the planted one scores higher."""
    above = scores[planted][:, None] > scores[~planted][None, :]
    return above.mean()


def test_raw_is_led_by_the_extremes_of_a_role_and_given_finds_what_is_planted():
    values, roles = survey(n=2000, seed=3)
    planted = np.zeros(2000, dtype=bool)
    planted[:40] = True
    roles[planted] = np.random.default_rng(4).normal(size=(40, 2)) * 0.3
    values[planted] = 2 * roles[planted][:, :1] + np.array([2.5, -2.5, 2.5])
    raw = cross_fit(
        lambda fold: Norm(), Vectors(np.arange(2000), values), np.arange(2000), 5, name="m"
    )
    made = fitted(Norm, given(values, roles))
    extreme = np.abs(roles[:, 0])
    first = np.argsort(-raw.scores)[:20]
    assert (extreme[first] > np.quantile(extreme, 0.9)).mean() > 0.5
    assert auroc(made.scores, planted) > 0.97
    assert auroc(raw.scores, planted) < 0.75


@pytest.mark.parametrize("detector", KINDS)
def test_the_order_of_the_objects_plays_no_part(detector):
    values, roles = survey()
    order = np.random.default_rng(1).permutation(len(values))
    there = fitted(detector, given(values, roles)).scores
    back = fitted(detector, given(values[order], roles[order], order)).scores
    # Scores reach 40 before their level, as large, is taken off.
    np.testing.assert_allclose(there[order], back, rtol=1e-4, atol=1e-4)


def test_scores_of_objects_that_know_other_roles_are_of_other_strata():
    values, roles = survey()
    roles[::5, 1] = np.nan
    roles[::10] = np.nan
    made = fitted(Norm, given(values, roles))
    expected = np.full(len(values), 0b11)
    expected[::5], expected[::10] = 0b01, 0b00
    np.testing.assert_array_equal(made.stratum, expected)


@pytest.mark.parametrize("detector", KINDS)
def test_in_sample_every_object_is_in_the_fit(direct_residuals, direct_in_sample, detector):
    """In the level too: it is that of the scores in the list, which have seen their objects."""
    values, roles = survey()
    x = given(values, roles)
    made = in_sample(lambda fold: detector(), x, name="mine", details=("first",))
    r = direct_residuals(values, roles, np.full(len(values), True), 2)
    np.testing.assert_allclose(made.details["first"], r[:, 0], atol=1e-4)
    expected = direct_in_sample(distance((r, r)), roles, 2)
    np.testing.assert_allclose(made.scores, expected, rtol=1e-4, atol=1e-4)
    assert made.stratum.tolist() == [3] * len(values)


@pytest.mark.parametrize("detector", KINDS)
def test_new_objects_get_the_mean_over_the_fits_each_through_its_own_transform(
    direct_scores, detector
):
    values, roles = survey(n=900)
    old, new = given(values[:800], roles[:800]), given(values[800:], roles[800:])
    made = fitted(detector, old)
    fold = assign_folds(old.ids, K)
    each = []
    for i in range(K):
        seen = np.append(fold != i, np.zeros(100, dtype=bool))
        each.append(direct_scores([values], roles, seen, 2, distance)[800:])
    got = score_new(made.detectors, new, made.given)
    np.testing.assert_allclose(got, np.mean(each, axis=0), rtol=1e-4, atol=1e-4)


def test_both_views_of_a_pair_are_given_the_roles(direct_scores):
    values, roles = survey()
    other, _ = survey(seed=9)
    names = VectorName("m", "mean", "a"), VectorName("m", "mean", "b")
    pairs = Pairs(np.arange(len(values)), values, other, False, names)
    made = fitted(PairNorm, Given(pairs, ("magnitude", "snr"), roles))
    fold = assign_folds(np.arange(len(values)), K)
    for i in range(K):
        expected = direct_scores([values, other], roles, fold != i, 2, between)[fold == i]
        np.testing.assert_allclose(made.scores[fold == i], expected, rtol=1e-4, atol=1e-4)


def test_a_fit_that_is_a_sum_gets_a_block_at_a_time(monkeypatch):
    sizes = []
    monkeypatch.setattr(SummedNorm, "most", sizes)
    monkeypatch.setattr("fmb.blocks.stored.BLOCK_NUMBERS", 1)
    monkeypatch.setattr("fmb.blocks.stored.FEWEST_ROWS", 100)
    values, roles = survey()
    fitted(SummedNorm, given(values, roles))
    assert max(sizes) <= 100
    assert sum(sizes) == (K - 1) * len(values)


def test_progress_counts_the_fits():
    values, roles = survey()
    for detector in KINDS:
        told = []
        fitted(detector, given(values, roles), told=told.append)
        assert told == list(range(1, K + 1))


def test_a_value_that_is_not_finite_is_refused_before_anything_is_fitted():
    values, roles = survey()
    values[3, 1] = np.nan
    for detector in KINDS:
        with pytest.raises(DataError, match="1 of 800 vectors hold values that are not finite"):
            fitted(detector, given(values, roles))


def test_p_of_an_ordinary_object_is_uniform_on_average_over_surveys():
    """Of 200 surveys with a reference of 99: P(p <= 0.1) is 0.1, and so within 2.6 sigma of it.

    One object a survey, so that the draws are independent; the spread of vectors follows a role.
    """
    hits = 0
    for seed in range(200):
        values, roles = survey(n=259, d=2, seed=seed)
        x, reference = given(values[:160], roles[:160, 1:]), given(values[160:], roles[160:, 1:])
        made = fitted(SummedNorm, x)
        by_fit = score_each(made.detectors, reference, made.given)
        hits += p_values_by_fold(made.scores, made.fold, by_fit)[seed % 160] <= 0.1
    assert abs(hits / 200 - 0.1) < 2.6 * np.sqrt(0.09 / 200)
