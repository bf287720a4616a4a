"""Percentiles among alike: equal to a search by hand, whatever the roles know."""

import numpy as np
import pytest

from fmb.messages.errors import ShapeError
from fmb.scoring.alike import percentile_among_alike


def by_hand(ranks, roles, k, asked=slice(None)):
    """All distances of standardised roles, sorted; the share of the k nearest no stranger."""
    centre = np.median(roles, axis=0)
    spread = 1.4826 * np.median(abs(roles - centre), axis=0)
    points = np.clip((roles - centre) / spread, -3, 3)
    expected = []
    for row, point in zip(np.arange(len(points))[asked], points[asked], strict=True):
        near = np.argsort(((points - point) ** 2).sum(axis=1), kind="stable")[:k]
        expected.append((ranks[near] >= ranks[row]).mean())
    return np.array(expected)


@pytest.fixture
def rng():
    return np.random.default_rng(3)


def test_it_is_the_share_of_the_nearest_that_are_no_stranger(rng):
    ranks, roles = rng.permutation(800) + 1.0, rng.normal(size=(800, 3)) * [1, 100, 1e-3]
    found = percentile_among_alike(ranks, roles, neighbours=50)
    np.testing.assert_allclose(found, by_hand(ranks, roles, 50))


def test_a_long_list_has_the_same_for_its_first_and_nothing_for_the_rest(rng):
    n = 10_500  # more than all distances are computed of
    ranks, roles = rng.permutation(n) + 1.0, rng.normal(size=(n, 2))
    found = percentile_among_alike(ranks, roles, at_most=300)
    first = ranks <= 300
    assert np.isnan(found[~first]).all()
    np.testing.assert_allclose(found[first], by_hand(ranks, roles, 500, first))


def test_an_object_that_is_strange_for_its_kind_stands_high_among_its_like(rng):
    magnitude = rng.uniform(18, 24, 4000)
    scores = -magnitude + rng.normal(0, 0.05, 4000)  # bright ones lead the list
    faint = np.flatnonzero(magnitude > 22)[:5]
    scores[faint] += 1  # twenty times the scatter, and far from the head
    ranks = (-scores).argsort().argsort() + 1.0
    found = percentile_among_alike(ranks, magnitude[:, None])
    assert (found[faint] > 0.8).all()
    assert (1 - (ranks[faint] - 1) / 4000 < 0.6).all()
    # Without an effect of magnitude percentiles among alike are those of uniform numbers.
    shuffled = percentile_among_alike(rng.permutation(ranks), magnitude[:, None])
    assert abs(shuffled.mean() - 0.5) < 0.02


def test_objects_that_are_all_alike_have_the_percentile_of_those_they_are_compared_with():
    ranks = np.arange(1.0, 601.0)
    found = percentile_among_alike(ranks, np.zeros((600, 1)), neighbours=600)
    np.testing.assert_allclose(found, (600 - ranks + 1) / 600)
    # Of equal ranks each has the mean place: of k = 600 that is 300.5.
    tied = percentile_among_alike(np.full(600, 300.5), np.zeros((600, 1)), neighbours=600)
    np.testing.assert_allclose(tied, (600 - 300.5 + 1) / 600)


@pytest.mark.parametrize("n", [700, 10_700])
def test_an_object_is_always_among_its_own_like(n):
    # So many equal ones that a search could return others only: rank 1 is then no longer first.
    found = percentile_among_alike(np.arange(1.0, n + 1), np.zeros((n, 1)), at_most=700)[:700]
    assert found.min() >= 1 / 500
    assert found[0] == 1


def test_strata_are_not_compared(rng):
    ranks, roles = rng.permutation(1200) + 1.0, rng.normal(size=(1200, 2))
    strata = np.array(["a", "b"])[np.arange(1200) % 2]
    found = percentile_among_alike(ranks, roles, strata)
    for name in ("a", "b"):
        alone = percentile_among_alike(ranks[strata == name], roles[strata == name])
        np.testing.assert_array_equal(found[strata == name], alone)


def test_objects_are_compared_in_the_roles_they_know(rng):
    ranks, roles = rng.permutation(1500) + 1.0, rng.normal(size=(1500, 2))
    roles[:300, 1] = np.nan
    roles[300] = np.nan
    found = percentile_among_alike(ranks, roles)
    assert np.flatnonzero(np.isnan(found)).tolist() == [300]
    knows_first = np.isfinite(roles[:, 0])
    first = percentile_among_alike(ranks[knows_first], roles[knows_first][:, :1])
    np.testing.assert_allclose(found[:300], first[:300])
    knows_both = np.isfinite(roles).all(axis=1)
    both = percentile_among_alike(ranks[knows_both], roles[knows_both])
    np.testing.assert_allclose(found[knows_both], both)


def test_with_fewer_likes_than_are_compared_there_is_no_number(rng):
    found = percentile_among_alike(np.arange(1.0, 500), rng.normal(size=(499, 1)))
    assert np.isnan(found).all()
    assert np.isnan(percentile_among_alike(np.arange(1.0, 601), np.empty((600, 0)))).all()


def test_one_broken_value_does_not_make_an_object_unlike_all(rng):
    ranks, roles = rng.permutation(900) + 1.0, rng.normal(size=(900, 2))
    far, wild = roles.copy(), roles.copy()
    far[0, 0], wild[0, 0] = 10, 1e12
    np.testing.assert_allclose(
        percentile_among_alike(ranks, wild)[0], percentile_among_alike(ranks, far)[0]
    )


def test_arrays_of_different_lengths_are_refused():
    with pytest.raises(ShapeError, match=r"3 ranks, roles of shape \(2, 1\) and 3 strata"):
        percentile_among_alike(np.ones(3), np.ones((2, 1)))
