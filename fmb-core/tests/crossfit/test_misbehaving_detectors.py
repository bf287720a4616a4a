"""What the core sees to for every detector: its input stays, its scores keep the contract."""

import numpy as np
import pandas as pd
import pytest

from fmb.contract.vectors import Vectors
from fmb.crossfit.scored import cross_fit, in_sample
from fmb.messages.errors import PluginError, ScoreError


class Distance:
    """Squared distance from the mean of what it was fitted on."""

    def fit(self, x):
        self.centre = x.values.mean(axis=0)

    def score(self, x):
        return ((x.values - self.centre) ** 2).sum(axis=1).astype(np.float64)


def vectors(n=100, d=3, seed=0):
    return Vectors(np.arange(n), np.random.default_rng(seed).normal(size=(n, d)).astype("f4"))


def fitted(detector, x=None, **options):
    x = vectors() if x is None else x
    return cross_fit(lambda fold: detector(), x, x.ids, name="mine", **options)


class Writes(Distance):
    def fit(self, x):
        x.values[:] -= x.values.mean(axis=0)


class WritesThroughTorch(Distance):
    def fit(self, x):
        pytest.importorskip("torch").from_numpy(x.values).sub_(1.0)


class WritesWhenScoring(Distance):
    def score(self, x):
        x.ids.sort()
        return super().score(x)


@pytest.mark.parametrize(
    ("bad", "stage"), [(Writes, "fit"), (WritesThroughTorch, "fit"), (WritesWhenScoring, "score")]
)
@pytest.mark.filterwarnings("ignore:The given NumPy array is not writable")
def test_a_detector_that_changes_its_input_is_named(bad, stage):
    x = vectors()
    with pytest.raises(
        PluginError, match=rf"detector 'mine', fold 0: {stage}\(\) changes its input"
    ):
        fitted(bad, x)
    with pytest.raises(PluginError, match=rf"detector 'mine': {stage}\(\) changes its input"):
        in_sample(lambda fold: bad(), vectors(), name="mine")
    assert np.array_equal(x.values, vectors().values)


def returns(change):
    class Changed(Distance):
        def score(self, x):
            return change(super().score(x))

    return Changed


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda s: s[:-1], r"returned shape \(19,\) for 20 objects"),
        (lambda s: s[:, None], r"returned shape \(20, 1\) for 20 objects"),
        (lambda s: s.astype("f4"), "returned a float32 array; return a NumPy array of float64"),
        (lambda s: s.tolist(), "returned a list"),
        (lambda s: None, "returned a NoneType"),
        (pd.Series, "returned a Series"),
    ],
)
def test_scores_of_another_form_are_refused(change, message):
    with pytest.raises(PluginError, match=f"detector 'mine', fold 0: .*{message}"):
        fitted(returns(change))


def test_scores_that_are_not_finite_name_detector_fold_and_objects():
    with pytest.raises(
        ScoreError, match=r"detector 'mine', fold 0: 20 of 20 scores .*first: \d+, "
    ):
        fitted(returns(lambda s: s * np.nan))


def test_constant_scores_are_refused_in_every_form():
    class EachFitItsOwn(Distance):
        def score(self, x):
            return np.full(len(x), float(self.centre[0]))

    with pytest.raises(ScoreError, match="same score"):
        fitted(returns(np.zeros_like))
    with pytest.raises(ScoreError, match="same score"):
        in_sample(lambda fold: returns(np.zeros_like)(), vectors(), name="mine")
    with pytest.raises(ScoreError, match="fold 0: all 20 objects"):
        fitted(EachFitItsOwn)
    with pytest.raises(ScoreError, match="tells fits apart, not objects"):
        fitted(EachFitItsOwn, vectors(20))


def test_a_small_fold_may_hold_equal_scores():
    values = np.zeros((10, 1), dtype="f4")
    values[:2] = 5.0  # nine of ten folds then hold one object each, or equal ones
    assert fitted(Distance, Vectors(np.arange(10), values), k=3).scores.max() > 1


def test_a_bug_in_a_detector_keeps_its_own_error_and_says_where():
    class Buggy(Distance):
        def score(self, x):
            return {}["missing"]

    with pytest.raises(KeyError) as caught:
        fitted(Buggy)
    assert caught.value.__notes__ == ["raised in score() of detector 'mine', fold 0"]
