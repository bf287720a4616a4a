"""Cross-fitting, and what it demands of a detector."""

from typing import ClassVar

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fmb.contract.errors import ConfigError, DataError, PluginError, ScoreError, ShapeError
from fmb.contract.names import ListName, VectorName
from fmb.contract.vectors import Members, Pairs, Vectors
from fmb.scoring.crossfit import cross_fit, in_sample, rule, score_each, score_new

NAMES = (VectorName("m", "mean", "image"), VectorName("m", "mean", "spectrum"))

examples = settings(max_examples=50, deadline=None)


class Distance:
    """Squared distance from the mean of what it was fitted on."""

    def fit(self, x):
        self.seen = set(x.ids.tolist())
        self.centre = x.values.mean(axis=0)

    def score(self, x):
        return ((x.values - self.centre) ** 2).sum(axis=1).astype(np.float64)


class Recording(Distance):
    """Remembers whom it scored."""

    def score(self, x):
        self.scored = set(x.ids.tolist())
        return super().score(x)


def vectors(n=100, d=3, seed=0):
    return Vectors(np.arange(n), np.random.default_rng(seed).normal(size=(n, d)).astype("f4"))


def fitted(detector, x=None, **options):
    x = vectors() if x is None else x
    return cross_fit(lambda fold: detector(), x, x.ids, name="mine", **options)


def test_nobody_is_scored_by_a_fit_that_has_seen_a_repeat_of_them():
    x = vectors(90)
    groups = x.ids // 3
    got = cross_fit(lambda fold: Recording(), x, groups, 5, name="mine")
    for i, detector in enumerate(got.detectors):
        seen, scored = detector.detector.seen, detector.detector.scored
        assert set(x.ids[got.fold == i].tolist()) == scored
        assert not {j // 3 for j in seen} & {j // 3 for j in scored}
        assert len(seen) + len(scored) == 90


def test_each_score_is_that_of_a_fit_on_the_other_folds():
    x = vectors()
    got = fitted(Distance, x, k=4)
    for row in range(0, 100, 7):
        others = x.values[got.fold != got.fold[row]].astype(float)
        expected = ((x.values[row] - others.mean(axis=0)) ** 2).sum()
        assert got.scores[row] == pytest.approx(expected, rel=1e-5)  # float32 sums of 75 terms


@examples
@given(st.permutations(range(30)))
def test_the_order_of_rows_changes_no_score(at):
    x = vectors(30)
    a, b = fitted(Distance, x), fitted(Distance, x.take(at))
    # Order of float32 sums over 24 terms.
    assert np.allclose(a.scores[at], b.scores, rtol=1e-4)
    assert np.array_equal(a.fold[at], b.fold)


def test_the_maker_is_told_the_fold():
    asked = []
    cross_fit(lambda fold: asked.append(fold) or Distance(), vectors(), np.arange(100), name="m")
    in_sample(lambda fold: asked.append(fold) or Distance(), vectors(), name="m")
    assert asked == [0, 1, 2, 3, 4, -1]


def test_folds_may_be_given():
    fold = np.arange(100) // 50
    assert np.array_equal(fitted(Distance, k=2, folds=fold).fold, fold)


def test_given_folds_must_not_split_a_group():
    x = vectors(10)
    with pytest.raises(ShapeError, match="group 2 lies in two folds"):
        cross_fit(
            lambda f: Distance(), x, x.ids // 2, 2, name="m", folds=[0, 0, 1, 1, 0, 1] + [1] * 4
        )


@pytest.mark.parametrize("fold", [[0] * 10, [0, 2] * 5, [0, 1] * 4])
def test_given_folds_must_be_complete(fold):
    with pytest.raises(ShapeError, match="folds"):
        fitted(Distance, vectors(10), k=2, folds=fold)


def test_fewer_objects_than_folds_is_one_clear_error():
    with pytest.raises(DataError, match="3 groups of objects cannot fill 5 folds"):
        fitted(Distance, vectors(3))
    with pytest.raises(ConfigError, match="at least 2 folds"):
        fitted(Distance, k=1)


def test_in_sample_scores_come_from_one_fit_on_all():
    x = vectors()
    got = in_sample(lambda fold: Distance(), x, name="mine")
    centre = x.values.mean(axis=0, dtype=float)
    assert np.allclose(got.scores, ((x.values - centre) ** 2).sum(axis=1), rtol=1e-5)
    assert (got.fold == -1).all()
    assert len(got.detectors) == 1
    assert got.shift is None


def test_a_new_object_gets_the_mean_over_the_fits():
    got = fitted(Distance, k=3)
    new = vectors(7, seed=9)
    each = score_each(got.detectors, new)
    assert each.shape == (3, 7)
    by_hand = sum(d.score(new) for d in got.detectors) / 3
    assert np.allclose(score_new(got.detectors, new), by_hand, rtol=1e-12)


def test_pairs_and_members_are_cross_fitted_too():
    class Gap:
        def fit(self, x): ...

        def score(self, x):
            return np.abs(x.a - x.b).sum(axis=1).astype(np.float64)

    class Mean:
        def fit(self, x): ...

        def score(self, x):
            return sum(x.percentiles.values()) / len(x.percentiles)

    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, 40, 3)).astype("f4")
    pairs = Pairs(np.arange(40), a, b, True, NAMES)
    assert np.allclose(fitted(Gap, pairs).scores, np.abs(a - b).sum(axis=1), rtol=1e-6)
    one, other = (ListName("flow", (name,)) for name in NAMES)
    members = Members(np.arange(40), {one: rng.random(40), other: rng.random(40)})
    expected = (members.percentiles[one] + members.percentiles[other]) / 2
    assert np.allclose(fitted(Mean, members).scores, expected, rtol=1e-12)


