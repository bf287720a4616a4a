"""The contract finds each fault by its own check, and lets a sound detector through."""

import ctypes
import random
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from fmb.contract.errors import DataError, NotFittedError, ShapeError
from fmb.contract.vectors import Vectors
from fmb.testing import DetectorContract
from fmb.testing.global_generators import global_states, seeded_globally

pytestmark = pytest.mark.filterwarnings("ignore:.*encountered in.*:RuntimeWarning")


class Sound:
    """Distance from the mean in standard deviations; each fault below changes one thing."""

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed
        self.mean = None

    def fit(self, x: Vectors) -> None:
        values = self._checked(x)
        if np.all(values == values[0]):
            raise DataError("all vectors are equal; nothing is strange among them")
        self.mean, self.std = values.mean(axis=0), values.std(axis=0)

    def score(self, x: Vectors) -> np.ndarray:
        if self.mean is None:
            raise NotFittedError("fit before score")
        values = self._checked(x)
        if values.shape[1] != len(self.mean):
            raise ShapeError(f"fitted on d={len(self.mean)}, got d={values.shape[1]}")
        return np.sqrt(np.sum(((values - self.mean) / self.std) ** 2, axis=1))

    def save(self, folder: Path) -> None:
        np.savez(folder / "state.npz", mean=self.mean, std=self.std)

    @classmethod
    def load(cls, folder: Path) -> "Sound":
        detector = cls()
        with np.load(folder / "state.npz", allow_pickle=False) as state:
            detector.mean, detector.std = state["mean"], state["std"]
        return detector

    def _checked(self, x: Vectors) -> np.ndarray:
        if not np.isfinite(x.values).all():
            raise DataError("vectors hold values that are not finite")
        return x.values.astype(np.float64)


class Upended(Sound):
    def score(self, x):
        return -super().score(x)


class Unseeded(Sound):
    def fit(self, x):
        super().fit(x)
        self.mean = self.mean + np.random.default_rng().normal(size=self.mean.shape)


class SeededByTheWorld(Sound):
    def fit(self, x):
        super().fit(x)
        self.mean = self.mean + np.random.default_rng(random.getstate()[1][1]).normal()


class Positional(Sound):
    def score(self, x):
        return super().score(x) + 0.1 * np.arange(len(x))


class Relative(Sound):
    def score(self, x):
        score = super().score(x)
        return score - 0.1 * score.mean()


class InPlace(Sound):
    def score(self, x):
        score = super().score(x)
        x.values[:] -= self.mean.astype(np.float32)
        return score


class InPlaceByForce(Sound):
    def fit(self, x):
        super().fit(x)
        ctypes.memset(x.values.ctypes.data, 0, 4)


class Reordering(Sound):
    def fit(self, x):
        super().fit(x)
        if x.ids.flags.writeable:
            x.ids.sort()
        else:
            ctypes.memset(x.ids.ctypes.data, 1, 8)


class Forgetful(Sound):
    def save(self, folder):
        np.savez(folder / "state.npz", mean=self.mean, std=np.ones_like(self.std))


class Coarse(Sound):
    def save(self, folder):
        np.savez(folder / "state.npz", mean=self.mean.astype(np.float16), std=self.std)


class Single(Sound):
    def score(self, x):
        return super().score(x).astype(np.float32)


class Column(Sound):
    def score(self, x):
        return super().score(x)[:, None]


class Listing(Sound):
    def score(self, x):
        return list(super().score(x))


class Overflowing(Sound):
    def score(self, x):
        score = super().score(x)
        return np.where(score > 20, np.inf, score)


class Binary(Sound):
    def score(self, x):
        return (super().score(x) > 20).astype(np.float64)


class Obliging(Sound):
    def score(self, x):
        return np.zeros(len(x)) if self.mean is None else super().score(x)


class Unready(Sound):
    def score(self, x):
        return self.mean[:0].sum() + super().score(x) if self.mean is None else super().score(x)


class Trimming(Sound):
    def score(self, x):
        d = x.values.shape[1] if self.mean is None else len(self.mean)
        return super().score(Vectors(x.ids, np.resize(x.values.T, (d, len(x))).T))


class Broadcasting(Sound):
    def score(self, x):
        if self.mean is not None:
            x.values - self.mean
        return super().score(x)


