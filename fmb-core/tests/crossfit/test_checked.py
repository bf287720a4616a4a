"""What the core sees to for every detector: sound input, and answers that keep the contract."""

import numpy as np
import pytest

from fmb.contract.names import ListName, VectorName
from fmb.contract.vectors import Members, Pairs, Vectors
from fmb.crossfit.checked import Checked
from fmb.crossfit.scored import cross_fit, in_sample
from fmb.messages.errors import DataError, NotFittedError, PluginError, ScoreError, ShapeError

IMAGE, SPECTRUM = (VectorName("m", "mean", view) for view in ("image", "spectrum"))
ONE, OTHER = ListName("flow", (IMAGE,)), ListName("flow", (SPECTRUM,))


class First:
    """Scores are the first number of each object; nothing of the input is checked."""

    def fit(self, x):
        self.fitted = True

    def score(self, x):
        return first(x).astype(np.float64)

    def details(self, x):
        return {"half": self.score(x) / 2, "double": self.score(x) * 2}


def first(x):
    if isinstance(x, Vectors):
        return x.values[:, 0]
    if isinstance(x, Pairs):
        return x.a[:, 0]
    return next(iter(x.percentiles.values()))


def numbers(n=20, d=3, seed=0):
    return np.random.default_rng(seed).normal(size=(n, d)).astype("f4")


def vectors(values):
    values = np.asarray(values, dtype=np.float32)
    return Vectors(np.arange(len(values)), values)


def pairs(a, b):
    return Pairs(np.arange(len(a)), a, b, False, (IMAGE, SPECTRUM))


def members(one, other):
    return Members(np.arange(len(one)), {ONE: np.asarray(one), OTHER: np.asarray(other)})


def checked(x=None, detector=First):
    made = Checked(detector(), "detector 'mine'")
    if x is not None:
        made.fit(x)
    return made


def holes(value):
    values = numbers()
    values[[3, 4, 7, 8, 9, 11], [0, 1, 2, 0, 1, 2]] = value
    return values


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize(
    "make",
    [
        vectors,
        lambda values: pairs(values, numbers()),
        lambda values: pairs(numbers(), values),
        lambda values: members(np.ones(20), values.min(axis=1) + values.max(axis=1)),
    ],
    ids=["vectors", "the one of a pair", "the other", "members"],
)
def test_values_that_are_not_finite_are_counted_and_named(make, value):
    bad, good = make(holes(value)), make(numbers())
    message = (
        r"detector 'mine': 6 of 20 vectors hold values that are not finite"
        r" \(3, 4, 7, 8, 9, \.\.\.\); mark these objects as not valid in this view"
    )
    with pytest.raises(DataError, match=message):
        checked().fit(bad)
    fitted = checked(good)
    for ask in (fitted.score, lambda x: fitted.details(x, ("half", "double"))):
        with pytest.raises(DataError, match=message):
            ask(bad)


def test_a_value_that_is_not_finite_is_found_beyond_the_first_block():
    values = numbers(5000)
    values[4999, 2] = np.nan
    with pytest.raises(DataError, match=r"1 of 5000 vectors .* \(4999\)"):
        checked().fit(vectors(values))


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (vectors([[1, 2, 3]]), "got 1 vectors of dimension 3; a fit needs at least 2"),
        (vectors(np.empty((0, 3))), "got 0 vectors of dimension 3; a fit needs at least 2"),
        (vectors(np.empty((5, 0))), "got 5 vectors of dimension 0"),
        (pairs(numbers(1, 3), numbers(1, 4)), "got 1 vectors of dimension 3 and 4"),
        (Members(np.arange(4), {}), "got 4 vectors of dimension 0"),
        (vectors(np.full((9, 3), 0.1)), "all 9 vectors are the same, so none is strange"),
        (pairs(np.ones((9, 2)), np.zeros((9, 2))), "all 9 vectors are the same"),
        (members(np.ones(9), np.full(9, 0.5)), "all 9 vectors are the same"),
    ],
)
def test_what_nothing_can_be_fitted_to_is_refused(x, message):
    with pytest.raises(DataError, match=f"^detector 'mine': {message}"):
        checked().fit(x)


def test_one_number_that_differs_is_enough():
    values = np.zeros((3000, 2))
    values[2999, 1] = 1e-7
    assert checked(vectors(values)).score(vectors([[5, 0]])).tolist() == [5]
    half = pairs(np.ones((9, 2), "f4"), numbers(9))
    assert len(checked(half).score(half)) == 9


def test_one_object_or_none_can_be_scored():
    fitted = checked(vectors(numbers()))
    assert fitted.score(vectors([[7, 0, 0]])).tolist() == [7]
    assert fitted.score(vectors(np.empty((0, 3)))).shape == (0,)


