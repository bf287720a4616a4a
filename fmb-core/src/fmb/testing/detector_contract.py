"""What detectors of vectors or of rows of the catalogue must do, as pytest checks to subclass."""

import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, ClassVar, cast

import numpy as np

from fmb.contract.detector import Detector, DetectorSpec, FitsTogether, Summable
from fmb.contract.vectors import Vectors
from fmb.crossfit.checked import Checked
from fmb.messages.errors import PluginError, ScoreError
from fmb.testing.alike import (
    Alone,
    assert_same,
    copied,
    float32_vectors,
    scores_of,
    spread_of,
)
from fmb.testing.global_generators import global_states, seeded_globally

__all__ = ["DetectorContract"]


class DetectorContract:
    """Subclass it in a test module, say how to make your detector, and pytest runs the checks.

    Example:
        class TestNorm(DetectorContract):
            spec = DetectorSpec(name="norm", summary="Distance from the mean",
                                target="mypkg.norm:NormDetector", details={"distance": "sigma"})

            def make(self, seed=0):
                return NormDetector(NormConfig(), seed=seed, device="cpu")

    The data are correlated Gaussian vectors; define `ordinary` for others, or for vectors that come
    with catalogue columns. Every check fits afresh, so give a slow detector a small configuration;
    change the sizes below only when yours needs more objects. What the core sees to (finite values
    of at least two objects that differ, of the fitted width, scored after a fit) no check asks for:
    a detector need not look.
    """

    spec: ClassVar[DetectorSpec | None] = None
    """The detector's record; with it `details` must tell the columns that the record names."""
    persistent: ClassVar[bool] = True
    """False for a detector that cannot be saved; as in the record."""
    n_objects = 300
    n_dims = 6
    distance = 20.0
    """Of the planted outliers from the mean, in standard deviations along random directions."""
    tolerance = 1e-3
    """Change of a score, in standard deviations of all scores, that order and company may cause."""

    def __init_subclass__(cls) -> None:
        if cls.spec is not None and cls.spec.scope not in ("single", "catalogue"):
            raise TypeError(
                f"{cls.__name__}: DetectorContract checks detectors of vectors,"
                f" and {cls.spec.name!r} is of scope {cls.spec.scope!r}; try it with `fmb detect`"
            )

    def make(self, seed: int = 0) -> Detector[Vectors]:
        """An unfitted detector on the CPU."""
        raise NotImplementedError(f"{type(self).__name__} must define make(self, seed=0)")

    def ordinary(self, seed: int) -> Vectors:
        """Objects of one population, whichever the seed; new arrays at each call."""
        mixing = np.random.default_rng(0).normal(size=(self.n_dims, self.n_dims))
        mixing += 3 * np.eye(self.n_dims)
        z = np.random.default_rng(seed).normal(size=(self.n_objects, self.n_dims))
        return float32_vectors(z @ mixing + 1.0)

    def fitted(self) -> Detector[Vectors]:
        """A detector that was fitted on ordinary objects."""
        detector = self.make()
        detector.fit(self.ordinary(1))
        return detector

    def test_planted_outliers_get_the_highest_scores(self) -> None:
        """Higher is stranger, also for objects that `fit` has not seen."""
        detector = self.fitted()
        ordinary = scores_of(detector, self.ordinary(2))
        planted = scores_of(detector, self._planted())
        share = float(np.mean(planted[:, None] > ordinary[None, :]))
        assert share > 0.95, (
            f"outliers {self.distance:g} standard deviations out score above ordinary objects in"
            f" {share:.0%} of pairs: higher must mean stranger"
        )

    def test_the_same_seed_gives_the_same_scores(self) -> None:
        """Whatever the state of the global random generators."""
        x = self._mixed()
        twice = []
        for state in (1, 2):
            with seeded_globally(state):
                twice.append(scores_of(self.fitted(), x))
        first, second = twice
        assert_same(
            first, second, 1e-6, "two fits with one seed differ: draw from the `seed` argument"
        )

    def test_fits_in_one_go_are_those_of_each_alone(self) -> None:
        """`fit_together` is optional; each detector has its own seed and its own objects."""
        together, x, size = [self.make(seed) for seed in range(3)], self._mixed(), self.n_objects
        if not isinstance(together[0], FitsTogether):
            return
        samples = [self.ordinary(1).take(np.arange(size - i * size // 10)) for i in range(3)]
        together[0].fit_together(together, map(copied, samples))
        for seed, (detector, sample) in enumerate(zip(together, samples, strict=True)):
            alone = self.make(seed)
            alone.fit(copied(sample))
            message = f"fitted together, detector {seed} of 0, 1, 2 gives other scores than alone"
            assert_same(scores_of(alone, x), scores_of(detector, x), self.tolerance, message)

    def test_sums_of_parts_are_the_fit_to_all(self) -> None:
        """`add` and `merge` are optional; a part is any objects in any order."""
        parts, x, sample = [self.make() for _ in range(3)], self._mixed(), self.ordinary(1)
        for i, part in enumerate(parts):
            if not isinstance(part, Summable) or not isinstance(parts[0], Summable):
                return
            part.add(copied(sample.take(np.arange(len(sample))[i::3])))
            if i:
                parts[0].merge(part)
        message = "merged sums of three parts give other scores than one fit"
        assert_same(scores_of(self.fitted(), x), scores_of(parts[0], x), self.tolerance, message)

    def test_scores_follow_their_rows(self) -> None:
        """The order of the objects changes the order of the scores and nothing else."""
        x, detector = self._mixed(), self.fitted()
        order = np.random.default_rng(3).permutation(len(x))
        there, back = scores_of(detector, x), np.empty(len(x))
        back[order] = scores_of(detector, x.take(order))
        assert_same(there, back, self.tolerance, "shuffled objects get other scores")

    def test_a_score_does_not_depend_on_the_company(self) -> None:
        """An object has one score, alone or among others."""
        x, detector = self._mixed(), self.fitted()
        whole = scores_of(detector, x)
        spread = spread_of(whole)
        for n in (1, len(x) // 3):
            part = scores_of(detector, x.take(np.arange(n)))
            message = f"the first {n} objects alone get other scores than among all {len(x)}"
            assert_same(whole[:n], part, self.tolerance, message, spread)

    def test_the_input_is_left_as_it_was(self) -> None:
        """Vectors may be a read-only file mapped into memory."""
        x = self._mixed()
        before = x.values.copy(), x.ids.copy()
        x.values.flags.writeable = x.ids.flags.writeable = False
        detector = self.make()
        try:
            detector.fit(x)
            detector.score(x)
            if hasattr(detector, "details"):
                detector.details(x)
        except (ValueError, TypeError, RuntimeError) as error:
            raise AssertionError(f"read-only vectors are refused: {error}") from error
        untouched = np.array_equal(before[0], x.values) and np.array_equal(before[1], x.ids)
        assert untouched, "the detector has changed its input: work on a copy"

    def test_a_saved_detector_gives_the_same_scores(self, tmp_path: Path) -> None:
        """`save` gets an empty folder, and `load` needs nothing but what it finds there."""
        if not (self.persistent and (self.spec is None or self.spec.persistent)):
            return
        x, detector = self._mixed(), self.fitted()
        before = scores_of(detector, x)
        folder = tmp_path / "detector"
        folder.mkdir()
        detector.save(folder)
        after = scores_of(type(detector).load(folder), x)
        assert_same(before, after, 1e-6, "a loaded detector gives other scores")

    def test_scores_are_one_float64_an_object(self) -> None:
        """Also for a single object."""
        x, detector = self._mixed(), self._as_in_a_run()
        for some in (x, x.take([0])):
            try:
                with suppress(ScoreError):
                    detector.score(some)
            except PluginError as error:
                raise AssertionError(str(error)) from error

    def test_scores_are_finite(self) -> None:
        """Also those of the strangest objects."""
        try:
            with suppress(PluginError):
                self._as_in_a_run().score(self._mixed())
        except ScoreError as error:
            raise AssertionError(str(error)) from error

    def test_scores_of_ordinary_objects_vary(self) -> None:
        """A survey without outliers must not end in constant scores, which FMB refuses."""
        scores = scores_of(self.fitted(), self.ordinary(2))
        assert len(np.unique(scores)) > 1, (
            f"{len(scores)} different ordinary objects all get the score {scores[0]:g}"
        )

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

    def test_details_are_those_of_the_record(self) -> None:
        """Each column that the record names, one float64 an object; they are optional."""
        x, detector = self._mixed(), self._as_in_a_run()
        asked = None if self.spec is None else tuple(self.spec.details)
        if not hasattr(self.make(), "details"):
            assert not asked, f"its record names {', '.join(asked or ())}, but it has no details()"
            return
        if asked is None:
            told = detector.detector.details(x)
            asked = tuple(told) if isinstance(told, Mapping) else ()
        try:
            detector.details(x, asked)
        except (PluginError, ScoreError) as error:
            raise AssertionError(str(error)) from error

    def test_scores_with_details_are_those_of_each_alone(self) -> None:
        """`score_with_details` is optional; it gives the pair of what both give."""
        x, detector = self._mixed(), cast(Any, self.fitted())
        if hasattr(detector, "score_with_details"):
            scores, told = detector.score_with_details(copied(x))
            message = "score_with_details gives other {} than alone"
            assert_same(scores_of(detector, x), scores, 1e-6, message.format("scores"))
            for name, values in detector.details(copied(x)).items():
                assert_same(values, told[name], 1e-6, message.format(name))

    def test_the_report_is_what_json_can_hold(self) -> None:
        """`report()` is optional; it goes into the run's manifest."""
        report = getattr(self.fitted(), "report", None)
        if report is not None:
            try:
                json.dumps(dict(report()), allow_nan=False)
            except (TypeError, ValueError) as error:
                raise AssertionError(f"report gives what JSON cannot hold: {error}") from error

    def _as_in_a_run(self) -> Checked:
        """A fitted detector, asked as the core asks it."""
        detector = Checked(Alone(self.make()), "detector")
        detector.fit(self.ordinary(1))
        return detector

    def _planted(self) -> Vectors:
        """A tenth as many objects, all far out in every measure of the ordinary ones."""
        x = self.ordinary(3).take(np.arange(max(self.n_objects // 10, 5)))
        mean = self.ordinary(1).values.mean(axis=0)
        spread = self.ordinary(1).values.std(axis=0).max()
        direction = x.values - mean
        direction /= np.linalg.norm(direction, axis=1, keepdims=True)
        far = mean + self.distance * spread * np.sqrt(self.n_dims) * direction
        return float32_vectors(far, x.columns)

    def _mixed(self) -> Vectors:
        """The planted objects first, then ordinary ones."""
        a, b = self._planted(), self.ordinary(2)
        columns = {role: np.concatenate([a.columns[role], b.columns[role]]) for role in a.columns}
        return float32_vectors(np.vstack([a.values, b.values]), columns)
