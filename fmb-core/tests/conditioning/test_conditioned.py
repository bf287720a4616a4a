"""Vectors given roles: equal to the formula, and what becomes of roles that are not known."""

import numpy as np
import pytest

from fmb.conditioning.fit import fit_conditionings
from fmb.conditioning.polynomials import chosen_polynomials
from fmb.messages.errors import ShapeError

FLOAT32 = 1e-4
"""Residuals here reach 8; float32 rounds vectors at 1e-7 of theirs, and logarithms of what is left
of them at 1e-5, differently from place to place in memory."""


def survey(n=600, d=5, r=2, seed=0):
    """Vectors whose mean and spread depend on the roles."""
    rng = np.random.default_rng(seed)
    roles = rng.normal(size=(n, r)) * [10.0, 0.1, 3.0][:r] + 20
    z = (roles - 20) / np.array([10.0, 0.1, 3.0][:r])
    mean = z @ rng.normal(size=(r, d)) + 0.3 * z[:, :1] ** 2
    values = mean + rng.normal(size=(n, d)) * np.exp(0.3 * z[:, :1]) + 1
    return values.astype(np.float32), roles


def fitted(values, roles, fold=None, k=1, at_once=200):
    fold = np.full(len(values), -1) if fold is None else fold

    def blocks():
        for start in range(0, len(values), at_once):
            rows = np.arange(start, min(start + at_once, len(values)))
            yield rows, values[rows]

    return fit_conditionings(blocks, roles, fold, k)


@pytest.mark.parametrize(("r", "degree"), [(1, 2), (2, 2), (3, 2)])
def test_residuals_are_those_of_the_formula(direct_residuals, r, degree):
    values, roles = survey(r=r)
    (made,) = fitted(values, roles)
    expected = direct_residuals(values, roles, np.full(len(values), True), degree)
    np.testing.assert_allclose(made.residuals(values, roles), expected, rtol=0, atol=FLOAT32)


def test_each_fit_is_that_of_the_objects_outside_its_fold(direct_residuals):
    values, roles = survey()
    fold = np.arange(len(values)) % 3
    for i, made in enumerate(fitted(values, roles, fold, 3)):
        expected = direct_residuals(values, roles, fold != i, 2)
        np.testing.assert_allclose(made.residuals(values, roles), expected, rtol=0, atol=FLOAT32)


def test_the_order_of_the_objects_plays_no_part():
    values, roles = survey()
    order = np.random.default_rng(1).permutation(len(values))
    (one,), (other,) = fitted(values, roles), fitted(values[order], roles[order], at_once=77)
    np.testing.assert_allclose(
        one.residuals(values, roles), other.residuals(values, roles), rtol=0, atol=FLOAT32
    )


@pytest.mark.parametrize(
    ("rows", "roles", "taken", "degree"),
    [
        (1400, 7, 7, 2),  # 40 x 35 columns
        (1399, 7, 7, 1),
        (280, 7, 7, 1),  # 40 x 7
        (279, 7, 6, 1),
        (200, 2, 2, 2),  # 40 x 5
        (80, 1, 1, 2),
        (79, 1, 1, 1),
        (40, 1, 1, 1),
        (39, 1, 0, 0),
    ],
)
def test_a_polynomial_has_forty_rows_a_column(rows, roles, taken, degree):
    values = np.random.default_rng(0).normal(size=(rows, roles))
    first, *_ = chosen_polynomials(values)
    assert (len(first.roles), first.degree) == (taken, degree)


def test_of_roles_that_are_too_many_that_goes_which_the_fewest_know():
    values = np.random.default_rng(0).normal(size=(100, 3))
    values[:5, 1] = np.nan  # 95 rows know all three, 40 x 3 are needed
    assert [one.roles for one in chosen_polynomials(values)] == [(0, 2), ()]


def test_an_object_is_conditioned_on_the_roles_it_has(direct_residuals):
    """By a fit to all that know these, those that know more among them."""
    values, roles = survey(r=3)
    roles[::4, 1] = np.nan
    (made,) = fitted(values, roles)
    every = np.full(len(values), True)
    got, complete = made.residuals(values, roles), np.isfinite(roles).all(axis=1)
    whole = direct_residuals(values[complete], roles[complete], every[complete], 2)
    np.testing.assert_allclose(got[complete], whole, rtol=0, atol=FLOAT32)
    fewer = direct_residuals(values, roles[:, [0, 2]], every, 2)
    np.testing.assert_allclose(got[~complete], fewer[~complete], rtol=0, atol=FLOAT32)
    assert np.unique(made.stratum(roles[complete])).tolist() == [0b111]
    assert np.unique(made.stratum(roles[~complete])).tolist() == [0b101]


def test_an_object_that_knows_no_role_is_held_against_all():
    values, roles = survey()
    roles[:9] = np.nan
    (made,) = fitted(values, roles)
    away = values - values.mean(axis=0, dtype=np.float64)
    floor = 1e-2 * np.sqrt((away**2).mean(axis=0))
    spread = np.exp(np.log(np.maximum(np.abs(away), floor)).mean(axis=0))
    got = made.residuals(values[:9], roles[:9])
    np.testing.assert_allclose(got, away[:9] / spread, rtol=0, atol=FLOAT32)
    assert made.stratum(roles[:9]).tolist() == [0] * 9


def test_a_role_known_to_few_keeps_nobody_from_the_others():
    values, roles = survey()
    few = roles.copy()
    few[30:, 1] = np.nan  # 30 of 600: fewer than 40
    (made,), (alone,) = fitted(values, few), fitted(values, roles[:, :1])
    np.testing.assert_array_equal(
        made.residuals(values, few), alone.residuals(values, roles[:, :1])
    )