class Writes(Distance):
    def fit(self, x):
        x.values[:] -= x.values.mean(axis=0)


class WritesThroughTorch(Distance):
    def fit(self, x):
        pytest.importorskip("torch").from_numpy(x.values).sub_(1.0)


class WritesWhenScoring(Distance):
    def score(self, x):
        x.ids.sort()
        return super().score(x)


@pytest.mark.parametrize(
    ("bad", "stage"), [(Writes, "fit"), (WritesThroughTorch, "fit"), (WritesWhenScoring, "score")]
)
@pytest.mark.filterwarnings("ignore:The given NumPy array is not writable")
def test_a_detector_that_changes_its_input_is_named(bad, stage):
    x = vectors()
    with pytest.raises(
        PluginError, match=rf"detector 'mine', fold 0: {stage}\(\) changes its input"
    ):
        fitted(bad, x)
    with pytest.raises(PluginError, match=rf"detector 'mine': {stage}\(\) changes its input"):
        in_sample(lambda fold: bad(), vectors(), name="mine")
    assert np.array_equal(x.values, vectors().values)


def returns(change):
    class Changed(Distance):
        def score(self, x):
            return change(super().score(x))

    return Changed


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda s: s[:-1], r"returned shape \(19,\) for 20 objects"),
        (lambda s: s[:, None], r"returned shape \(20, 1\) for 20 objects"),
        (lambda s: s.astype("f4"), "returned a float32 array; return a NumPy array of float64"),
        (lambda s: s.tolist(), "returned a list"),
        (lambda s: None, "returned a NoneType"),
        (pd.Series, "returned a Series"),
    ],
)
def test_scores_of_another_form_are_refused(change, message):
    with pytest.raises(PluginError, match=f"detector 'mine', fold 0: .*{message}"):
        fitted(returns(change))


def test_scores_that_are_not_finite_name_detector_fold_and_objects():
    with pytest.raises(
        ScoreError, match=r"detector 'mine', fold 0: 20 of 20 scores .*first: \d+, "
    ):
        fitted(returns(lambda s: s * np.nan))


def test_constant_scores_are_refused_in_every_form():
    class EachFitItsOwn(Distance):
        def score(self, x):
            return np.full(len(x), float(self.centre[0]))

    with pytest.raises(ScoreError, match="same score"):
        fitted(returns(np.zeros_like))
    with pytest.raises(ScoreError, match="same score"):
        in_sample(lambda fold: returns(np.zeros_like)(), vectors(), name="mine")
    with pytest.raises(ScoreError, match="fold 0: all 20 objects"):
        fitted(EachFitItsOwn)
    with pytest.raises(ScoreError, match="tells fits apart, not objects"):
        fitted(EachFitItsOwn, vectors(20))


def test_a_small_fold_may_hold_equal_scores():
    values = np.zeros((10, 1), dtype="f4")
    values[:2] = 5.0  # nine of ten folds then hold one object each, or equal ones
    assert fitted(Distance, Vectors(np.arange(10), values), k=3).scores.max() > 1


def test_a_bug_in_a_detector_keeps_its_own_error_and_says_where():
    class Buggy(Distance):
        def score(self, x):
            return {}["missing"]

    with pytest.raises(KeyError) as caught:
        fitted(Buggy)
    assert caught.value.__notes__ == ["raised in score() of detector 'mine', fold 0"]


def test_fits_without_a_common_scale_are_reported():
    class OwnScale(Distance):
        def fit(self, x):
            super().fit(x)
            self.zero = float(len(self.seen & set(range(0, 400, 2))))  # differs between fits

        def score(self, x):
            return super().score(x) + self.zero

    assert not fitted(Distance, vectors(400)).shift.notable
    got = fitted(OwnScale, vectors(400)).shift
    assert got.notable
    assert "NOT on one scale" in str(got)


