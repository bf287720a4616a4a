"""Detectors whose fit is a sum over objects: each seen once, scores as of the plain fit."""

from typing import ClassVar

import numpy as np
import pytest

from fmb.contract.vectors import Vectors
from fmb.crossfit.fitted import score_new
from fmb.crossfit.scored import cross_fit, in_sample
from fmb.messages.errors import DataError, PluginError, ShapeError


def vectors(n=100, d=3, seed=0):
    return Vectors(np.arange(n), np.random.default_rng(seed).normal(size=(n, d)).astype("f4"))


def fitted(detector, x=None, **options):
    x = vectors() if x is None else x
    return cross_fit(lambda fold: detector(), x, x.ids, name="mine", **options)


class Scatter:
    """Squared Mahalanobis distance: one fit from all objects at once."""

    def fit(self, x):
        values = x.values.astype(np.float64)
        self.mean = values.mean(axis=0)
        self.scatter = np.cov(values.T, bias=True)

    def score(self, x):
        away = x.values - self.mean
        return np.einsum("ij,ij->i", away @ np.linalg.inv(self.scatter), away)

    def details(self, x):
        return {"first": self.mean[0] + np.zeros(len(x))}


class SummedScatter(Scatter):
    """The same from sums: number, values and products."""

    rows_seen: ClassVar[list] = []

    def __init__(self):
        self.n, self.total, self.products = 0, 0.0, 0.0

    def add(self, x):
        self.rows_seen.extend(x.ids.tolist())
        values = x.values.astype(np.float64)
        self.n += len(values)
        self.total = self.total + values.sum(axis=0)
        self.products = self.products + values.T @ values

    def merge(self, other):
        self.n += other.n
        self.total, self.products = self.total + other.total, self.products + other.products

    fit = add

    def _settle(self):
        self.mean = self.total / self.n
        self.scatter = self.products / self.n - np.outer(self.mean, self.mean)

    def score(self, x):
        self._settle()
        return super().score(x)

    def details(self, x):
        self._settle()
        return super().details(x)


@pytest.fixture
def rows_seen(monkeypatch):
    seen = []
    monkeypatch.setattr(SummedScatter, "rows_seen", seen)
    return seen


@pytest.mark.parametrize("k", [2, 5])
def test_a_fit_that_is_a_sum_sees_each_object_once_and_scores_as_its_plain_twin(rows_seen, k):
    x = vectors(200)
    groups = x.ids // 3
    plain = cross_fit(lambda f: Scatter(), x, groups, k, name="m", details=("first",))
    summed = cross_fit(lambda f: SummedScatter(), x, groups, k, name="m", details=("first",))
    assert sorted(rows_seen) == x.ids.tolist()
    np.testing.assert_allclose(summed.scores, plain.scores, rtol=1e-12)
    np.testing.assert_allclose(summed.details["first"], plain.details["first"], rtol=1e-10)
    assert np.array_equal(summed.fold, plain.fold)
    new = vectors(50, seed=1)
    expected = score_new(plain.detectors, new)
    np.testing.assert_allclose(score_new(summed.detectors, new), expected, rtol=1e-12)


def test_a_sum_is_fitted_like_any_other_where_all_objects_are_taken(rows_seen):
    x = vectors(60)
    plain = in_sample(lambda f: Scatter(), x, name="m")
    summed = in_sample(lambda f: SummedScatter(), x, name="m")
    assert rows_seen == x.ids.tolist()
    np.testing.assert_allclose(summed.scores, plain.scores, rtol=1e-12)


def test_the_fit_of_a_sum_is_guarded_like_any_other():
    got = fitted(SummedScatter)
    with pytest.raises(ShapeError, match="fold 0 was fitted on d=3, got d=4"):
        got.detectors[0].score(vectors(d=4))
    holed = vectors()
    holed.values[7, 1] = np.nan
    with pytest.raises(DataError, match=r"detector 'mine': 1 of 100 vectors .* \(7\)"):
        fitted(SummedScatter, holed)
    with pytest.raises(DataError, match="detector 'mine': all 100 vectors are the same"):
        fitted(SummedScatter, Vectors(np.arange(100), np.ones((100, 3), "f4")))


def test_a_sum_that_writes_into_its_input_is_named():
    class Greedy(SummedScatter):
        def add(self, x):
            x.values[:] -= 1

    with pytest.raises(PluginError, match=r"part 0: add\(\) changes its input"):
        fitted(Greedy)