def test_another_width_than_the_fitted_one_is_refused():
    fitted = checked(vectors(numbers()))
    for ask in (fitted.score, lambda x: fitted.details(x, ("half", "double"))):
        with pytest.raises(ShapeError, match="detector 'mine' was fitted on d=3, got d=4; embed"):
            ask(vectors(numbers(d=4)))
    with pytest.raises(ShapeError, match="fitted on d=3 and 4, got d=3 and 5"):
        checked(pairs(numbers(d=3), numbers(d=4))).score(pairs(numbers(d=3), numbers(d=5)))


def test_scores_before_a_fit_are_refused():
    unfitted = checked()
    for ask in (unfitted.score, lambda x: unfitted.details(x, ("half", "double"))):
        with pytest.raises(NotFittedError, match="detector 'mine': fit it before asking"):
            ask(vectors(numbers()))


def test_a_fit_that_failed_is_none():
    class Failing(First):
        def fit(self, x):
            raise DataError("no")

    failed = checked(detector=Failing)
    with pytest.raises(DataError, match=r"^no"):
        failed.fit(vectors(numbers()))
    with pytest.raises(NotFittedError):
        failed.score(vectors(numbers()))


def test_what_needs_no_fit_scores_at_once_any_width():
    ready = checked().accept()
    assert ready.score(vectors([[4, 1]])).tolist() == [4]
    assert ready.score(vectors([[4, 1, 0]])).tolist() == [4]
    with pytest.raises(DataError, match="not finite"):
        ready.score(vectors([[np.nan, 1]]))


def test_details_are_those_of_the_record_in_its_order():
    table = checked(vectors(numbers())).details(vectors([[4, 0, 0], [6, 0, 0]]), ("double", "half"))
    assert list(table) == ["double", "half"]
    assert table["half"].tolist() == [2, 3]


def telling(details):
    class Telling(First):
        def details(self, x):
            return details(x)

    return Telling


@pytest.mark.parametrize(
    ("details", "message"),
    [
        (lambda x: None, r"details\(\) gives NoneType, its record names half"),
        (lambda x: [1.0], r"details\(\) gives list, its record names half"),
        (lambda x: {}, r"details\(\) gives nothing, its record names half"),
        (lambda x: {"other": first(x)}, r"details\(\) gives other, its record names half"),
        (
            lambda x: {"half": first(x).astype(float), "other": first(x)},
            r"details\(\) gives half, other, its record names half",
        ),
        (
            lambda x: {"half": first(x)},
            r"details\(\)\['half'\] returned a float32 array; return a NumPy array of float64",
        ),
        (
            lambda x: {"half": first(x)[1:].astype(float)},
            r"details\(\)\['half'\] returned shape \(19,\) for 20 objects",
        ),
    ],
)
def test_details_that_are_not_those_of_the_record_are_refused(details, message):
    x = vectors(numbers())
    with pytest.raises(PluginError, match=f"^detector 'mine': {message}"):
        checked(x, telling(details)).details(x, ("half",))


def test_a_detail_that_is_not_finite_is_refused():
    x = vectors(numbers())
    bad = telling(lambda x: {"half": np.full(len(x), np.nan)})
    with pytest.raises(ScoreError, match="detector 'mine': 20 of 20"):
        checked(x, bad).details(x, ("half",))


def test_a_detector_that_writes_into_its_details_input_is_named():
    def greedy(x):
        x.values[:] = 0
        return {"half": first(x).astype(float)}

    x = vectors(numbers())
    with pytest.raises(PluginError, match=r"detector 'mine': details\(\) changes its input"):
        checked(x, telling(greedy)).details(x, ("half",))
    assert np.array_equal(x.values, numbers())


def test_the_columns_of_its_input_cannot_be_written_either():
    class Greedy(First):
        def fit(self, x):
            x.columns["magnitude"][:] = 0.0

    x = Vectors(np.arange(20), numbers(), {"magnitude": np.ones(20)})
    with pytest.raises(PluginError, match=r"fit\(\) changes its input"):
        checked(x, Greedy)
    assert (x.columns["magnitude"] == 1).all()


def test_a_report_is_what_the_detector_says_and_nothing_where_it_says_nothing():
    class Reporting(First):
        def report(self):
            return {"note": "fell back"}

    assert checked().report() == {}
    assert checked(detector=Reporting).report() == {"note": "fell back"}


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (vectors(holes(np.nan)), "not finite"),
        (vectors(np.full((20, 3), 0.1)), "vectors are the same"),
    ],
)
def test_both_ways_of_fitting_see_to_it(x, message):
    with pytest.raises(DataError, match=rf"detector 'mine'(, fold \d)?: .*{message}"):
        cross_fit(lambda fold: First(), x, x.ids, name="mine")
    with pytest.raises(DataError, match=f"detector 'mine': .*{message}"):
        in_sample(lambda fold: First(), x, name="mine")


def test_a_fold_too_small_to_fit_is_refused():
    x = vectors([[1.0], [2.0]])
    with pytest.raises(DataError, match="fold 0: got 1 vectors of dimension 1"):
        cross_fit(lambda fold: First(), x, x.ids, 2, name="mine", folds=[0, 1])
