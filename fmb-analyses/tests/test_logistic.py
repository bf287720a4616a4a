"""Telling labelled objects by a few numbers: the truth where there is one, chance where not."""

import numpy as np
import pytest

from fmb_analyses.logistic import out_of_fold, quadratic
from fmb_analyses.metrics import auroc

N, LABELLED = 2000, 50


def drawn(seed, strangeness):
    """Six numbers of each object, and the 50 strangest by `strangeness` of them and noise."""
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(N, 6))
    labels = np.zeros(N, dtype=bool)
    labels[np.argsort(-strangeness(values) - rng.normal(size=N))[:LABELLED]] = True
    return values, labels


def test_an_edge_in_one_number_and_a_slope_in_another_are_found():
    def strangeness(values):
        return values[:, 0] ** 2 - 0.5 * values[:, 1]

    values, labels = drawn(1, strangeness)
    odds = out_of_fold(labels, quadratic(values), np.arange(N), 5, seed=0)
    best = auroc(labels, strangeness(values))  # nobody can tell the noise
    assert best - 0.02 < auroc(labels, odds) <= best + 0.01


def test_what_follows_nothing_is_told_by_chance():
    found = [
        auroc(labels, out_of_fold(labels, quadratic(values), np.arange(N), 5, seed=0))
        for values, labels in (drawn(seed, lambda values: np.zeros(N)) for seed in range(20))
    ]
    # The error of an AUROC of 50 objects is 0.04: of a mean of twenty 0.01.
    assert np.mean(found) == pytest.approx(0.5, abs=0.03)


def test_an_object_is_told_by_a_fit_that_has_not_seen_its_group():
    rng = np.random.default_rng(0)
    labels = np.zeros(400, dtype=bool)
    labels[:100] = True
    groups = np.arange(400) // 2
    # A column for each pair is all that tells them: the pair itself must not teach it.
    columns = (groups[:, None] == np.arange(200)).astype(float)
    columns = (columns - columns.mean(axis=0)) / columns.std(axis=0)
    odds = out_of_fold(labels, columns, groups, 5, seed=0)
    shuffled = rng.permutation(400)
    assert abs(auroc(labels, odds) - 0.5) < 0.1
    again = out_of_fold(labels[shuffled], columns[shuffled], groups[shuffled], 5, seed=0)
    assert abs(auroc(labels[shuffled], again) - 0.5) < 0.1


def test_columns_are_all_products_and_unknown_numbers_have_one_of_their_own():
    rng = np.random.default_rng(0)
    values = rng.normal(size=(500, 3))
    assert quadratic(values).shape == (500, 3 + 6)
    values[::4, 1], values[:, 2] = np.nan, 7.0  # a constant and its products tell nothing
    columns = quadratic(values)
    assert columns.shape == (500, 2 + 3 + 1)
    np.testing.assert_allclose(columns.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(columns.std(axis=0), 1)
    unknown = np.isnan(values[:, 1])
    assert len(np.unique(columns[unknown, -1])) == len(np.unique(columns[~unknown, -1])) == 1


def test_a_number_that_is_missing_for_the_labelled_tells_them():
    values, labels = drawn(2, lambda values: np.zeros(N))
    values[labels, 0] = np.nan
    odds = out_of_fold(labels, quadratic(values), np.arange(N), 5, seed=0)
    assert auroc(labels, odds) > 0.99
