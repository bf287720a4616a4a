"""The level of scores along roles: a regression of them, and one of how far they are off it."""

import numpy as np
import pytest

from fmb.conditioning.level import fit_level


def scores_of(n=4000, seed=0):
    """Columns 1, z, z^2 and scores whose roots are 9 + 2 z + z^2 and spread by e^(z / 2)."""
    rng = np.random.default_rng(seed)
    z = rng.uniform(-1, 1, n)
    noise = rng.normal(size=n)
    return (
        np.column_stack([np.ones(n), z, z**2]),
        (9 + 2 * z + z**2 + np.exp(z / 2) * noise) ** 2,
        noise,
    )


def left_of(scores, columns):
    return fit_level(scores, columns, [columns.shape[1]])(scores, columns)


def test_scores_without_their_level_are_as_strange_as_their_noise():
    """In its units too; to what regressions of 4,000 on three columns leave, 4 % of its scale."""
    columns, scores, noise = scores_of()
    left = left_of(scores, columns)
    assert np.corrcoef(left, noise)[0, 1] > 0.99
    near, far = (np.std(left[side]) for side in (columns[:, 1] < -0.5, columns[:, 1] > 0.5))
    assert abs(np.log(far / near)) < 0.15  # e^(3/4) before, a log of 0.75; error of a std 0.022
    assert left.mean() == pytest.approx(0, abs=0.05)
    assert left.std() == pytest.approx(1, abs=0.05)


def test_the_unit_of_scores_and_where_they_begin_play_no_part():
    columns, scores, _ = scores_of()
    left = left_of(scores, columns)
    np.testing.assert_allclose(left_of(10 * scores - 7, columns), left, rtol=1e-6, atol=1e-6)


def test_the_level_is_that_of_a_regression(direct_in_sample):
    rng = np.random.default_rng(1)
    roles = rng.normal(size=(500, 2))
    z = (roles - np.median(roles, axis=0)) / (
        1.4826 * np.median(np.abs(roles - np.median(roles, axis=0)), axis=0)
    )
    a, b = np.clip(z, -3, 3).T
    u = np.log(1 + (z**2).mean(axis=1))
    columns = np.column_stack([np.ones(500), a, b, a * a, a * b, b * b, u, u * u])
    scores = 5 + a + b * rng.normal(size=500)
    np.testing.assert_allclose(
        left_of(scores, columns), direct_in_sample(scores, roles, 2), rtol=1e-8, atol=1e-8
    )


def test_new_scores_below_all_of_the_fit_stand_below_them():
    columns, scores, _ = scores_of()
    level = fit_level(scores, columns, [3])
    at = np.repeat(columns[:1], 3, axis=0)
    below = level(scores.min() - np.array([0.0, 1.0, 4.0]), at)
    np.testing.assert_allclose(np.diff(below) / (below[0] - below[1]), [-1.0, -1.0])  # roots 0 1 2


def test_a_spread_stays_within_a_factor_of_five():
    z = np.linspace(-1, 1, 4000)
    columns = np.column_stack([np.ones(4000), z])
    scores = (100 + np.random.default_rng(0).normal(size=4000) * np.exp(4 * z)) ** 2
    level = fit_level(scores, columns, [2])
    ends = np.array([[1.0, -1.0], [1.0, 1.0]])
    roots = level(np.full(2, level.zero + 1), ends) - level(np.full(2, level.zero), ends)
    assert roots[0] / roots[1] == pytest.approx(25.0)


@pytest.mark.parametrize(
    ("n", "columns", "choices", "used"),
    [
        (80, 3, [3], 3),
        (79, 3, [3], 1),
        (79, 3, [3, 2], 2),
        (40, 2, [2], 2),
        (500, 1, [1], 1),
    ],
)
def test_a_level_has_forty_scores_a_column(n, columns, choices, used):
    rng = np.random.default_rng(0)
    p = np.column_stack([np.ones(n), rng.normal(size=(n, columns - 1))])
    level = fit_level(rng.normal(size=n), p, choices)
    assert (level.means != 0).sum() == used


def test_scores_that_do_not_vary_are_at_their_level():
    columns, _, _ = scores_of()
    assert not left_of(np.full(len(columns), 3.0), columns).any()
