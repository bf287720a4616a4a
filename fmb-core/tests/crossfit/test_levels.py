"""What scores of residuals still tell of the roles is taken out of them, by others' scores."""

from dataclasses import replace

import numpy as np
import pytest

from fmb.contract.vectors import Vectors
from fmb.crossfit.fitted import score_each
from fmb.crossfit.given import Given
from fmb.crossfit.scored import cross_fit, in_sample

K = 5


class Mahalanobis:
    """Squared, about what it was fitted to."""

    def fit(self, x):
        self.mean = x.values.mean(axis=0, dtype=np.float64)
        self.inverse = np.linalg.inv(np.cov(x.values.T.astype(np.float64)))

    def score(self, x):
        away = x.values - self.mean
        return np.einsum("ni,ij,nj->n", away, self.inverse, away)


class First:
    """The first component as it is; keeps how many objects it was asked for."""

    def fit(self, x):
        self.asked = []

    def score(self, x):
        self.asked.append(x.ids.tolist())
        return x.values[:, 0].astype(np.float64)


def loosening(n=5000, d=8, seed=0):
    """Normal vectors of mean 0 and spread 1 whose correlations fade along a role, both ways."""
    rng = np.random.default_rng(seed)
    role = rng.normal(size=n)
    share = 0.9 * np.exp(-(role**2) / 4)[:, None]
    values = np.sqrt(share) * rng.normal(size=(n, 1)) + np.sqrt(1 - share) * rng.normal(size=(n, d))
    return Given(Vectors(np.arange(n), values.astype(np.float32)), ("snr",), role[:, None])


def crossed(detector, x):
    return cross_fit(lambda fold: detector(), x, x.ids, K, name="mine")


def edge_share(scores, role):
    """Of the first 1 %, those of the outer 2 % of the role."""
    first = np.argsort(-scores)[: len(scores) // 100]
    return np.mean(np.abs(role[first]) >= np.quantile(np.abs(role), 0.98))


def test_edges_of_a_role_do_not_lead_a_list_where_correlations_change_along_it():
    """Without the level 26 % of the first 1 %, with it none; over seeds 20 to 40 % and 0 to 2 %."""
    x = loosening()
    made, role = crossed(Mahalanobis, x), x.roles[:, 0]
    bare = [tuple(replace(one, level=()) for one in fit) for fit in made.given]
    without = score_each(made.detectors, x, bare)[made.fold, np.arange(len(x))]
    assert edge_share(without, role) > 3 * 0.02
    assert edge_share(made.scores, role) <= 3 * 0.02


@pytest.mark.parametrize("moved", ["vectors", "roles"])
def test_the_level_of_a_fold_is_that_of_the_others(moved):
    """Objects of a fold that all score a thousand are a level of their own, if anybody asks."""
    x = loosening(n=1000)
    fold = crossed(Mahalanobis, x).fold
    values, roles = x.of.values.copy(), x.roles.copy()
    if moved == "vectors":
        values[fold == 2] *= 30
    else:
        roles[fold == 2] += 2
    changed = Given(replace(x.of, values=values), x.names, roles)
    before, after = (crossed(Mahalanobis, one).given for one in (x, changed))
    levels = [[fit[0].level[0].means for fit in fits] for fits in (before, after)]
    np.testing.assert_array_equal(levels[0][2], levels[1][2])
    assert not np.allclose(levels[0][1], levels[1][1])


def test_objects_that_fits_may_not_see_are_not_in_the_level_and_have_it_taken_out():
    x = loosening(n=1000)
    values, copies = x.of.values.copy(), np.arange(1000) % 10 == 3
    values[copies] *= 30
    far = Given(replace(x.of, values=values), x.names, x.roles)
    own = cross_fit(lambda fold: Mahalanobis(), far, x.ids, K, name="mine", fitted=~copies)
    rest, folds = x.take(~copies), own.fold[~copies]
    none = cross_fit(lambda fold: Mahalanobis(), rest, rest.ids, K, name="mine", folds=folds)
    np.testing.assert_allclose(own.scores[~copies], none.scores, rtol=1e-4, atol=1e-4)
    by_fit = score_each(own.detectors, far, own.given)
    np.testing.assert_allclose(by_fit[own.fold, np.arange(1000)], own.scores, rtol=1e-6)


def test_a_level_is_taken_from_two_thousand_objects_all_over_the_fit():
    x = loosening(n=9000, d=1)
    made = crossed(First, x)
    for i, one in enumerate(made.detectors):
        asked = np.array(one.detector.asked[-1])
        own = np.flatnonzero(made.fold != i)
        assert 1000 < len(asked) <= 2000
        assert np.isin(asked, own).all()
        places = np.searchsorted(own, asked)  # from first to last, equal steps apart
        (step,) = np.unique(np.diff(places))
        assert places[0] == 0
        assert places[-1] + step >= len(own)


def test_in_sample_the_level_is_that_of_the_scores_in_the_list():
    """So they have no trend along the role left: a regression on it is flat."""
    x = loosening(n=1500)
    scores = in_sample(lambda fold: Mahalanobis(), x, name="mine").scores
    role = x.roles[:, 0]
    z = np.clip((role - np.median(role)) / (1.4826 * np.median(np.abs(role))), -3, 3)
    slope, curve = np.polynomial.polynomial.polyfit(z, scores, 2)[1:]
    raw = in_sample(lambda fold: Mahalanobis(), x.of, name="mine").scores
    before = np.polynomial.polynomial.polyfit(z, raw, 2)[2]
    # Divided by another spread from place to place: not flat to a digit.
    assert max(abs(slope), abs(curve)) < abs(before) / 5
