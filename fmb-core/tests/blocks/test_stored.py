"""Vectors that stay where they lie: sums go through them in blocks, others get what they need."""

import gc
import weakref

import numpy as np
import pytest

from fmb.blocks.stored import BLOCK_NUMBERS, FEWEST_ROWS, Stored, blocks_of
from fmb.contract.names import VectorName
from fmb.contract.vector_view import VectorView
from fmb.contract.vectors import Vectors
from fmb.crossfit.fitted import score_each
from fmb.crossfit.scored import cross_fit, in_sample, rule
from fmb.messages.errors import DataError

NAME = VectorName("m", "mean", "image")


def table(n, d=4, seed=0):
    return np.random.default_rng(seed).normal(size=(n, d)).astype("f4")


def stored(parts, at):
    """Objects 10, 11, ... whose vectors stand at places of the parts laid end to end."""
    at = np.asarray(at)
    rows = np.arange(len(at))
    columns = {"magnitude": 20.0 + rows}
    return Stored(rows + 10, VectorView(NAME, {}, len(at), rows, parts, at), columns)


def shuffled(n=300, d=4, parts=3):
    values = table(n, d)
    return stored(np.array_split(values, parts), np.random.default_rng(1).permutation(n)), values


class Farthest:
    """Squared distance from the mean of the others, in plain numpy."""

    def fit(self, x):
        self.centre = x.values.mean(axis=0, dtype=np.float64)

    def score(self, x):
        return ((x.values - self.centre) ** 2).sum(axis=1)

    def details(self, x):
        return {"brightness": 30 - x.columns["magnitude"]}


class Summed(Farthest):
    """The same from sums."""

    def __init__(self):
        self.n, self.total = 0, 0.0

    def add(self, x):
        self.n, self.total = self.n + len(x), self.total + x.values.sum(axis=0, dtype=np.float64)

    fit = add

    def merge(self, other):
        self.n, self.total = self.n + other.n, self.total + other.total

    def score(self, x):
        self.centre = self.total / self.n
        return super().score(x)


class Both(Summed):
    """The same, scores and details in one go; nobody asks for one of them."""

    def score(self, x):
        raise AssertionError("asked for scores alone")

    def details(self, x):
        raise AssertionError("asked for details alone")

    def score_with_details(self, x):
        return Summed.score(self, x), Farthest.details(self, x)


def test_blocks_hold_each_object_once_with_its_own_vector_and_columns():
    x, values = shuffled()
    seen = []
    for rows, block in blocks_of(x):
        assert np.array_equal(block.values, values[x.view.at[rows]])
        assert np.array_equal(block.ids, rows + 10)
        assert np.array_equal(block.columns["magnitude"], 20.0 + rows)
        seen += rows.tolist()
    assert sorted(seen) == list(range(300))
    whole = x.vectors()
    assert np.array_equal(whole.values, values[x.view.at])
    assert np.array_equal(whole.ids, x.ids)


def test_rows_that_follow_each_other_in_the_file_come_without_a_copy_and_no_block_is_large():
    n, d = 3 * FEWEST_ROWS + 7, BLOCK_NUMBERS // FEWEST_ROWS
    values = table(n, d)
    blocks = list(blocks_of(stored([values], np.arange(n))))
    assert [len(block) for _, block in blocks] == [FEWEST_ROWS] * 3 + [7]
    assert all(np.shares_memory(block.values, values) for _, block in blocks)


def test_objects_that_share_a_stored_vector_all_get_it():
    values = table(3)
    ((rows, block),) = blocks_of(stored([values], [0, 2, 0]))
    assert np.array_equal(block.values, values[np.array([0, 2, 0])[rows]])


def test_taking_objects_reads_no_vector():
    x = stored([np.empty((0, 4), "f4")], np.arange(300))  # there is nothing to read
    taken = x.take(x.ids % 2 == 0)
    assert taken.ids.tolist() == list(range(10, 310, 2))
    assert taken.columns["magnitude"].tolist() == [20.0 + i for i in range(0, 300, 2)]