def test_repeats_are_no_evidence_of_a_shift():
    x = vectors(40)
    many = Vectors(np.arange(4000), np.repeat(x.values, 100, axis=0))
    a = cross_fit(lambda fold: Distance(), x, np.arange(40), name="m").shift
    b = cross_fit(lambda fold: Distance(), many, np.arange(4000) // 100, name="m").shift
    assert a.p_value == pytest.approx(b.p_value, abs=1e-3)  # the fits' float32 sums differ


class Scatter:
    """Squared Mahalanobis distance: one fit from all objects at once."""

    def fit(self, x):
        values = x.values.astype(np.float64)
        self.mean = values.mean(axis=0)
        self.scatter = np.cov(values.T, bias=True)

    def score(self, x):
        away = x.values - self.mean
        return np.einsum("ij,ij->i", away @ np.linalg.inv(self.scatter), away)

    def details(self, x):
        return {"first": self.mean[0] + np.zeros(len(x))}


class SummedScatter(Scatter):
    """The same from sums: number, values and products."""

    rows_seen: ClassVar[list] = []

    def __init__(self):
        self.n, self.total, self.products = 0, 0.0, 0.0

    def add(self, x):
        self.rows_seen.extend(x.ids.tolist())
        values = x.values.astype(np.float64)
        self.n += len(values)
        self.total = self.total + values.sum(axis=0)
        self.products = self.products + values.T @ values

    def merge(self, other):
        self.n += other.n
        self.total, self.products = self.total + other.total, self.products + other.products

    def subtract(self, other):
        self.n -= other.n
        self.total, self.products = self.total - other.total, self.products - other.products

    fit = add

    def _settle(self):
        self.mean = self.total / self.n
        self.scatter = self.products / self.n - np.outer(self.mean, self.mean)

    def score(self, x):
        self._settle()
        return super().score(x)

    def details(self, x):
        self._settle()
        return super().details(x)


@pytest.fixture
def rows_seen(monkeypatch):
    seen = []
    monkeypatch.setattr(SummedScatter, "rows_seen", seen)
    return seen


@pytest.mark.parametrize("k", [2, 5])
def test_a_fit_that_is_a_sum_sees_each_object_once_and_scores_as_its_plain_twin(rows_seen, k):
    x = vectors(200)
    groups = x.ids // 3
    plain = cross_fit(lambda f: Scatter(), x, groups, k, name="m", details=("first",))
    summed = cross_fit(lambda f: SummedScatter(), x, groups, k, name="m", details=("first",))
    assert sorted(rows_seen) == x.ids.tolist()
    np.testing.assert_allclose(summed.scores, plain.scores, rtol=1e-12)
    np.testing.assert_allclose(summed.details["first"], plain.details["first"], rtol=1e-10)
    assert np.array_equal(summed.fold, plain.fold)
    new = vectors(50, seed=1)
    expected = score_new(plain.detectors, new)
    np.testing.assert_allclose(score_new(summed.detectors, new), expected, rtol=1e-12)


def test_a_sum_is_fitted_like_any_other_where_all_objects_are_taken(rows_seen):
    x = vectors(60)
    plain = in_sample(lambda f: Scatter(), x, name="m")
    summed = in_sample(lambda f: SummedScatter(), x, name="m")
    assert rows_seen == x.ids.tolist()
    np.testing.assert_allclose(summed.scores, plain.scores, rtol=1e-12)


def test_the_fit_of_a_sum_is_guarded_like_any_other():
    got = fitted(SummedScatter)
    with pytest.raises(ShapeError, match="fold 0 was fitted on d=3, got d=4"):
        got.detectors[0].score(vectors(d=4))
    holed = vectors()
    holed.values[7, 1] = np.nan
    with pytest.raises(DataError, match=r"detector 'mine', part \d: 1 of \d+ vectors .* \(7\)"):
        fitted(SummedScatter, holed)
    with pytest.raises(DataError, match="detector 'mine': all 100 vectors are the same"):
        fitted(SummedScatter, Vectors(np.arange(100), np.ones((100, 3), "f4")))


def test_a_sum_that_writes_into_its_input_is_named():
    class Greedy(SummedScatter):
        def add(self, x):
            x.values[:] -= 1

    with pytest.raises(PluginError, match=r"part 0: add\(\) changes its input"):
        fitted(Greedy)


def test_details_of_an_object_are_told_by_the_fit_that_scored_it():
    x = vectors()
    got = fitted(Scatter, x, k=4, details=("first",))
    for i, detector in enumerate(got.detectors):
        centre = detector.detector.mean[0]
        assert (got.details["first"][got.fold == i] == centre).all()
        assert centre == pytest.approx(x.values[got.fold != i, 0].mean(dtype=float), rel=1e-12)
    alone = in_sample(lambda f: Scatter(), x, name="m", details=("first",))
    assert alone.details["first"] == pytest.approx(x.values[:, 0].mean(dtype=float), rel=1e-12)


def test_without_details_in_the_record_nobody_is_asked_for_them():
    class Mute(Distance):
        def details(self, x):
            raise AssertionError("asked")

    assert fitted(Mute).details == {}
    assert in_sample(lambda f: Mute(), vectors(), name="m").details == {}


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
