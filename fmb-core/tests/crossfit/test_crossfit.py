"""Each object is scored by a fit that has not seen it, on one scale, and its details too."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fmb.contract.names import ListName, VectorName
from fmb.contract.vectors import Members, Pairs, Vectors
from fmb.crossfit.fitted import score_each, score_new
from fmb.crossfit.scored import cross_fit, in_sample
from fmb.messages.errors import ConfigError, DataError, ShapeError

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


class Told(Distance):
    """Tells of each object where the fit that scored it has its mean."""

    def fit(self, x):
        self.centre = x.values.mean(axis=0, dtype=np.float64)

    def details(self, x):
        return {"first": self.centre[0] + np.zeros(len(x))}


def test_details_of_an_object_are_told_by_the_fit_that_scored_it():
    x = vectors()
    got = fitted(Told, x, k=4, details=("first",))
    for i, detector in enumerate(got.detectors):
        centre = detector.detector.centre[0]
        assert (got.details["first"][got.fold == i] == centre).all()
        assert centre == pytest.approx(x.values[got.fold != i, 0].mean(dtype=float), rel=1e-12)
    alone = in_sample(lambda f: Told(), x, name="m", details=("first",))
    assert alone.details["first"] == pytest.approx(x.values[:, 0].mean(dtype=float), rel=1e-12)


def test_without_details_in_the_record_nobody_is_asked_for_them():
    class Mute(Distance):
        def details(self, x):
            raise AssertionError("asked")

    assert fitted(Mute).details == {}
    assert in_sample(lambda f: Mute(), vectors(), name="m").details == {}


class Summed(Distance):
    """The same from sums of blocks."""

    def __init__(self):
        self.n, self.sum, self.seen = 0, 0.0, set()

    def add(self, x):
        self.n, self.sum = self.n + len(x), self.sum + x.values.sum(axis=0, dtype=float)
        self.seen |= set(x.ids.tolist())

    def merge(self, other):
        self.n, self.sum = self.n + other.n, self.sum + other.sum
        self.seen |= other.seen

    def finish(self):
        self.centre = self.sum / self.n

    def score(self, x):
        self.centre = self.sum / self.n
        return super().score(x)


@pytest.mark.parametrize("detector", [Distance, Summed])
def test_what_fits_may_not_see_is_scored_by_the_fit_of_its_fold_and_changes_no_other_score(
    detector,
):
    x = vectors(60)
    copies = Vectors(np.arange(60, 80), x.values[:20] + 50, {})
    both = Vectors(np.arange(80), np.concatenate([x.values, copies.values]), {})
    groups = np.concatenate([np.arange(60), np.arange(20)])
    alone = cross_fit(lambda fold: detector(), x, groups[:60], 5, name="mine")
    seen = np.arange(80) < 60
    got = cross_fit(lambda fold: detector(), both, groups, 5, name="mine", fitted=seen)
    assert np.array_equal(got.scores[:60], alone.scores)
    assert np.array_equal(got.fold[60:], got.fold[:20])
    assert got.shift == alone.shift
    for fit in got.detectors:
        assert not {i for i in fit.detector.seen if i >= 60}
    for row in (60, 71):
        others = x.values[alone.fold != got.fold[row]].astype(float)
        expected = ((both.values[row] - others.mean(axis=0)) ** 2).sum()
        assert got.scores[row] == pytest.approx(expected, rel=1e-5)  # float32 sums


@pytest.mark.parametrize("detector", [Distance, Summed])
def test_in_sample_too_a_fit_sees_only_what_it_may(detector):
    x, seen = vectors(40), np.arange(40) < 30
    got = in_sample(lambda fold: detector(), x, name="mine", fitted=seen)
    centre = x.values[:30].mean(axis=0)
    assert got.scores == pytest.approx(((x.values - centre) ** 2).sum(axis=1), rel=1e-5)


@pytest.mark.parametrize("detector", [Distance, Summed])
def test_what_fits_may_not_see_must_be_finite_too(detector):
    x = vectors(40)
    x.values[35, 1] = np.nan
    fitted_on = np.arange(40) < 30
    with pytest.raises(DataError, match="35"):
        cross_fit(lambda fold: detector(), x, x.ids, name="mine", fitted=fitted_on)