class Filling(Sound):
    def _checked(self, x):
        return np.nan_to_num(x.values.astype(np.float64), nan=0.0, posinf=0.0)


class FillingInScore(Sound):
    def score(self, x):
        return super().score(Vectors(x.ids, np.nan_to_num(x.values, nan=0.0, posinf=0.0)))


class Undaunted(Sound):
    def fit(self, x):
        values = self._checked(x)
        self.mean, self.std = values.mean(axis=0), values.std(axis=0) + 1e-9


class Verbose(Sound):
    def fit(self, x):
        try:
            super().fit(x)
        except DataError as error:
            lines = "\n" if "equal" in str(error) else "; "
            raise DataError(f"{error}{lines}see the manual") from error


class Silent(Sound):
    def score(self, x):
        if self.mean is None:
            raise NotFittedError
        return super().score(x)


class Seeding(Sound):
    def fit(self, x):
        super().fit(x)
        np.random.seed(self.seed)  # noqa: NPY002, the fault


class Advancing(Sound):
    def score(self, x):
        random.random()
        return super().score(x)


class SeedingTorch(Sound):
    def fit(self, x):
        super().fit(x)
        pytest.importorskip("torch").manual_seed(self.seed)


class ShortDetails(Sound):
    def details(self, x):
        return [{"id": identity} for identity in x.ids[1:]]


class UnprintableReport(Sound):
    def report(self):
        return {"mean": self.mean}


class EndlessReport(Sound):
    def report(self):
        return {"loss": float("nan")}


SIGN = "planted_outliers_get_the_highest_scores"
SEED = "the_same_seed_gives_the_same_scores"
ORDER = "scores_follow_their_rows"
COMPANY = "a_score_does_not_depend_on_the_company"
INPUT = "the_input_is_left_as_it_was"
SAVED = "a_saved_detector_gives_the_same_scores"
FORM = "scores_are_one_float64_an_object"
FINITE = "scores_are_finite"
VARY = "scores_of_ordinary_objects_vary"
UNFITTED = "scoring_before_fitting_is_a_clear_error"
WIDTH = "vectors_of_another_width_are_a_clear_error"
NAN = "a_value_that_is_not_finite_is_a_clear_error"
CONSTANT = "constant_vectors_are_a_clear_error"
GLOBAL = "the_global_random_generators_are_left_alone"
EXTRAS = "the_optional_details_and_report_fit_their_purpose"

# Fault -> the check that must find it, and what it must say.
FAULTS = {
    Upended: (SIGN, "in 0% of pairs: higher must mean stranger"),
    Unseeded: (SEED, "draw from the `seed` argument"),
    SeededByTheWorld: (SEED, "draw from the `seed` argument"),
    Positional: (ORDER, "shuffled objects get other scores"),
    Relative: (COMPANY, "the first 1 objects alone get other scores"),
    InPlace: (INPUT, "read-only vectors are refused"),
    InPlaceByForce: (INPUT, "fit or score has changed its input"),
    Reordering: (INPUT, "fit or score has changed its input"),
    Forgetful: (SAVED, "a loaded detector gives other scores"),
    Coarse: (SAVED, "a loaded detector gives other scores"),
    Single: (FORM, "score gives float32, expected float64"),
    Column: (FORM, "expected (330,)"),
    Listing: (FORM, "score gives list, no array"),
    Overflowing: (FINITE, "30 of 330 scores are not finite"),
    Binary: (VARY, "300 different ordinary objects all get the score 0"),
    Obliging: (UNFITTED, "score before fit must raise NotFittedError, it raises nothing"),
    Unready: (UNFITTED, "it raises TypeError: 'NoneType' object is not subscriptable"),
    Silent: (UNFITTED, "raises NotFittedError without a message"),
    Trimming: (WIDTH, "score of 5 columns after fit on 6 must raise ShapeError, it raises nothing"),
    Broadcasting: (WIDTH, "it raises ValueError: operands could not be broadcast"),
    Filling: (NAN, "fit on vectors with nan must raise FmbError, it raises nothing"),
    FillingInScore: (NAN, "score of vectors with nan must raise FmbError, it raises nothing"),
    Undaunted: (CONSTANT, "fit on constant vectors must raise FmbError, it raises nothing"),
    Verbose: (CONSTANT, "raises a message of several lines"),
    Seeding: (GLOBAL, "the global generator of numpy was used"),
    Advancing: (GLOBAL, "the global generator of random was used"),
    SeedingTorch: (GLOBAL, "the global generator of torch was used"),
    ShortDetails: (EXTRAS, "details gives 329 rows for 330 objects"),
    UnprintableReport: (EXTRAS, "report gives what JSON cannot hold"),
    EndlessReport: (EXTRAS, "report gives what JSON cannot hold"),
}


