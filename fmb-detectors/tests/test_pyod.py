"""Methods of PyOD: found by name, given options and seed, scored as PyOD scores them."""

import random

import numpy as np
import pytest

from fmb import ConfigError, DataError, Vectors, build
from fmb.testing import DetectorContract

pytest.importorskip("pyod", reason="PyOD is not installed: pip install 'fmb-detectors[pyod]'")

from fmb_detectors.contained import contained
from fmb_detectors.plugin import fmb_register_detectors
from fmb_detectors.pyod import PyodDetector
from fmb_detectors.pyod_config import PyodConfig
from fmb_detectors.pyod_methods import methods

(RECORD,) = (one for one in fmb_register_detectors() if one.name == "pyod")


class TestContractOfHistograms(DetectorContract):
    spec = RECORD

    def make(self, seed=0):
        return PyodDetector(PyodConfig(method="HBOS"), seed=seed, device="cpu")


class TestContractOfNeighbours(DetectorContract):
    spec = RECORD

    def make(self, seed=0):
        return PyodDetector(PyodConfig(method="KNN"), seed=seed, device="cpu")


def vectors(n=200, d=6, seed=0):
    values = np.random.default_rng(seed).normal(size=(n, d)).astype(np.float32)
    return Vectors(np.arange(n), values)


def made(method, seed=0, **options):
    config = build(PyodConfig, {"method": method, "options": options}, "detector.theirs")
    return PyodDetector(config, seed=seed)


def refusal(**given):
    with pytest.raises(ConfigError) as caught:
        build(PyodConfig, given, "detector.theirs")
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_in_sample_scores_are_decision_scores_and_new_ones_the_decision_function():
    from pyod.models.knn import KNN

    fit, new = vectors(), vectors(50, seed=1)
    detector, direct = made("KNN", n_neighbors=3), KNN(n_neighbors=3).fit(fit.values)
    detector.fit(fit)
    assert np.array_equal(detector.score(fit), direct.decision_scores_)
    assert np.array_equal(detector.score(new), direct.decision_function(new.values))
    mixed = Vectors(np.r_[fit.ids[:5], 900 + new.ids], np.vstack([fit.values[:5], new.values]))
    assert np.array_equal(detector.score(mixed)[:5], direct.decision_scores_[:5])


def test_a_method_that_draws_gets_the_seed_unless_it_is_given_one():
    from pyod.models.iforest import IForest

    x = vectors()
    for seed, options in ((5, {}), (6, {"random_state": 5})):
        detector = made("IForest", seed=seed, **options)
        detector.fit(x)
        direct = IForest(random_state=5).fit(x.values)
        assert np.array_equal(detector.score(x), direct.decision_scores_)


def test_code_that_draws_from_global_generators_repeats_itself_and_leaves_no_trace():
    before = random.getstate(), np.random.get_state()[2]  # noqa: NPY002  # the one that is meant
    draws = []
    for seed in (1, 1, 2):
        with contained(seed):
            draws.append((random.random(), np.random.random()))  # noqa: NPY002
    assert draws[0] == draws[1]
    assert not set(draws[0]) & set(draws[2])
    assert before == (random.getstate(), np.random.get_state()[2])  # noqa: NPY002


def test_a_method_of_torch_repeats_itself_and_prints_no_result(capfd):
    import torch

    before, scores = torch.get_rng_state(), []
    for seed in (1, 1):
        detector = made("MO_GAAL", seed=seed, stop_epochs=1)
        detector.fit(vectors())
        scores.append(detector.score(vectors(seed=1)))
    assert np.array_equal(scores[0], scores[1])
    assert torch.equal(torch.get_rng_state(), before)
    said = capfd.readouterr()
    assert said.out == ""
    assert "Epoch" in said.err


def test_methods_are_those_that_take_vectors():
    known = methods()
    assert {"ECOD", "HBOS", "KPCA", "AutoEncoder", "MO_GAAL"} <= set(known)
    assert not {"BaseDetector", "DOMINANT", "LSTMAD", "AudioAE", "EmbeddingOD"} & set(known)


def test_a_method_must_be_named():
    assert refusal() == "detector.theirs.method must be given; it has no default"


def test_a_misspelt_method_or_option_gets_a_suggestion():
    assert refusal(method="ECOT") == (
        "detector.theirs.method = 'ECOT': no method of PyOD is called 'ECOT'; did you mean 'ECOD'?"
    )
    assert refusal(method="ECOD", options={"contaminatoin": 0.1}).endswith(
        "no option of ECOD is called 'contaminatoin'; did you mean 'contamination'?"
    )


def test_what_a_method_does_not_take_is_said_before_anything_is_computed():
    assert "makes no ECOD: contamination must be in" in refusal(
        method="ECOD", options={"contamination": 7}
    )
    assert "missing 1 required positional argument: 'n_features'" in refusal(method="DeepSVDD")
    assert "DevNet learns from labels, which a detector is not given" in refusal(method="DevNet")


def test_vectors_that_a_method_does_not_take_are_one_line():
    with pytest.raises(DataError, match="PyOD's MAD does not take these: MAD algorithm is just"):
        made("MAD").fit(vectors())


def test_another_version_makes_another_list(monkeypatch):
    before = PyodConfig(method="ECOD").model_dump(mode="json")
    monkeypatch.setattr("fmb_detectors.pyod_methods.version", lambda name: "99")
    assert PyodConfig(method="ECOD").model_dump(mode="json") == {**before, "pyod": "99"}