def test_a_component_that_does_not_vary_beyond_rounding_stays_still():
    values, roles = survey()
    steps = np.random.default_rng(0).integers(0, 2, len(values))
    values[:, 2] = np.where(steps, np.float32(12345.678), np.nextafter(np.float32(12345.678), 0))
    (made,) = fitted(values, roles)
    assert (made.residuals(values, roles)[:, 2] == 0).all()


def test_a_role_that_does_not_vary_takes_nothing_away():
    values, roles = survey(r=1)
    both = np.column_stack([roles, np.full(len(roles), 5.0)])
    (made,), (alone,) = fitted(values, both), fitted(values, roles)
    # The penalty follows the mean variance of the columns, of which three of five are 0.
    np.testing.assert_allclose(
        made.residuals(values, both), alone.residuals(values, roles), rtol=0, atol=0.05
    )


def test_roles_beyond_three_spreads_count_as_three_and_vectors_as_they_are():
    values, roles = survey(r=1)
    (made,) = fitted(values, roles)
    centre = np.median(roles)
    three = 3 * 1.4826 * np.median(np.abs(roles - centre))
    edge, beyond = np.array([[centre + three]]), np.array([[centre + 50 * three]])
    there, out = made.residuals(values[:1], edge), made.residuals(values[:1], beyond)
    np.testing.assert_allclose(there, out, rtol=1e-5)
    far = values[:1] + 1e6
    assert (made.residuals(far, edge) > 1e4).all()


def test_a_spread_stays_within_a_factor_of_five_of_its_mean():
    rng = np.random.default_rng(0)
    roles = rng.uniform(-1, 1, size=(4000, 1))
    values = (rng.normal(size=(4000, 1)) * np.exp(4 * roles)).astype(np.float32)
    (made,) = fitted(values, roles)
    ones = np.ones((2, 1), dtype=np.float32)
    least, most = (
        made.residuals(ones, np.full((2, 1), at)) - made.residuals(0 * ones, np.full((2, 1), at))
        for at in (1.0, -1.0)
    )
    # e^8 without a bound; 25 with it.
    np.testing.assert_allclose(most / least, 25.0, rtol=1e-4)


def test_left_out_residuals_are_those_of_fits_without_the_object():
    """Its row taken out of the least squares that give the mean; penalty and scales are held."""
    values, roles = survey(n=240)
    (made,) = fitted(values, roles)
    r, left = made.residuals(values, roles), made.left_out(values, roles)
    centre = np.median(roles, axis=0)
    z = np.clip((roles - centre) / (1.4826 * np.median(np.abs(roles - centre), axis=0)), -3, 3)
    a, b = z.T
    p = np.column_stack([np.ones(240), a, b, a * a, a * b, b * b])
    penalty = np.diag([0.0] + 5 * [1e-4 * 240 * p[:, 1:].var(axis=0).mean()])
    # All six columns at once, the constant without penalty: as those about their means.
    whole = values - p @ np.linalg.solve(p.T @ p + penalty, p.T @ values.astype(float))
    at = np.argsort(-np.abs(z).max(axis=1))[:20].tolist() + list(range(20))
    for i in at:
        q, v = np.delete(p, i, axis=0), np.delete(values, i, axis=0).astype(float)
        without = values[i] - p[i] @ np.linalg.solve(q.T @ q + penalty, q.T @ v)
        np.testing.assert_allclose(left[i], r[i] / whole[i] * without, rtol=1e-4, atol=1e-4)
    assert (np.abs(left[at]) > 1.2 * np.abs(r[at])).any()  # edges make much of their prediction


def test_an_object_alone_with_its_roles_is_left_out_within_a_factor_of_ten():
    values, roles = survey(n=150, r=1)
    alone = np.zeros((150, 1))
    alone[0] = 1.0  # the spread is that of the values, half of which are the same
    (made,) = fitted(values, np.hstack([roles, alone]))
    both = np.hstack([roles, alone])
    left, r = made.left_out(values, both)[0], made.residuals(values, both)[0]
    np.testing.assert_allclose(left, 10 * r, rtol=1e-4)


def test_spreads_that_differ_by_noise_alone_are_one_and_others_keep_their_own():
    """Of 40 components that spread alike along a role, and of 40 half of which do the opposite."""
    rng = np.random.default_rng(0)
    roles = rng.normal(size=(2000, 1))
    z = np.clip((roles - np.median(roles)) / (1.4826 * np.median(np.abs(roles))), -3, 3)
    noise = rng.normal(size=(2000, 40))
    slopes = {}
    for name, signs in (("alike", np.ones(40)), ("apart", np.repeat([1.0, -1.0], 20))):
        values = (noise * np.exp(0.3 * z * signs)).astype(np.float32)
        (made,) = fitted(values, roles)
        at = np.array([[0.0], [1.0]])
        low, high = (
            made.residuals(np.ones((1, 40), np.float32), one[None])
            - made.residuals(np.zeros((1, 40), np.float32), one[None])
            for one in at
        )
        step = (1.0 - 0.0) / (1.4826 * np.median(np.abs(roles - np.median(roles))))
        slopes[name] = np.log(low / high)[0] / step
    # log |normal| spreads by 1.11: a slope from 2,000 is known to 0.025, their mean to 0.004.
    np.testing.assert_allclose(slopes["alike"], 0.3, atol=0.03)
    assert slopes["alike"].std() < 0.025 / 2
    np.testing.assert_allclose(slopes["apart"], np.repeat([0.3, -0.3], 20), atol=0.1)


def test_vectors_of_another_width_are_refused():
    values, roles = survey()
    (made,) = fitted(values, roles)
    with pytest.raises(ShapeError, match=r"fitted on d=5, got d=4; embed both sets"):
        made.residuals(values[:, :4], roles)
