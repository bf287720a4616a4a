"""Detectors that fit together: all folds in one call, guarded and scored like any other."""

import gc
import weakref

import numpy as np
import pytest

from fmb.contract.names import VectorName
from fmb.contract.vectors import Pairs, Vectors
from fmb.crossfit.fitted import score_new
from fmb.crossfit.scored import cross_fit, in_sample
from fmb.messages.errors import DataError, PluginError, ShapeError


class Distance:
    """Squared distance from the mean, in units that depend on the fold."""

    def __init__(self, fold=0):
        self.unit = 1.0 + fold / 10

    def fit(self, x):
        self.centre = x.values.mean(axis=0, dtype=np.float64)

    def score(self, x):
        return ((x.values - self.centre) ** 2).sum(axis=1) * self.unit

    def details(self, x):
        return {"first": self.centre[0] + np.zeros(len(x))}


class Together(Distance):
    """The same, all in one call."""

    def fit(self, x):
        raise AssertionError("fitted alone")

    @staticmethod
    def fit_together(detectors, samples):
        for detector, x in zip(detectors, samples, strict=True):
            Distance.fit(detector, x)


def vectors(n=100, d=3, seed=0):
    return Vectors(np.arange(n), np.random.default_rng(seed).normal(size=(n, d)).astype("f4"))


def fitted(detector, x=None, **options):
    x = vectors() if x is None else x
    return cross_fit(detector, x, x.ids, name="mine", **options)


@pytest.mark.parametrize("k", [2, 5])
def test_folds_that_are_fitted_in_one_call_score_as_one_by_one(k):
    plain, joint = (fitted(d, vectors(203), k=k, details=("first",)) for d in (Distance, Together))
    assert np.array_equal(joint.scores, plain.scores)
    assert np.array_equal(joint.details["first"], plain.details["first"])
    assert np.array_equal(joint.fold, plain.fold)
    new = vectors(50, seed=1)
    expected = score_new(plain.detectors, new)
    assert np.array_equal(score_new(joint.detectors, new), expected)


def test_one_fit_to_all_objects_is_a_plain_one():
    class Both(Together):
        fit = Distance.fit

        @staticmethod
        def fit_together(detectors, samples):
            raise AssertionError("one fit is no company")

    x = vectors()
    assert np.array_equal(
        in_sample(Both, x, name="m").scores, in_sample(Distance, x, name="m").scores
    )


def test_pairs_are_fitted_together_too():
    class Gap(Together):
        @staticmethod
        def fit_together(detectors, samples):
            for detector, x in zip(detectors, samples, strict=True):
                detector.seen = set(x.ids.tolist())

        def score(self, x):
            assert not self.seen & set(x.ids.tolist())
            return np.abs(x.a - x.b).sum(axis=1).astype(np.float64)

    names = (VectorName("m", "mean", "image"), VectorName("m", "mean", "spectrum"))
    a, b = np.random.default_rng(0).normal(size=(2, 40, 3)).astype("f4")
    got = fitted(Gap, Pairs(np.arange(40), a, b, True, names))
    assert np.allclose(got.scores, np.abs(a - b).sum(axis=1), rtol=1e-6)


def test_a_sample_is_made_when_the_one_before_has_been_let_go():
    made, folds = [], 5

    class Watched(Vectors):
        def take(self, rows):
            if len(made) < folds:
                gc.collect()
                assert [ref() for ref in made] == [None] * len(made)
            sample = super().take(rows)
            made.append(weakref.ref(sample.values))
            return sample

    class Frugal(Together):
        @staticmethod
        def fit_together(detectors, samples):
            list(map(Distance.fit, detectors, samples))

    x = vectors()
    assert len(fitted(Frugal, Watched(x.ids, x.values), k=folds).detectors) == folds


def test_what_is_fitted_together_is_guarded_like_any_other():
    with pytest.raises(ShapeError, match="fold 0 was fitted on d=3, got d=4"):
        fitted(Together).detectors[0].score(vectors(d=4))
    holed = vectors()
    holed.values[7, 1] = np.nan
    with pytest.raises(DataError, match=r"detector 'mine': 1 of 100 vectors .* \(7\)"):
        fitted(Together, holed)
    with pytest.raises(DataError, match=r"fold 0: all \d+ vectors are the same"):
        fitted(Together, Vectors(np.arange(100), np.ones((100, 3), "f4")))


@pytest.mark.filterwarnings("ignore:.*not writable")  # torch says so once in a process
def test_one_that_writes_into_a_sample_is_named():
    class Greedy(Together):
        @staticmethod
        def fit_together(detectors, samples):
            for x in samples:
                x.values[:] -= 1

    class ThroughTorch(Together):
        @staticmethod
        def fit_together(detectors, samples):
            for detector, x in zip(detectors, samples, strict=True):
                Distance.fit(detector, x)
                if detector is detectors[-1]:
                    pytest.importorskip("torch").from_numpy(x.values).sub_(1.0)

    with pytest.raises(PluginError, match=r"'mine': fit_together\(\) changes its input"):
        fitted(Greedy)
    changes = r"'mine', fold 4: fit_together\(\) changes its input"
    with pytest.raises(PluginError, match=changes):
        fitted(ThroughTorch)


@pytest.mark.parametrize("taken", [0, 3])
def test_one_that_leaves_samples_untaken_is_told_how_many(taken):
    class Lazy(Together):
        @staticmethod
        def fit_together(detectors, samples):
            for detector in detectors[:taken]:
                Distance.fit(detector, next(samples))

    with pytest.raises(PluginError, match=f"takes {taken} of 5 samples; fit each"):
        fitted(Lazy)


def test_a_bug_keeps_its_own_error_and_says_where():
    class Buggy(Together):
        @staticmethod
        def fit_together(detectors, samples):
            return {}["missing"]

    with pytest.raises(KeyError) as caught:
        fitted(Buggy)
    assert caught.value.__notes__ == ["raised in fit_together() of detector 'mine'"]
