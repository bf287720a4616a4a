"""p-values of a score made of ranks: each object is ranked with the reference, all alike."""

import numpy as np
import pytest
from scipy.stats import binom, rankdata

from fmb.messages.errors import DataError, ShapeError
from fmb.scoring.fused_p import fused_p_values

RULES = {
    "avg": lambda p: p.mean(axis=1),
    "min": lambda p: p.min(axis=1),
    "cauchy": lambda p: np.tan(np.pi * np.maximum(p - 0.5, 0) * 0.99).sum(axis=1),
}


def by_definition(x, reference, rule):
    """Each object ranked anew with all of the reference, by SciPy."""
    p = []
    for row in x:
        everyone = np.vstack([row, reference])
        score = rule(rankdata(everyone, axis=0) / len(everyone))
        p.append(np.mean(score >= score[0] - 1e-12 * abs(score[0])))
    return p


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("tied", [False, True])
def test_p_is_that_of_ranking_each_object_anew_with_all_of_the_reference(rule, tied):
    rng = np.random.default_rng(2)
    x, reference = rng.normal(size=(40, 3)), rng.normal(size=(90, 3))
    if tied:
        x, reference = np.round(x), np.round(reference)
    found = fused_p_values(x, reference, RULES[rule])
    np.testing.assert_allclose(found, by_definition(x, reference, RULES[rule]), rtol=1e-12)


def test_what_stands_above_all_of_the_reference_everywhere_has_the_smallest_p():
    reference = np.arange(99.0)[:, None] * [1, -1]
    p = fused_p_values([[1000, 1000], [-1000, -1000]], reference, RULES["avg"])
    np.testing.assert_allclose(p, [1 / 100, 1])


def test_blocks_make_no_difference(monkeypatch):
    rng = np.random.default_rng(3)
    x, reference = rng.normal(size=(50, 2)), rng.normal(size=(30, 2))
    whole = fused_p_values(x, reference, RULES["cauchy"])
    monkeypatch.setattr("fmb.scoring.fused_p.AT_ONCE", 64)
    assert (fused_p_values(x, reference, RULES["cauchy"]) == whole).all()


@pytest.mark.parametrize("rule", RULES)
def test_p_keeps_its_promise_in_two_hundred_surveys(rule):
    """P(p <= a) = a: two correlated lists, m = 999, 50 ordinary objects a survey."""
    rng = np.random.default_rng(4)
    mixing = np.linalg.cholesky([[1, 0.6], [0.6, 1]])
    p = [
        fused_p_values(
            rng.normal(size=(50, 2)) @ mixing.T, rng.normal(size=(999, 2)) @ mixing.T, RULES[rule]
        )
        for _ in range(200)
    ]
    for level in (0.002, 0.01, 0.1):
        low, high = binom.interval(0.999, 200 * 50, level)
        # Objects of a survey share a reference: its share beyond `level` varies by sqrt(a / m).
        room = 3.3 * 50 * np.sqrt(200 * level / 999)
        assert low - room <= np.count_nonzero(np.concatenate(p) <= level) <= high + room


def test_an_empty_reference_and_one_of_other_lists_are_refused():
    with pytest.raises(DataError, match="holds no object that is in all lists"):
        fused_p_values(np.ones((2, 2)), np.ones((0, 2)), RULES["avg"])
    with pytest.raises(ShapeError, match="do not fit a reference"):
        fused_p_values(np.ones((2, 2)), np.ones((5, 3)), RULES["avg"])
