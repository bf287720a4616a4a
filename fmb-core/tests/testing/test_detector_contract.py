"""The contract finds each fault by its own check, and lets a sound detector through."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from faulty_detectors import (
    Advancing,
    Binary,
    BothAtOnce,
    BothButOtherDetails,
    BothButOtherScores,
    Coarse,
    Column,
    DetailsInPlace,
    Dimmed,
    EndlessDetails,
    EndlessReport,
    Fleeting,
    Forgetful,
    InPlace,
    InPlaceByForce,
    Listing,
    NoDetails,
    OtherDetails,
    Overflowing,
    Positional,
    Relative,
    Reordering,
    SeededByTheWorld,
    Seeding,
    SeedingTorch,
    ShortDetails,
    Single,
    SingleDetails,
    Sound,
    Summed,
    SummedWithoutMerging,
    TableDetails,
    Together,
    TogetherOnTheFirstSample,
    TogetherWithOneSeed,
    UncalledDetails,
    UnprintableReport,
    Unseeded,
    Upended,
    WithDetails,
    spec,
)

from fmb.contract.vectors import Vectors
from fmb.testing import DetectorContract
from fmb.testing.global_generators import global_states, seeded_globally

pytestmark = pytest.mark.filterwarnings("ignore:.*encountered in.*:RuntimeWarning")
SIGN = "planted_outliers_get_the_highest_scores"
SEED = "the_same_seed_gives_the_same_scores"
TOGETHER = "fits_in_one_go_are_those_of_each_alone"
ORDER = "scores_follow_their_rows"
COMPANY = "a_score_does_not_depend_on_the_company"
INPUT = "the_input_is_left_as_it_was"
SAVED = "a_saved_detector_gives_the_same_scores"
FORM = "scores_are_one_float64_an_object"
FINITE = "scores_are_finite"
VARY = "scores_of_ordinary_objects_vary"
GLOBAL = "the_global_random_generators_are_left_alone"
SUMS = "sums_of_parts_are_the_fit_to_all"
BOTH = "scores_with_details_are_those_of_each_alone"
DETAILS = "details_are_those_of_the_record"
REPORT = "the_report_is_what_json_can_hold"
# Fault -> the check that must find it, and what it must say.
FAULTS = {
    Upended: (SIGN, "in 0% of pairs: higher must mean stranger"),
    Unseeded: (SEED, "draw from the `seed` argument"),
    SeededByTheWorld: (SEED, "draw from the `seed` argument"),
    TogetherOnTheFirstSample: (TOGETHER, "detector 1 of 0, 1, 2 gives other scores than alone"),
    TogetherWithOneSeed: (TOGETHER, "detector 1 of 0, 1, 2 gives other scores than alone"),
    SummedWithoutMerging: (SUMS, "merged sums of three parts give other scores than one fit"),
    BothButOtherScores: (BOTH, "score_with_details gives other scores than alone"),
    BothButOtherDetails: (BOTH, "score_with_details gives other widest than alone"),
    Positional: (ORDER, "shuffled objects get other scores"),
    Relative: (COMPANY, "the first 1 objects alone get other scores"),
    InPlace: (INPUT, "read-only vectors are refused"),
    InPlaceByForce: (INPUT, "the detector has changed its input"),
    Reordering: (INPUT, "the detector has changed its input"),
    Forgetful: (SAVED, "a loaded detector gives other scores"),
    Coarse: (SAVED, "a loaded detector gives other scores"),
    Single: (FORM, "returned a float32 array; return a NumPy array of float64"),
    Column: (FORM, "returned shape (330, 1) for 330 objects; return (330,)"),
    Listing: (FORM, "returned a list; return a NumPy array of float64"),
    Overflowing: (FINITE, "detector: 30 of 330 scores are"),
    Binary: (VARY, "300 different ordinary objects all get the score 0"),
    Seeding: (GLOBAL, "the global generator of numpy was used"),
    Advancing: (GLOBAL, "the global generator of random was used"),
    SeedingTorch: (GLOBAL, "the global generator of torch was used"),
    DetailsInPlace: (INPUT, "read-only vectors are refused"),
    ShortDetails: (DETAILS, "details()['widest'] returned shape (329,) for 330 objects"),
    SingleDetails: (DETAILS, "details()['widest'] returned a float32 array"),
    TableDetails: (DETAILS, "details() gives list"),
    EndlessDetails: (DETAILS, "not finite"),
    OtherDetails: (DETAILS, "details() gives width, its record names widest"),
    NoDetails: (DETAILS, "its record names widest, but it has no details()"),
    UncalledDetails: (DETAILS, "details() gives widest, its record names"),
    UnprintableReport: (REPORT, "report gives what JSON cannot hold"),
    EndlessReport: (REPORT, "report gives what JSON cannot hold"),
}


class TestSound(DetectorContract):
    def make(self, seed=0):
        return Sound(seed)


class TestOneThatFitsTogether(DetectorContract):
    def make(self, seed=0):
        return Together(seed)


class TestOneThatSums(DetectorContract):
    def make(self, seed=0):
        return Summed(seed)


class TestOneThatTellsBothAtOnce(DetectorContract):
    def make(self, seed=0):
        return BothAtOnce(seed)


class TestSoundWithExtras(DetectorContract):
    n_objects, n_dims = 40, 2
    spec = spec()

    def make(self, seed=0):
        class WithExtras(WithDetails):
            def report(self):
                return {"mean": self.mean.tolist()}

        return WithExtras(seed)


class TestDetailsWithoutARecord(DetectorContract):
    def make(self, seed=0):
        return WithDetails(seed)


class TestOneThatCannotBeSaved(DetectorContract):
    persistent = False

    def make(self, seed=0):
        return Fleeting(seed)


class TestOneWhoseRecordSaysThatItCannotBeSaved(DetectorContract):
    spec = spec(details={}, persistent=False)

    def make(self, seed=0):
        return Fleeting(seed)


class TestOneThatAsksForColumns(DetectorContract):
    def make(self, seed=0):
        return Dimmed(seed)

    def ordinary(self, seed):
        plain = super().ordinary(seed)
        magnitude = np.random.default_rng(seed).uniform(18, 22, len(plain))
        return Vectors(plain.ids, plain.values, {"magnitude": magnitude})


def complaints(detector: type[Sound], tmp_path: Path) -> dict[str, str]:
    """Check -> what it says, for the checks that fail."""
    own = {"make": lambda self, seed=0: detector(seed), "spec": getattr(detector, "spec", None)}
    contract = type("Contract", (DetectorContract,), own)
    said = {}
    for name in dir(contract):
        if name.startswith("test_"):
            check = getattr(contract(), name)
            try:
                check(tmp_path) if name == f"test_{SAVED}" else check()
            except AssertionError as error:
                said[name.removeprefix("test_")] = str(error)
    return said


@pytest.mark.parametrize(
    ("fault", "check", "message"),
    [(fault, *caught) for fault, caught in FAULTS.items()],
    ids=[fault.__name__ for fault in FAULTS],
)
def test_each_fault_is_found_by_its_own_check_and_no_other(fault, check, message, tmp_path):
    if fault is SeedingTorch:
        pytest.importorskip("torch")
    said = complaints(fault, tmp_path)
    assert list(said) == [check]
    assert message in said[check]


def test_every_check_finds_some_fault():
    checks = {name for name in dir(DetectorContract) if name.startswith("test_")}
    assert checks == {f"test_{check}" for check, _ in FAULTS.values()}


def test_constant_scores_are_found(tmp_path):
    class Constant(Sound):
        def score(self, x):
            return super().score(x) * 0

    assert set(complaints(Constant, tmp_path)) == {SIGN, VARY}


def test_a_detector_of_another_scope_is_refused_where_the_class_is_made():
    with pytest.raises(TypeError, match="'sound' is of scope 'pair'; try it with `fmb detect`"):
        type("TestPair", (DetectorContract,), {"spec": spec(scope="pair")})


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
            def fit(self, x):
                pass

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
    # Of the hollow one: the sign, saving, scores that never vary; all of the unfinished one.
    assert f"{3 + n_checks} failed" in done.stdout
    assert "in 0% of pairs: higher must mean stranger" in done.stdout
    assert "300 different ordinary objects all get the score 0" in done.stdout
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
