"""A rule, which is never fitted, scores all objects in one go and is held to the contract too."""

import numpy as np
import pytest

from fmb.contract.vectors import Vectors
from fmb.crossfit.fitted import score_new
from fmb.crossfit.scored import rule
from fmb.messages.errors import PluginError, ScoreError


def vectors(n=100, d=3, seed=0):
    return Vectors(np.arange(n), np.random.default_rng(seed).normal(size=(n, d)).astype("f4"))


class Longest:
    """A rule: the length of the vector."""

    def fit(self, x):
        raise AssertionError("a rule is never fitted")

    def score(self, x):
        return np.linalg.norm(x.values.astype(np.float64), axis=1)

    def details(self, x):
        return {"squared": self.score(x) ** 2}


def test_a_rule_is_never_fitted_and_scores_all_in_one_go():
    asked = []
    x = vectors()
    got = rule(lambda f: asked.append(f) or Longest(), x, name="mine", details=("squared",))
    assert asked == [-1]
    expected = np.sqrt((x.values.astype(float) ** 2).sum(axis=1))
    np.testing.assert_allclose(got.scores, expected, rtol=1e-12)
    np.testing.assert_allclose(got.details["squared"], expected**2, rtol=1e-12)
    assert (got.fold == -1).all()
    assert (len(got.detectors), got.shift) == (1, None)
    new = vectors(5, seed=3)
    assert score_new(got.detectors, new).tolist() == Longest().score(new).tolist()


def test_a_rule_is_held_to_the_contract_too():
    class Flat(Longest):
        def score(self, x):
            return np.ones(len(x))

    class Short(Longest):
        def score(self, x):
            return super().score(x)[1:]

    with pytest.raises(ScoreError, match="same score"):
        rule(lambda f: Flat(), vectors(), name="mine")
    with pytest.raises(PluginError, match=r"detector 'mine': .* shape \(99,\) for 100 objects"):
        rule(lambda f: Short(), vectors(), name="mine")
