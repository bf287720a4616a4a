"""Ranks and percentiles."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import rankdata

from fmb.messages.errors import ScoreError, ShapeError
from fmb.scoring.ranking import check_scores, describe, percentile, rank, rank_survey

examples = settings(max_examples=50, deadline=None)

scores_lists = st.lists(st.integers(-5, 5).map(float), min_size=1, max_size=40)


@examples
@given(scores_lists)
def test_ranks_are_those_of_scipy_from_the_strange_end(scores):
    assert np.array_equal(rank(scores), rankdata([-s for s in scores]))


@examples
@given(scores_lists)
def test_percentiles_lie_above_zero_and_reach_at_most_one(scores):
    got = percentile(rank(scores), len(scores))
    assert (got > 0).all()
    assert (got <= 1).all()


def test_the_strangest_of_four_has_percentile_one_and_the_plainest_a_quarter():
    assert percentile(rank([3.0, 9.0, 1.0, 4.0]), 4).tolist() == [0.5, 1.0, 0.25, 0.75]


def test_ranks_of_another_list_are_refused():
    with pytest.raises(ShapeError, match="rank again after a join"):
        percentile([1.0, 900.0], 500)


def test_an_empty_list_has_no_ranks():
    assert len(percentile(rank([]), 0)) == 0


@examples
@given(st.data())
def test_the_order_of_rows_changes_no_rank_and_no_list(data):
    n = data.draw(st.integers(1, 25))
    integers = st.integers(0, 6)
    scores = np.array(data.draw(st.lists(integers, min_size=n, max_size=n)), dtype=float)
    groups = np.array(data.draw(st.lists(integers, min_size=n, max_size=n)))
    ids = np.array(data.draw(st.permutations(range(-3, n - 3))))
    at = np.array(data.draw(st.permutations(range(n))))
    a = rank_survey(ids, scores, groups)
    b = rank_survey(ids[at], scores[at], groups[at])
    assert np.array_equal(a.rank[at], b.rank)
    assert np.array_equal(a.repeat[at], b.repeat)
    assert np.array_equal(ids[a.order], ids[at][b.order])


def test_a_group_ranks_once_by_its_strangest_member():
    got = rank_survey([1, 2, 3, 4, 5], [5.0, 9.0, 7.0, 8.0, 1.0], ["a", "b", "c", "b", "a"])
    # The list is b (9), c (7), a (5): three sources.
    assert got.rank.tolist() == [3, 1, 2, 1, 3]
    assert got.percentile.tolist() == [1 / 3, 1, 2 / 3, 1, 1 / 3]
    assert got.repeat.tolist() == [False, False, False, True, True]
    assert got.order.tolist() == [1, 2, 0]
    assert got.n == 3


def test_equal_scores_are_listed_by_id_and_share_a_rank():
    got = rank_survey(np.array(["c", "a", "b"]), [1.0, 1.0, 1.0])
    assert got.rank.tolist() == [2, 2, 2]
    assert got.order.tolist() == [1, 2, 0]


def test_equal_repeats_are_listed_under_the_smallest_id():
    got = rank_survey([30, 10, 20], [1.0, 1.0, 0.0], [7, 7, 8])
    assert got.order.tolist() == [1, 2]


def test_nineteen_digit_ids_keep_their_order():
    ids = np.array([2**63 + 1, 2**63], dtype=np.uint64)  # one and the same float64
    assert rank_survey(ids, [0.0, 0.0]).order.tolist() == [1, 0]


def test_arrays_of_different_length_are_refused():
    with pytest.raises(ShapeError, match="2 ids, 3 scores and 2 groups"):
        rank_survey([1, 2], [1.0, 2.0, 3.0])


@pytest.mark.parametrize(
    ("place", "n", "text"),
    [
        (27, 90_000, "top 0.03 % (27 of 90,000)"),
        (1, 10_000_000, "top 0.00001 % (1 of 10,000,000)"),
        (1, 28, "top 3.6 % (1 of 28)"),
        (1234.5, 2000, "top 62 % (1,234.5 of 2,000)"),
        (2000, 2000, "top 100 % (2,000 of 2,000)"),
    ],
)
def test_a_place_reads_as_a_sentence(place, n, text):
    assert describe(place, n) == text


def test_scores_that_are_not_finite_are_counted_and_named():
    scores = np.array([1.0, np.nan, 2.0, np.inf, -np.inf, np.nan])
    ids = np.arange(6) * 10
    with pytest.raises(ScoreError) as caught:
        check_scores(scores, ids, "detector 'x'")
    assert "detector 'x': 4 of 6 scores are not finite (first: 10, 30, 40, ...)" in str(
        caught.value
    )


def test_a_constant_score_is_an_error():
    with pytest.raises(ScoreError, match=r"all 3 objects .* same score 2;"):
        check_scores(np.full(3, 2.0), np.arange(3), "detector 'x'")


def test_a_score_of_one_object_is_not_constant():
    check_scores(np.array([2.0]), np.array([1]), "detector 'x'")


def test_ranks_of_missing_scores_do_not_exist():
    with pytest.raises(ScoreError, match="1 of 2 scores"):
        rank([1.0, np.nan])


@examples
@given(
    st.lists(st.integers(-3, 3).map(float), min_size=2, max_size=20),
    st.lists(st.tuples(st.integers(0, 25), st.integers(-4, 4)), min_size=1, max_size=10),
)
def test_a_copy_gets_the_rank_it_would_have_in_place_of_its_host(hosts, planted):
    n = len(hosts)
    sources = [*range(n), *(host for host, _ in planted)]
    values = [*hosts, *(float(score) for _, score in planted)]
    copies = np.arange(len(values)) >= n
    got = rank_survey(np.arange(len(values)), values, sources, copies)
    alone = rank_survey(np.arange(n), hosts)
    assert np.array_equal(got.rank[:n], alone.rank)
    assert np.array_equal(got.order, alone.order)
    assert got.n == n
    assert got.repeat.tolist() == copies.tolist()
    for row, (host, score) in enumerate(planted, start=n):
        others = [s for i, s in enumerate(hosts) if i != host]
        place = rankdata([-score, *(-s for s in others)])[0]
        assert got.rank[row] == min(place, n)
        assert got.percentile[row] == (n - got.rank[row] + 1) / n


def test_a_list_of_copies_only_is_refused():
    with pytest.raises(ShapeError, match="all 2 objects are changed copies"):
        rank_survey([1, 2], [0.0, 1.0], [1, 1], [True, True])
