"""Few objects for their dimension: left out one by one, or in more folds on one scale."""

import numpy as np
import pytest

from fmb.contract.names import VectorName
from fmb.contract.vectors import Pairs, Vectors
from fmb.crossfit.fitted import score_each, score_new
from fmb.crossfit.scored import cross_fit
from fmb.crossfit.small_survey import cross_fit_small, is_small
from fmb.messages.errors import ConfigError, DataError, PluginError, ScoreError


class Distance:
    """Squared distance from the mean of what it was fitted on."""

    def fit(self, x):
        self.ids = x.ids.tolist()
        self.centre = x.values.mean(axis=0, dtype=float)

    def score(self, x):
        return ((x.values - self.centre) ** 2).sum(axis=1)


class Levelled(Distance):
    """A fit that adds a level of its own, a thousand times what objects differ by."""

    def score(self, x):
        return super().score(x) + 1000.0 * np.sin(sum(self.ids))


class Exact(Distance):
    """Knows the distance from the mean of the others."""

    def score_left_out(self, x, groups):
        self.asked = x.ids.tolist(), groups.tolist()
        left = np.empty(len(x))
        for code in np.unique(groups):
            of = groups == code
            centre = x.values[~of].mean(axis=0, dtype=float)
            left[of] = ((x.values[of] - centre) ** 2).sum(axis=1)
        return left, {"root": np.sqrt(left)}


def vectors(n=40, d=16, seed=0):
    return Vectors(np.arange(n), np.random.default_rng(seed).normal(size=(n, d)).astype("f4"))


def small(detector, x, groups=None, **options):
    groups = x.ids if groups is None else groups
    return cross_fit_small(lambda fold: detector(), x, groups, name="mine", **options)


@pytest.mark.parametrize(("n", "answer"), [(63, True), (64, False), (65, False)])
def test_fewer_objects_than_four_times_their_numbers_are_few(n, answer):
    assert is_small(vectors(n, 16)) is answer


def test_pairs_are_never_few():
    names = (VectorName("m", "mean", "image"), VectorName("m", "mean", "spectrum"))
    values = vectors(10).values
    assert not is_small(Pairs(np.arange(10), values, values, False, names))


def test_a_detector_that_can_leave_objects_out_is_fitted_once_to_all():
    x, fits = vectors(), []
    groups = np.array([f"g{i // 3}" for i in range(40)])

    def make(fold):
        fits.append(fold)
        return Exact()

    got = cross_fit_small(make, x, groups, name="mine", details=("root",))
    (one,) = got.detectors
    assert fits == [-1]
    assert one.detector.ids == x.ids.tolist()
    codes = np.unique(groups, return_inverse=True)[1]
    assert one.detector.asked == (x.ids.tolist(), codes.tolist())
    assert (got.fit, set(got.fold.tolist()), got.shift) == ("leave-one-out", {-1}, None)
    np.testing.assert_allclose(got.details["root"] ** 2, got.scores, rtol=1e-12)
    folds = cross_fit(lambda f: Distance(), x, groups, 14, name="m")  # one a group
    np.testing.assert_allclose(got.scores, folds.scores, rtol=1e-10)
    assert "by the detector's formula" in got.note


def test_new_objects_are_scored_by_the_fit_to_all():
    got, new = small(Exact, vectors()), vectors(7, seed=1)
    expected = ((new.values - vectors().values.mean(axis=0, dtype=float)) ** 2).sum(axis=1)
    np.testing.assert_allclose(score_new(got.detectors, new), expected, rtol=1e-10)


@pytest.mark.parametrize(("n", "each", "folds"), [(40, 1, 20), (40, 4, 10), (15, 3, 5)])
def test_others_get_twenty_folds_or_as_many_as_there_are_groups(n, each, folds):
    x, told = vectors(n), []
    got = small(Distance, x, x.ids // each, told=told.append)
    assert got.fit == "cross-fit"
    assert len(got.detectors) == len(np.unique(got.fold)) == folds
    assert f"fewer than 4 objects for each number of a vector: {folds} folds" in got.note
    assert told[-1] == 5  # progress is counted in fifths, as that of five folds
    assert told == sorted(told)


def test_the_level_of_each_fit_is_taken_off_as_its_fitted_objects_tell_it():
    x, new = vectors(), vectors(9, seed=1)
    got, plain = small(Levelled, x), cross_fit(lambda f: Distance(), x, x.ids, 20, name="m")
    spread = plain.scores.std()
    assert cross_fit(lambda f: Levelled(), x, x.ids, 20, name="m").scores.std() > 50 * spread
    apart = got.scores - plain.scores
    # The medians of the fitted objects differ by little, the level by some hundred spreads.
    assert np.ptp(apart) < spread
    medians = [
        np.median(score_each([one], x.take(got.fold != i))) for i, one in enumerate(got.detectors)
    ]
    np.testing.assert_allclose(medians, medians[0], rtol=0, atol=1e-9)
    each = score_each(got.detectors, new)
    assert np.ptp(each - each.mean(axis=1, keepdims=True), axis=0).max() < spread
    assert abs(each.mean(axis=1) - each.mean()).max() < spread
    assert not got.shift.notable


def test_the_mean_level_of_the_fits_is_kept():
    x = vectors()
    got, raw = small(Levelled, x), cross_fit(lambda f: Levelled(), x, x.ids, 20, name="m")
    assert sum(one.offset for one in got.detectors) == pytest.approx(0, abs=1e-9)
    assert got.scores.mean() == pytest.approx(raw.scores.mean(), rel=1e-9)


def test_a_fold_of_strange_objects_keeps_them():
    x = vectors()
    fold = cross_fit(lambda f: Distance(), x, x.ids, 20, name="m").fold
    x.values[fold == 3] += 5.0
    scores = small(Distance, x).scores
    assert set(np.argsort(-scores)[:2]) == set(np.flatnonzero(fold == 3))


def test_fewer_groups_than_five_are_refused():
    x = vectors(12)
    for detector in (Exact, Distance):
        with pytest.raises((ConfigError, DataError), match="4"):
            small(detector, x, x.ids // 3)


def test_what_is_left_out_is_held_to_the_contract():
    x = vectors()

    class Wrong(Exact):
        answer = None

        def score_left_out(self, x, groups):
            return self.answer(x)

    for answer, error, text in (
        (lambda x: (np.zeros(3), {}), PluginError, r"score_left_out\(\) returned shape \(3,\)"),
        (lambda x: (np.full(40, np.nan), {}), ScoreError, "not finite"),
        (lambda x: (np.zeros(40), {}), ScoreError, "."),
        (lambda x: (np.arange(40.0), {"other": np.arange(40.0)}), PluginError, "gives other"),
        (lambda x: x.values.__setitem__(0, 0), PluginError, "changes its input"),
    ):
        Wrong.answer = staticmethod(answer)
        with pytest.raises(error, match=text):
            small(Wrong, x, details=("root",) * (text == "gives other"))
