"""The critic of pairs: what it learns, what it keeps, and that its trees are scikit-learn's."""

import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier

from fmb import DataError, Pairs, VectorName
from fmb.crossfit import cross_fit
from fmb_detectors.critic import CriticDetector
from fmb_detectors.mismatch_config import CriticConfig
from fmb_detectors.trees import LEAVES, Trees

NAMES = VectorName("m", "mean", "image"), VectorName("m", "mean", "spectrum")


def pairs(n, seed=0, start=0):
    """The second view has the square of a number beside it: nothing that a correlation sees."""
    random = np.random.default_rng(seed)
    hidden = random.normal(size=(n, 2))
    a = hidden + 0.3 * random.normal(size=(n, 2))
    b = np.column_stack([hidden[:, 0], hidden[:, 1] ** 2]) + 0.3 * random.normal(size=(n, 2))
    magnitude = {"magnitude": 20 + random.normal(size=n)}
    ids = np.arange(start, start + n)
    return Pairs(ids, a.astype("f4"), b.astype("f4"), False, NAMES, magnitude)


def new(seed=0, **options):
    return CriticDetector(CriticConfig(trees=40, **options), seed=seed)


def fitted(x, **options):
    detector = new(**options)
    detector.fit(x)
    return detector


def test_pairs_with_the_partner_of_another_object_get_the_highest_scores():
    x = pairs(1500)
    swapped = x.b.copy()
    swapped[:50] = np.roll(x.b[:50], 1, axis=0)
    x = Pairs(x.ids, x.a, swapped, False, NAMES, x.columns)
    scores = cross_fit(lambda i: new(i), x, x.ids, name="m").scores
    assert np.mean(scores[:50, None] > scores[None, 50:]) > 0.8


def test_answers_of_the_trees_are_those_of_scikit_learn():
    random = np.random.default_rng(0)
    x, z = random.normal(size=(900, 5)), random.normal(size=(400, 5))
    y = x[:, 0] * x[:, 1] + 0.3 * random.normal(size=900) > 0
    trees = Trees.trained(x, y, 30, 7)
    options = {"max_iter": 30, "max_leaf_nodes": LEAVES, "early_stopping": False}
    model = HistGradientBoostingClassifier(**options, random_state=7).fit(x, y)
    np.testing.assert_allclose(trees.logit(z), model.decision_function(z), atol=1e-9)


def test_the_same_seed_gives_the_same_scores_whatever_the_order_of_the_pairs():
    x, test = pairs(600), pairs(100, 1, start=1000)
    order = np.random.default_rng(1).permutation(600)
    first = fitted(x).score(test)
    # Sums in another order differ in the last digits, which may move a pair across a threshold.
    second = fitted(x.take(order)).score(test)
    assert np.corrcoef(first, second)[0, 1] > 0.98
    assert np.array_equal(first, fitted(x).score(test))


def test_a_million_pairs_would_be_as_many_to_learn_from_as_the_bound_says(monkeypatch):
    sizes = []
    trained = Trees.trained

    def watched(x, y, trees, seed):
        sizes.append((len(x), int(y.sum())))
        return trained(x, y, trees, seed)

    monkeypatch.setattr(Trees, "trained", watched)
    for n in (400, 3000):
        fitted(pairs(n), pairs=200).score(pairs(10, 1))
    assert sizes == [(7 * 200, 200)] * 2  # four strangers alike, two of all


def test_a_saved_critic_gives_the_same_scores(tmp_path):
    x = pairs(400)
    detector = fitted(x)
    detector.save(tmp_path)
    loaded = CriticDetector.load(tmp_path)
    (scores, told), (again, retold) = (one.score_with_details(x) for one in (detector, loaded))
    assert np.array_equal(scores, again)
    assert {name: values.tolist() for name, values in told.items()} == {
        name: values.tolist() for name, values in retold.items()
    }
    assert detector.report() == loaded.report()


def test_too_few_pairs_to_learn_from_are_refused_in_one_line():
    with pytest.raises(DataError, match="28 fitted pairs are too few to learn from, it takes 100"):
        fitted(pairs(28))