@pytest.mark.parametrize("k", [2, 5])
@pytest.mark.parametrize("made", [Farthest, Summed, Both])
def test_stored_vectors_are_scored_as_gathered_ones(made, k):
    x, _ = shuffled()
    plain = cross_fit(
        lambda i: Farthest(), x.vectors(), x.ids, k, name="m", details=("brightness",)
    )
    got = cross_fit(lambda i: made(), x, x.ids, k, name="m", details=("brightness",))
    assert np.array_equal(got.fold, plain.fold)
    np.testing.assert_allclose(got.scores, plain.scores, rtol=1e-12)
    assert got.details["brightness"].tolist() == (10.0 - np.arange(300)).tolist()
    alone = in_sample(lambda i: made(), x, name="m", details=("brightness",))
    expected = in_sample(lambda i: Farthest(), x.vectors(), name="m").scores
    np.testing.assert_allclose(alone.scores, expected, rtol=1e-12)
    assert alone.details["brightness"].tolist() == (10.0 - np.arange(300)).tolist()


@pytest.mark.parametrize("made", [Farthest, Summed])
def test_the_reference_is_scored_by_each_fit_wherever_it_lies(made):
    x, _ = shuffled()
    fits = cross_fit(lambda i: made(), x, x.ids, 3, name="m").detectors
    new = stored([table(50, seed=5)], np.arange(50)[::-1])
    assert np.array_equal(score_each(fits, new), score_each(fits, new.vectors()))


def test_a_rule_gets_all_of_them_in_the_order_of_the_ids():
    class First:
        def score(self, x):
            return x.values[:, 0].astype(np.float64)

    x, values = shuffled()
    assert rule(lambda i: First(), x, name="m").scores.tolist() == values[x.view.at, 0].tolist()


def test_one_that_knows_nothing_of_sums_holds_one_sample_at_a_time():
    samples = []

    class Watchful(Farthest):
        def fit(self, x):
            gc.collect()
            assert [ref() for ref in samples] == [None] * len(samples)
            samples.append(weakref.ref(x.values.base))
            super().fit(x)

    x, _ = shuffled()
    assert len(cross_fit(lambda i: Watchful(), x, x.ids, name="m").detectors) == 5


@pytest.mark.parametrize("made", [Farthest, Summed])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_value_that_is_not_finite_is_counted_over_all_blocks(made, value):
    values = table(3 * FEWEST_ROWS, BLOCK_NUMBERS // FEWEST_ROWS)
    at = np.arange(len(values))[::-1]
    values[[5, 2000, 2001], [0, 7, 3]] = value
    x = stored([values], at)
    ids = ", ".join(str(i) for i in sorted(10 + len(values) - 1 - np.array([5, 2000, 2001])))
    with pytest.raises(DataError, match=rf"'m': 3 of {len(values)} vectors .* \({ids}\)"):
        cross_fit(lambda i: made(), x, x.ids, name="m")


def test_values_whose_sum_is_too_large_for_float32_are_finite():
    values = np.full((40, 2), 3e38, "f4")
    values[::2] = 2e38
    x = stored([values], np.arange(40))
    assert np.isfinite(cross_fit(lambda i: Summed(), x, x.ids, name="m").scores).all()


def test_vectors_that_are_all_alike_over_all_blocks_are_refused():
    values = np.ones((2 * FEWEST_ROWS, BLOCK_NUMBERS // FEWEST_ROWS), "f4")
    x = stored([values], np.arange(len(values)))
    with pytest.raises(DataError, match=f"all {len(values)} vectors are the same"):
        cross_fit(lambda i: Summed(), x, x.ids, name="m")
    values[FEWEST_ROWS:] = table(FEWEST_ROWS, values.shape[1])
    assert np.ptp(cross_fit(lambda i: Summed(), x, x.ids, name="m").scores) > 0


def test_a_fold_of_a_sum_too_small_to_fit_is_refused():
    x = Vectors(np.arange(2), table(2))
    with pytest.raises(DataError, match="fold 0: got 1 vectors of dimension 4"):
        cross_fit(lambda i: Summed(), x, x.ids, 2, name="m", folds=[0, 1])


def test_fits_side_by_side_are_told_as_they_get_on():
    told = []
    values = table(5 * FEWEST_ROWS, BLOCK_NUMBERS // FEWEST_ROWS)
    x = stored([values], np.arange(len(values)))
    cross_fit(lambda i: Summed(), x, x.ids, name="m", told=told.append)
    assert told == [1, 2, 3, 4, 5]
