"""The level of scores along roles: a regression of them, and one of how far they are off it."""

import numpy as np
import pytest

from fmb.conditioning.level import fit_level


def scores_of(n=4000, seed=0):
    """Columns 1, z, z^2 and scores 3 + 2 z + z^2 that spread by e^(z / 2)."""
    rng = np.random.default_rng(seed)
    z = rng.uniform(-1, 1, n)
    noise = rng.normal(size=n)
    return np.column_stack([np.ones(n), z, z**2]), 3 + 2 * z + z**2 + np.exp(z / 2) * noise, noise


def test_scores_without_their_level_are_as_strange_as_their_noise():
    """To what regressions of 4,000 on three columns leave: 3 % of the spread, 4 % of its scale."""
    columns, scores, noise = scores_of()
    left = fit_level(scores, columns)(scores, columns)
    assert np.corrcoef(left, noise)[0, 1] > 0.998
    near, far = (np.std(left[side]) for side in (columns[:, 1] < -0.5, columns[:, 1] > 0.5))
    assert abs(np.log(far / near)) < 0.15  # e^(3/4) before, a log of 0.75; error of a std 0.022


def test_scores_keep_their_mean_and_their_unit():
    columns, scores, _ = scores_of()
    left = fit_level(scores, columns)(scores, columns)
    assert left.mean() == pytest.approx(scores.mean(), abs=0.05)
    made = fit_level(10 * scores - 7, columns)(10 * scores - 7, columns)
    np.testing.assert_allclose(made, 10 * left - 7, rtol=1e-9)


def test_the_level_is_that_of_a_regression(direct_in_sample):
    rng = np.random.default_rng(1)
    roles = rng.normal(size=(500, 2))
    z = (roles - np.median(roles, axis=0)) / (
        1.4826 * np.median(np.abs(roles - np.median(roles, axis=0)), axis=0)
    )
    a, b = np.clip(z, -3, 3).T
    columns = np.column_stack([np.ones(500), a, b, a * a, a * b, b * b])
    scores = 5 + a + b * rng.normal(size=500)
    made = fit_level(scores, columns)(scores, columns)
    np.testing.assert_allclose(made, direct_in_sample(scores, roles, 2), rtol=1e-9)


def test_a_spread_stays_within_a_factor_of_five():
    z = np.linspace(-1, 1, 4000)
    columns = np.column_stack([np.ones(4000), z])
    scores = np.random.default_rng(0).normal(size=4000) * np.exp(4 * z)
    level = fit_level(scores, columns)
    ends = np.array([[1.0, -1.0], [1.0, 1.0]])
    wide = level(np.ones(2), ends) - level(np.zeros(2), ends)
    np.testing.assert_allclose(wide, [5.0, 0.2])


@pytest.mark.parametrize(
    ("n", "columns", "known"), [(80, 3, True), (79, 3, False), (40, 2, True), (500, 1, False)]
)
def test_a_level_has_forty_scores_a_column(n, columns, known):
    rng = np.random.default_rng(0)
    p = np.column_stack([np.ones(n), rng.normal(size=(n, columns - 1))])
    assert (fit_level(rng.normal(size=n), p) is not None) is known


def test_scores_that_do_not_vary_have_no_level():
    columns, _, _ = scores_of()
    assert fit_level(np.zeros(len(columns)), columns) is None