class TestSound(DetectorContract):
    def make(self, seed=0):
        return Sound(seed)


class TestSoundWithExtras(DetectorContract):
    n_objects, n_dims = 40, 2

    def make(self, seed=0):
        class WithExtras(Sound):
            def details(self, x):
                return [{"id": identity} for identity in x.ids]

            def report(self):
                return {"mean": self.mean.tolist()}

        return WithExtras(seed)


def complaints(detector: type[Sound], tmp_path: Path) -> dict[str, str]:
    """Check -> what it says, for the checks that fail."""
    contract = type("Contract", (DetectorContract,), {"make": lambda self, seed=0: detector(seed)})
    found = {}
    for name in dir(contract):
        if name.startswith("test_"):
            check = getattr(contract(), name)
            try:
                check(tmp_path) if name == f"test_{SAVED}" else check()
            except AssertionError as error:
                found[name.removeprefix("test_")] = str(error)
    return found


@pytest.mark.parametrize(
    ("fault", "check", "message"),
    [(fault, *told) for fault, told in FAULTS.items()],
    ids=[fault.__name__ for fault in FAULTS],
)
def test_each_fault_is_found_by_its_own_check_and_no_other(fault, check, message, tmp_path):
    if fault is SeedingTorch:
        pytest.importorskip("torch")
    found = complaints(fault, tmp_path)
    assert list(found) == [check]
    assert message in found[check]


def test_every_check_finds_some_fault():
    checks = {name for name in dir(DetectorContract) if name.startswith("test_")}
    assert checks == {f"test_{check}" for check, _ in FAULTS.values()}


def test_constant_scores_are_found(tmp_path):
    class Constant(Sound):
        def score(self, x):
            return super().score(x) * 0

    assert set(complaints(Constant, tmp_path)) == {SIGN, VARY}


def test_the_checks_leave_the_global_generators_as_they_found_them(tmp_path):
    with seeded_globally(11):  # a state that the checks themselves never set
        before = global_states()
        assert complaints(Sound, tmp_path) == {}
        assert global_states() == before


AUTHORS_TEST = """
import numpy as np
from fmb.testing import DetectorContract
from fmb.testing.global_generators import global_states, seeded_globally

class TestHollow(DetectorContract):
    def make(self, seed=0):
        class Hollow:
            def score(self, x):
                return np.zeros(len(x))
        return Hollow()

class TestUnfinished(DetectorContract):
    pass
"""


def test_pytest_runs_the_checks_of_a_subclass_and_shows_their_messages(tmp_path):
    (tmp_path / "test_hollow.py").write_text(AUTHORS_TEST)
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "pytest", "-p", "no:cacheprovider", "-q", tmp_path],
        capture_output=True,
        text=True,
        cwd=tmp_path,
    )
    n_checks = len({check for check, _ in FAULTS.values()})
    assert f"{2 * n_checks} failed" in done.stdout
    assert "score before fit must raise NotFittedError, it raises nothing" in done.stdout
    assert "TestUnfinished must define make(self, seed=0)" in done.stdout


def test_the_pytest_plugin_loads_nothing_heavy(tmp_path):
    (tmp_path / "test_light.py").write_text(
        "import sys\n"
        "def test_light():\n"
        "    heavy = {'numpy', 'torch', 'pandas', 'pydantic', 'fmb.contract.inputs'}\n"
        "    assert 'fmb.testing.pytest_plugin' in sys.modules\n"
        "    assert not heavy & set(sys.modules)\n"
    )
    # Plugins of others may load what they like.
    ours = ("-p", "fmb.testing.pytest_plugin", "-p", "no:cacheprovider")
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "pytest", *ours, "-q", tmp_path],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={"PATH": "", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
    )
    assert done.returncode == 0, done.stdout + done.stderr
