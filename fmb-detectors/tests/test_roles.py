"""Density of rows of the catalogue: equal to the formula, and not moved by wild values."""

import numpy as np
from scipy.stats import multivariate_normal
from sklearn.covariance import LedoitWolf

from fmb import Vectors
from fmb_detectors.config import RolesConfig
from fmb_detectors.roles import RolesDetector


def rows(values):
    return Vectors(np.arange(len(values)), np.asarray(values, dtype=np.float32))


def fitted(values):
    detector = RolesDetector(RolesConfig(), seed=0)
    detector.fit(rows(values))
    return detector


def catalogue(n=500):
    rng = np.random.default_rng(0)
    magnitude = rng.normal(20, 2, n)
    return np.column_stack([magnitude, 0.5 * magnitude + rng.normal(0, 0.1, n), rng.gamma(2, 1, n)])


def test_the_score_is_minus_log_likelihood_in_units_of_the_roles():
    values = catalogue().astype(np.float32).astype(np.float64)
    centre = np.median(values, axis=0)
    spread = 1.4826 * np.median(np.abs(values - centre), axis=0)
    z = (values - centre) / spread
    fit = LedoitWolf().fit(np.clip(z, -4, 4))
    normal = multivariate_normal(fit.location_, fit.covariance_)
    expected = -normal.logpdf(z) + np.log(spread).sum()
    np.testing.assert_allclose(fitted(values).score(rows(values)), expected, rtol=1e-6)


def test_a_wild_value_hardly_moves_another_and_leads_the_list():
    values = catalogue()
    wild = values.copy()
    wild[7, 2] = 1e6
    before, after = (fitted(v).score(rows(v)) for v in (values, wild))
    others = np.arange(len(values)) != 7
    assert after.argmax() == 7
    # Without the bound the spread of the role is 50 times what it was, and nothing else counts.
    assert np.median(np.abs(before - after)[others]) < 0.05 * before.std()
    assert np.corrcoef(before[others], after[others])[0, 1] > 0.99


def test_a_role_of_which_most_values_are_alike_has_a_spread():
    values = catalogue()
    values[:, 2] = np.where(np.arange(len(values)) < 20, 5.0, 1.0)
    scores = fitted(values).score(rows(values))
    assert np.isfinite(scores).all()
    assert scores[:20].mean() > scores[20:].mean()
