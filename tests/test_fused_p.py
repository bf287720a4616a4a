"""p of fused lists against a reference, in simulated surveys whose lists are cross-fitted."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom

from fmb import Config, ListName, VectorName, Vectors
from fmb.crossfit.checked import Checked
from fmb.crossfit.scored import cross_fit, score_each
from fmb.lists.fused_reference import Ordinary, p_of_rule
from fmb_detectors.any_view import AnyView
from fmb_detectors.fusion_config import GeoConfig
from fmb_detectors.gaussian import GaussianDetector
from fmb_detectors.mean_rules import GeoFusion, RankProduct

SURVEYS, N, M = 200, 60, 99
RULES = {"any-view": AnyView, "geo": GeoFusion, "rank-product": RankProduct}
NAMES = [ListName("gaussian", (VectorName("m", "mean", view),)) for view in ("image", "spectrum")]


def survey(seed):
    """Two views that share a factor: N ranked objects and M of the reference, (N + M, 3) each."""
    rng = np.random.default_rng(seed)
    shared = rng.normal(size=(N + M, 1)) ** 3  # heavy tails
    return [rng.normal(size=(N + M, 3)) + shared for _ in NAMES]


def lists(seed):
    """Each view's list as it is kept: a table of the survey, and the reference by each fit."""
    tables, references = {}, {}
    for name, values in zip(NAMES, survey(seed), strict=True):
        x = Vectors(np.arange(N + M), values.astype(np.float32))
        fitted = cross_fit(
            lambda fold: GaussianDetector(Config(), seed=fold, device="cpu"),
            x.take(np.arange(N)),
            np.arange(N),
            name="gaussian",
        )
        tables[name] = pd.DataFrame({"score": fitted.scores, "fold": fitted.fold})
        ids = np.arange(N, N + M)
        by_fit = score_each(fitted.detectors, x.take(ids))
        references[name] = pd.DataFrame({"object_id": ids, **dict(enumerate(by_fit))})
    return tables, references


@pytest.fixture(scope="module")
def p_values():
    """Rule -> (SURVEYS, N) p-values of ordinary objects."""
    rules = {
        name: Checked(made(GeoConfig(), seed=0, device="cpu"), name).accept()
        for name, made in RULES.items()
    }
    found = {name: [] for name in rules}
    for seed in range(SURVEYS):
        tables, references = lists(seed)
        for name, rule in rules.items():
            ordinary = Ordinary(references.__getitem__)
            p, m = p_of_rule(rule, NAMES, tables, np.arange(N), ordinary)
            assert m == M
            found[name].append(p)
    return {name: np.array(p) for name, p in found.items()}


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("level", [0.01, 0.1])
def test_ordinary_objects_fall_below_a_level_as_often_as_it_says(p_values, rule, level):
    """p <= a for one object of each of 200 surveys, which are independent."""
    for i in range(0, N, 20):
        low, high = binom.interval(0.9999, SURVEYS, level)
        assert low <= np.count_nonzero(p_values[rule][:, i] <= level) <= high


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("level", [0.01, 0.1])
def test_the_mean_share_over_surveys_is_the_level(p_values, rule, level):
    shares = np.mean(p_values[rule] <= level, axis=1)  # one a survey, independent
    assert abs(shares.mean() - level) <= 3.3 * shares.std(ddof=1) / np.sqrt(SURVEYS)
