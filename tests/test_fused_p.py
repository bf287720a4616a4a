"""p of fused lists against a reference, in simulated surveys whose lists are cross-fitted."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom

from fmb import Config, ListName, VectorName, Vectors
from fmb.crossfit.checked import Checked
from fmb.crossfit.fitted import score_each
from fmb.crossfit.scored import cross_fit
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


def test_an_object_meets_the_reference_as_the_fits_of_its_own_folds_scored_it():
    """Fits whose scores lie 100 apart: list by list an object and the reference share the fit."""
    rng = np.random.default_rng(0)
    rule = Checked(AnyView(Config(), seed=0, device="cpu"), "any-view").accept()
    folds = [np.arange(N) % 3, np.arange(N) % 2]
    plain, shifted, kept, kept_shifted = {}, {}, {}, {}
    for name, fold in zip(NAMES, folds, strict=True):
        score, ordinary, ids = rng.normal(size=N), rng.normal(size=M), np.arange(M)
        plain[name] = pd.DataFrame({"score": score, "fold": 0})
        kept[name] = pd.DataFrame({"object_id": ids, "fit_0": ordinary})
        shifted[name] = pd.DataFrame({"score": score + 100 * fold, "fold": fold})
        fits = {f"fit_{i}": ordinary + 100 * i for i in range(3)}
        kept_shifted[name] = pd.DataFrame({"object_id": ids, **fits})
    one, m = p_of_rule(rule, NAMES, plain, np.arange(N), Ordinary(kept.__getitem__))
    other, _ = p_of_rule(rule, NAMES, shifted, np.arange(N), Ordinary(kept_shifted.__getitem__))
    assert m == M
    np.testing.assert_array_equal(one, other)


def test_only_the_reference_that_is_in_all_lists_counts():
    rng = np.random.default_rng(0)
    rule = Checked(AnyView(Config(), seed=0, device="cpu"), "any-view").accept()
    tables = {name: pd.DataFrame({"score": rng.normal(size=N), "fold": -1}) for name in NAMES}
    few, many = np.arange(0, M, 3), np.arange(M)
    values = {name: rng.normal(size=M) for name in NAMES}

    def p_of(first, second):
        rows = dict(zip(NAMES, (first, second), strict=True))
        kept = {n: pd.DataFrame({"id": at, "fit_0": values[n][at]}) for n, at in rows.items()}
        return p_of_rule(rule, NAMES, tables, np.arange(N), Ordinary(kept.__getitem__))

    common, m = p_of(few, many)
    assert m == len(few)
    np.testing.assert_array_equal(common, p_of(few, few)[0])
    none, m = p_of(few, few + 1)
    assert (np.isnan(none).all(), m) == (True, 0)
