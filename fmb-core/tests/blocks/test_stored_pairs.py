"""Pairs that stay where they lie: sums go through them in blocks, others get what they need."""

import numpy as np
import pytest

from fmb.blocks.stored import BLOCK_NUMBERS, FEWEST_ROWS, StoredPairs, blocks_of
from fmb.contract.names import VectorName
from fmb.contract.vector_view import VectorView
from fmb.contract.vectors import Pairs
from fmb.crossfit.fitted import score_each
from fmb.crossfit.scored import cross_fit, in_sample, rule
from fmb.messages.errors import DataError, ShapeError

NAMES = VectorName("m", "mean", "image"), VectorName("m", "mean", "spectrum")


def table(n, d, seed=0):
    return np.random.default_rng(seed).normal(size=(n, d)).astype("f4")


def stored(a, b, at_a, at_b, parts=3):
    """Objects 10, 11, ... whose vectors stand at places of two stores of several parts."""
    n = len(at_a)
    views = [
        VectorView(name, {}, n, np.arange(n), np.array_split(values, parts), np.asarray(at))
        for name, values, at in zip(NAMES, (a, b), (at_a, at_b), strict=True)
    ]
    ids = np.arange(n) + 10
    return StoredPairs(ids, *views, False, NAMES, {"magnitude": 20.0 + np.arange(n)})


def shuffled(n=300, d_a=4, d_b=3):
    """Pairs that are stored in another order in each view, and what they are."""
    a, b, random = table(n, d_a), table(n, d_b, 1), np.random.default_rng(2)
    at_a, at_b = random.permutation(n), random.permutation(n)
    return stored(a, b, at_a, at_b), a[at_a], b[at_b]


class Gap:
    """Squared distance of the two from the mean gap of the others, in plain numpy."""

    def fit(self, x):
        self.gap = (x.a[:, :3] - x.b).mean(axis=0, dtype=np.float64)

    def score(self, x):
        return ((x.a[:, :3] - x.b - self.gap) ** 2).sum(axis=1)

    def details(self, x):
        return {"brightness": 30 - x.columns["magnitude"]}


class SummedGap(Gap):
    """The same from sums."""

    def __init__(self):
        self.n, self.total = 0, 0.0

    def add(self, x):
        assert len(x.names) == 2
        self.n += len(x)
        self.total = self.total + (x.a[:, :3] - x.b).sum(axis=0, dtype=np.float64)

    fit = add

    def merge(self, other):
        self.n, self.total = self.n + other.n, self.total + other.total

    def score(self, x):
        self.gap = self.total / self.n
        return super().score(x)


def test_blocks_hold_each_pair_once_though_its_halves_are_stored_in_other_orders():
    x, a, b = shuffled()
    seen = []
    for rows, block in blocks_of(x):
        assert np.array_equal(block.a, a[rows])
        assert np.array_equal(block.b, b[rows])
        assert np.array_equal(block.ids, rows + 10)
        assert np.array_equal(block.columns["magnitude"], 20.0 + rows)
        assert (block.names, block.aligned) == (NAMES, False)
        seen += rows.tolist()
    assert sorted(seen) == list(range(300))
    whole = x.pairs()
    assert np.array_equal(whole.a, a)
    assert np.array_equal(whole.b, b)
    assert np.array_equal(whole.ids, x.ids)


@pytest.mark.parametrize("wide", ["a", "b"])
def test_no_block_of_pairs_is_larger_than_one_of_the_wider_vectors(wide):
    n, d = 3 * FEWEST_ROWS + 7, BLOCK_NUMBERS // FEWEST_ROWS
    widths = (d, 2) if wide == "a" else (2, d)
    a, b = (table(n, width) for width in widths)
    at = np.arange(n)
    sizes = [FEWEST_ROWS] * 3 + [7]
    x = stored(a, b, at, at, parts=1)
    assert [len(block) for _, block in blocks_of(x)] == sizes
    assert [len(block) for _, block in blocks_of(x.pairs())] == sizes
    assert all(np.shares_memory(block.a, a) for _, block in blocks_of(x))


def test_taking_pairs_reads_no_vector():
    nothing = np.empty((0, 4), "f4")
    x = stored(nothing, nothing, np.arange(300), np.arange(300))
    taken = x.take(x.ids % 2 == 0)
    assert taken.ids.tolist() == list(range(10, 310, 2))
    assert taken.columns["magnitude"].tolist() == [20.0 + i for i in range(0, 300, 2)]


def test_pairs_that_are_taken_stay_pairs():
    x, a, b = shuffled()
    rows = np.array([7, 3, 250])
    taken = x.take(rows).pairs()
    assert np.array_equal(taken.a, a[rows])
    assert np.array_equal(taken.b, b[rows])


@pytest.mark.parametrize("k", [2, 5])
@pytest.mark.parametrize("made", [Gap, SummedGap])
def test_stored_pairs_are_scored_as_gathered_ones(made, k):
    x, a, b = shuffled()
    plain = Pairs(x.ids, a, b, False, NAMES, x.columns)
    details = ("brightness",)
    expected = cross_fit(lambda i: Gap(), plain, x.ids, k, name="m", details=details)
    for given in (x, plain):
        got = cross_fit(lambda i: made(), given, x.ids, k, name="m", details=details)
        np.testing.assert_allclose(got.scores, expected.scores, rtol=1e-5)  # float32 differences
        assert got.details["brightness"].tolist() == (10.0 - np.arange(300)).tolist()
        new = x.take(np.arange(50))
        assert np.array_equal(
            score_each(got.detectors, new), score_each(got.detectors, new.pairs())
        )
    alone = in_sample(lambda i: made(), x, name="m").scores
    np.testing.assert_allclose(alone, in_sample(lambda i: Gap(), plain, name="m").scores, rtol=1e-5)


def test_a_rule_of_pairs_gets_all_of_them_in_the_order_of_the_ids():
    class First:
        def score(self, x):
            return (x.a[:, 0] - x.b[:, 0]).astype(np.float64)

    x, a, b = shuffled()
    assert np.array_equal(rule(lambda i: First(), x, name="m").scores, a[:, 0] - b[:, 0])


@pytest.mark.parametrize("made", [Gap, SummedGap])
@pytest.mark.parametrize("view", ["a", "b"])
def test_a_value_that_is_not_finite_is_named_in_whichever_view_it_is(made, view):
    a, b = table(300, 4), table(300, 3)
    (a if view == "a" else b)[[5, 7], 0] = np.nan
    x = stored(a, b, np.arange(300), np.arange(300))
    with pytest.raises(DataError, match=r"'m': 2 of 300 vectors .* \(15, 17\)"):
        cross_fit(lambda i: made(), x, x.ids, name="m")


def test_a_sum_fitted_to_pairs_refuses_other_widths_of_either_view():
    x, _, _ = shuffled()
    (fit, *_) = cross_fit(lambda i: SummedGap(), x, x.ids, name="m").detectors
    other, _, _ = shuffled(d_b=5)
    with pytest.raises(ShapeError, match="was fitted on d=4 and 3, got d=4 and 5"):
        fit.score(other.pairs())
