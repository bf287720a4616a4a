"""Scores of strata are put on the scale of the largest by their place among their like."""

import numpy as np
import pytest

from fmb import ShapeError
from fmb.scoring.ranking import percentile, rank
from fmb.scoring.strata import on_one_scale


def test_scores_of_the_largest_stratum_stay_and_others_get_those_of_their_places():
    scores = [10.0, 20.0, 30.0, 40.0, -7.0, -9.0]
    pooled = on_one_scale(scores, ["a", "a", "a", "a", "b", "b"])
    # Of two objects the places are 1/4 and 3/4; of four 1/8, 3/8, 5/8, 7/8, so they lie between.
    np.testing.assert_allclose(pooled, [10, 20, 30, 40, 35, 15])


def test_one_stratum_is_its_own_scale():
    scores = np.array([3.0, 1.0, 2.0])
    pooled = on_one_scale(scores, [0, 0, 0])
    assert pooled.tolist() == [3, 1, 2]
    assert pooled is not scores


def test_a_stratum_owns_its_share_of_the_top_whatever_its_scores_are():
    rng = np.random.default_rng(0)
    stratum = np.repeat([0, 1], [8_000, 2_000])
    scores = rng.normal(size=10_000) + 100 * stratum
    pooled = on_one_scale(scores, stratum)
    top = percentile(rank(pooled), 10_000) > 0.95
    assert abs(int(stratum[top].sum()) - 100) <= 1  # 2,000 of 10,000 own 100 of the top 500
    for one in (0, 1):
        inside = stratum == one
        assert (np.argsort(pooled[inside]) == np.argsort(scores[inside])).all()


def test_a_single_object_of_its_kind_stands_in_the_middle():
    pooled = on_one_scale([1.0, 2.0, 3.0, 1e9], [0, 0, 0, 1])
    assert pooled[3] == 2


def test_equal_scores_of_a_stratum_stay_equal():
    pooled = on_one_scale([0.0, 1.0, 2.0, 5.0, 5.0], [0, 0, 0, 1, 1])
    assert pooled[3] == pooled[4] == 1


def test_arrays_of_different_lengths_are_refused():
    with pytest.raises(ShapeError, match="3 scores and 2 strata do not fit together"):
        on_one_scale([1.0, 2.0, 3.0], [0, 1])


def test_copies_get_a_place_among_their_like_and_make_none():
    scores, stratum = [1.0, 2.0, 3.0, 4.0, 10.0, 20.0], [0, 0, 0, 0, 1, 1]
    alone = on_one_scale(scores, stratum)
    beside = on_one_scale([*scores, 15.0, 99.0], [*stratum, 1, 1], [False] * 6 + [True] * 2)
    assert beside[:6].tolist() == alone.tolist()
    # Between two of two and above both: places 1/2 and 1 of four scores at 1/8, 3/8, 5/8, 7/8.
    assert beside[6:].tolist() == [2.5, 4.0]
