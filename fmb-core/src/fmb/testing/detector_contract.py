"""What every detector of scope "single" must do, as a class of pytest checks to subclass."""

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np

from fmb.contract.arrays import Array
from fmb.contract.detector import Detector
from fmb.contract.errors import FmbError, NotFittedError, ShapeError
from fmb.contract.vectors import Vectors
from fmb.testing.global_generators import global_states, seeded_globally

__all__ = ["DetectorContract"]


class DetectorContract:
    """Subclass it in a test module, say how to make your detector, and pytest runs the checks.

    Example:
        class TestNorm(DetectorContract):
            def make(self, seed=0):
                return NormDetector(NormConfig(), seed=seed, device="cpu")

    The data are correlated Gaussian vectors. Every check fits afresh, so give a slow detector a
    small configuration; change the sizes below only when yours needs more objects.
    """

    n_objects = 300
    n_dims = 6
    distance = 20.0
    """Of the planted outliers from the mean, in standard deviations along random directions."""
    tolerance = 1e-3
    """Change of a score, in standard deviations of all scores, that order and company may cause."""

    def make(self, seed: int = 0) -> Detector:
        """An unfitted detector on the CPU."""
        raise NotImplementedError(f"{type(self).__name__} must define make(self, seed=0)")

    def test_planted_outliers_get_the_highest_scores(self) -> None:
        """Higher is stranger, also for objects that `fit` has not seen."""
        detector = self._fitted()
        ordinary = _scores(detector, self._ordinary(2))
        planted = _scores(detector, self._planted())
        share = float(np.mean(planted[:, None] > ordinary[None, :]))
        assert share > 0.95, (
            f"outliers {self.distance:g} standard deviations out score above ordinary objects in"
            f" {share:.0%} of pairs: higher must mean stranger"
        )

    def test_the_same_seed_gives_the_same_scores(self) -> None:
        """Whatever the state of the global random generators."""
        x = self._mixed()
        found = []
        for state in (1, 2):
            with seeded_globally(state):
                found.append(_scores(self._fitted(), x))
        first, second = found
        _assert_same(
            first, second, 1e-6, "two fits with one seed differ: draw from the `seed` argument"
        )

    def test_scores_follow_their_rows(self) -> None:
        """The order of the objects changes the order of the scores and nothing else."""
        x, detector = self._mixed(), self._fitted()
        order = np.random.default_rng(3).permutation(len(x))
        there, back = _scores(detector, x), np.empty(len(x))
        back[order] = _scores(detector, x.take(order))
        _assert_same(there, back, self.tolerance, "shuffled objects get other scores")

    def test_a_score_does_not_depend_on_the_company(self) -> None:
        """An object has one score, alone or among others."""
        x, detector = self._mixed(), self._fitted()
        whole = _scores(detector, x)
        spread = _spread(whole)
        for n in (1, len(x) // 3):
            part = _scores(detector, x.take(np.arange(n)))
            message = f"the first {n} objects alone get other scores than among all {len(x)}"
            _assert_same(whole[:n], part, self.tolerance, message, spread)

    def test_the_input_is_left_as_it_was(self) -> None:
        """Vectors may be a read-only file mapped into memory."""
        x = self._mixed()
        before = x.values.copy(), x.ids.copy()
        x.values.flags.writeable = x.ids.flags.writeable = False
        detector = self.make()
        try:
            detector.fit(x)
            detector.score(x)
        except (ValueError, TypeError, RuntimeError) as error:
            raise AssertionError(f"read-only vectors are refused: {error}") from error
        untouched = np.array_equal(before[0], x.values) and np.array_equal(before[1], x.ids)
        assert untouched, "fit or score has changed its input: work on a copy"

    def test_a_saved_detector_gives_the_same_scores(self, tmp_path: Path) -> None:
        """`load` needs nothing but the folder that `save` was given."""
        x, detector = self._mixed(), self._fitted()
        before = _scores(detector, x)
        folder = tmp_path / "detector"
        folder.mkdir()
        detector.save(folder)
        after = _scores(type(detector).load(folder), x)
        _assert_same(before, after, 1e-6, "a loaded detector gives other scores")

    def test_scores_are_one_float64_an_object(self) -> None:
        """Also for a single object."""
        x, detector = self._mixed(), self._fitted()
        for some in (x, x.take([0])):
            scores = detector.score(some)
            assert isinstance(scores, np.ndarray), f"score gives {type(scores).__name__}, no array"
            assert scores.shape == (len(some),), (
                f"score gives shape {scores.shape} for {len(some)} objects, expected ({len(some)},)"
            )
            assert scores.dtype == np.float64, f"score gives {scores.dtype}, expected float64"

    def test_scores_are_finite(self) -> None:
        """Also those of the strangest objects."""
        scores = _scores(self._fitted(), self._mixed())
        bad = int(np.sum(~np.isfinite(scores)))
        assert bad == 0, f"{bad} of {len(scores)} scores are not finite"

    def test_scores_of_ordinary_objects_vary(self) -> None:
        """A survey without outliers must not end in constant scores, which FMB refuses."""
        scores = _scores(self._fitted(), self._ordinary(2))
        assert len(np.unique(scores)) > 1, (
            f"{len(scores)} different ordinary objects all get the score {scores[0]:g}"
        )

    def test_scoring_before_fitting_is_a_clear_error(self) -> None:
        """`NotFittedError`."""
        detector = self.make()
        x = self._ordinary(1)
        _assert_raises(NotFittedError, "score before fit", partial(detector.score, x))

    def test_vectors_of_another_width_are_a_clear_error(self) -> None:
        """`ShapeError`, for wider and for narrower ones."""
        detector = self._fitted()
        values = self._mixed().values
        for other in (values[:, :-1], np.hstack([values, values[:, :1]])):
            x = _vectors(other.copy())
            what = f"score of {other.shape[1]} columns after fit on {self.n_dims}"
            _assert_raises(ShapeError, what, partial(detector.score, x))

    def test_a_value_that_is_not_finite_is_a_clear_error(self) -> None:
        """In `fit` and in `score`."""
        detector = self._fitted()
        for bad in (np.nan, np.inf):
            values = self._mixed().values
            values[5, 1] = bad
            x = _vectors(values)
            _assert_raises(FmbError, f"fit on vectors with {bad}", partial(self.make().fit, x))
            _assert_raises(FmbError, f"score of vectors with {bad}", partial(detector.score, x))

    def test_constant_vectors_are_a_clear_error(self) -> None:
        """Objects that are all alike have no strangest one."""
        x = _vectors(np.full((self.n_objects, self.n_dims), 3.0, np.float32))

        def fit_and_score() -> None:
            detector = self.make()
            detector.fit(x)
            detector.score(x)

        _assert_raises(FmbError, "fit on constant vectors", fit_and_score)

    def test_the_global_random_generators_are_left_alone(self) -> None:
        """Neither seeded nor advanced: the user's own draws are the user's."""
        x = self._mixed()
        self.make()  # what it imports is imported now, so that all generators are known
        with seeded_globally(4):
            before = global_states()
            detector = self.make()
            detector.fit(x)
            detector.score(x)
            after = global_states()
        changed = [name for name, state in before.items() if after[name] != state]
        assert not changed, f"the global generator of {', '.join(changed)} was used"

    def test_the_optional_details_and_report_fit_their_purpose(self) -> None:
        """`details`: one row an object; `report`: what JSON can hold."""
        x, detector = self._mixed(), self._fitted()
        details = getattr(detector, "details", None)
        if details is not None:
            rows = len(details(x))
            assert rows == len(x), f"details gives {rows} rows for {len(x)} objects"
        report = getattr(detector, "report", None)
        if report is not None:
            try:
                json.dumps(report(), allow_nan=False)
            except (TypeError, ValueError) as error:
                raise AssertionError(f"report gives what JSON cannot hold: {error}") from error

    def _fitted(self) -> Detector:
        detector = self.make()
        detector.fit(self._ordinary(1))
        return detector

    def _ordinary(self, seed: int) -> Vectors:
        """Objects of one population, whichever the seed; new arrays at each call."""
        mixing = np.random.default_rng(0).normal(size=(self.n_dims, self.n_dims))
        mixing += 3 * np.eye(self.n_dims)
        z = np.random.default_rng(seed).normal(size=(self.n_objects, self.n_dims))
        return _vectors(z @ mixing + 1.0)

    def _planted(self) -> Vectors:
        """A tenth as many objects, all far out in every measure of the ordinary ones."""
        values = self._ordinary(3).values[: max(self.n_objects // 10, 5)]
        mean = self._ordinary(1).values.mean(axis=0)
        spread = self._ordinary(1).values.std(axis=0).max()
        direction = values - mean
        direction /= np.linalg.norm(direction, axis=1, keepdims=True)
        return _vectors(mean + self.distance * spread * np.sqrt(self.n_dims) * direction)

    def _mixed(self) -> Vectors:
        """The planted objects first, then ordinary ones."""
        return _vectors(np.vstack([self._planted().values, self._ordinary(2).values]))


def _vectors(values: Array) -> Vectors:
    return Vectors(np.arange(len(values)), np.ascontiguousarray(values, np.float32))


def _scores(detector: Detector, x: Vectors) -> Array:
    """Scores of a copy of `x`, in the agreed form: one fault fails one check."""
    copy = Vectors(x.ids.copy(), x.values.copy())
    return np.asarray(detector.score(copy), np.float64).reshape(-1)


def _spread(scores: Array) -> float:
    return float(np.std(scores[np.isfinite(scores)]))


def _assert_same(
    a: Array, b: Array, tolerance: float, message: str, spread: float | None = None
) -> None:
    allowed = tolerance * (_spread(a) if spread is None else spread)
    worst = np.flatnonzero(~np.isclose(a, b, rtol=0, atol=allowed, equal_nan=True))
    assert worst.size == 0, (
        f"{message}: {worst.size} of {len(a)} scores, for instance {a[worst[0]]:.9g} and"
        f" {b[worst[0]]:.9g}; {allowed:.2g} is allowed"
    )


def _assert_raises(kind: type[FmbError], what: str, act: Callable[[], object]) -> None:
    """The error is of `kind` and its text is one line that says something."""
    error = _raised_by(act)
    if not isinstance(error, kind):
        found = "nothing" if error is None else f"{type(error).__name__}: {error}"
        raise AssertionError(f"{what} must raise {kind.__name__}, it raises {found}") from error
    text = str(error)
    assert text.strip(), f"{what} raises {type(error).__name__} without a message"
    assert "\n" not in text, f"{what} raises a message of several lines: {text!r}"


def _raised_by(act: Callable[[], object]) -> Exception | None:
    try:
        act()
    except Exception as error:
        return error
    return None
