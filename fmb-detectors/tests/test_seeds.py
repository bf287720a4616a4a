"""Scores of several seeds become one by rank, whatever else is scored."""

import numpy as np
import pytest

from fmb_detectors.seeds import RankMean, seed_of


def draws(seeds, n, seed=0):
    return np.random.default_rng(seed).normal(size=(seeds, n))


def test_places_of_four_rows_by_hand():
    mean = RankMean.of(np.array([[1.0, 2.0, 3.0, 4.0], [10.0, 40.0, 30.0, 20.0]]))
    score, spread = mean.of_objects(np.array([[2.0, 5.0], [40.0, 60.0]]))
    # Places 0.375 and 0.875: their mean 0.625 is the third of four, read off (1 + 10) / 2 ...
    # (3 + 30) / 2; beyond the last, (4 + 40) / 2, lie the second object's 1 and 20.
    assert score == pytest.approx([16.5, 22 + 10.5])
    assert spread == pytest.approx([0.25, 0.0])


def test_one_seed_is_left_as_it_is_within_its_scale_and_beyond():
    mean = RankMean(np.sort(draws(1, 50)), 1.0)
    new = 3 * draws(1, 200, seed=1)
    assert (np.abs(new) > np.abs(mean.scales).max()).any()
    score, spread = mean.of_objects(new)
    np.testing.assert_allclose(score, new[0], rtol=0, atol=1e-12)
    assert (spread == 0).all()


def test_a_seed_whose_scores_spread_more_counts_no_more():
    first, second = draws(2, 400)
    new = draws(2, 100, seed=1).clip(-2, 2)  # places lie within both scales
    even = RankMean.of(np.stack([first, second])).of_objects(new)
    wide = RankMean.of(np.stack([first, 1000 * second])).of_objects(new * [[1], [1000]])
    assert np.array_equal(np.argsort(even[0]), np.argsort(wide[0]))
    np.testing.assert_allclose(even[1], wide[1], rtol=0, atol=1e-12)


def test_no_object_depends_on_the_others():
    mean = RankMean.of(draws(3, 100))
    new = draws(3, 40, seed=1)
    whole = mean.of_objects(new)
    part = mean.of_objects(new[:, 7:9])
    for a, b in zip(whole, part, strict=True):
        assert np.array_equal(a[7:9], b)


def test_what_is_strangest_of_all_to_every_seed_keeps_its_order():
    mean = RankMean.of(draws(3, 100))
    score, _ = mean.of_objects(np.array([[10.0, 20.0, 30.0]] * 3))
    assert np.diff(score) == pytest.approx(10)


def test_the_share_of_the_top_that_seeds_have_in_common_is_counted_by_pairs():
    scores = np.tile(np.arange(2000.0), (3, 1))  # the top 100 are rows 1900 .. 1999
    scores[1, 1900:1950] = -1.0  # half of them go, in one seed of three
    assert RankMean.of(scores).kept == pytest.approx((0.5 + 1.0 + 0.5) / 3)
    assert RankMean.of(scores[:, ::100]).kept == pytest.approx((0.5 + 1.0 + 0.5) / 3)  # two rows


def test_the_first_seed_is_the_detectors_own_and_no_other_is_its_neighbours():
    assert seed_of(7, 0) == 7
    seeds = {seed_of(seed, i) for seed in (7, 8, 2**63 - 1) for i in range(5)}
    assert len(seeds) == 15
    assert all(0 <= seed < 2**63 for seed in seeds)
