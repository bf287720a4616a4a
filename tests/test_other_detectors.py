"""Detectors by neighbours, trees, clumps and PyOD from the command line."""

import subprocess
import sys

import numpy as np
import pytest

from fmb import open_run

ABSENT = """
import sys
from importlib.machinery import PathFinder

found = PathFinder.find_spec
PathFinder.find_spec = lambda name, *rest: (
    None if name.partition(".")[0] == "pyod" else found(name, *rest)
)
from fmb.cli import main

main(sys.argv[1:], prog_name="fmb")
"""
CLUMP = slice(50, 58)


@pytest.fixture
def vectors(tmp_path):
    """300 vectors: one far out, eight nearly the same."""
    rng = np.random.default_rng(0)
    values = rng.normal(size=(300, 12)).astype(np.float32)
    values[7] *= 8
    values[CLUMP] = values[50] + 1e-3 * rng.normal(size=(8, 12))
    np.savez(tmp_path / "v.npz", object_id=1000 + np.arange(300), embeddings=values)
    return values


def refused(result):
    assert result.exit_code == 2, result.stderr
    (line,) = result.stderr.splitlines()
    return line


def test_each_has_a_list_and_its_details(fmb, vectors):
    named = ("knn", "iforest", "lof", "typical")
    asked = [word for name in named for word in ("--detector", name)]
    done = fmb("detect", "--embeddings", "v.npz", *asked, "--out", "all")
    assert done.exit_code == 0, done.stderr
    run = open_run("all")
    lists = {one.detector: one for one in run.lists}
    assert tuple(lists) == named
    for name in ("knn", "iforest", "lof"):
        assert run.top(1, list=name)["object_id"].tolist() == [1007]
    assert set(run.top(8, list="typical")["object_id"]) == set(range(1050, 1058))
    shown = fmb("object", "1050", "--run", "all").stdout
    assert "typical embeddings: nearest 0.00" in shown
    assert ", clump 1 (number of its clump" in shown
    assert ", clump_size " in shown
    assert "clumps of more than 5 objects that are all but the same" in done.stderr


def test_in_sample_a_clump_is_seen_whole(fmb, vectors):
    options = ("--detector", "typical", "--fit", "in-sample", "--out", "whole")
    assert fmb("detect", "--embeddings", "v.npz", *options).exit_code == 0
    (name,) = open_run("whole").lists
    size = open_run("whole").details(name)["clump_size"].to_numpy()
    assert size[CLUMP].tolist() == [8.0] * 8
    assert np.delete(size, np.arange(50, 58)).max() <= 5


def test_more_neighbours_than_objects_are_one_line(fmb, vectors):
    for name in ("knn", "lof", "typical"):
        asked = ("--detector", name, "--set", f"detector.{name}.k=300", "--out", name)
        line = refused(fmb("detect", "--embeddings", "v.npz", *asked))
        assert f"fmb: {name}: " in line
        assert "fitted objects do not have 300 neighbours each; set its option k to 2" in line


def test_a_method_of_pyod_is_a_list_under_its_label(fmb, vectors):
    pytest.importorskip("pyod", reason="PyOD is not installed")
    asked = ("detect", "--embeddings", "v.npz", "--detector", "ecod=pyod")
    assert "detector.ecod.method must be given" in refused(fmb(*asked))
    method = ("--set", "detector.ecod.method=ECOD")
    options = ("--set", "detector.ecod.options.contamination=0.1")
    done = fmb(*asked, *method, *options, "--out", "theirs")
    assert done.exit_code == 0, done.stderr
    run = open_run("theirs")
    assert [one.detector for one in run.lists] == ["ecod"]
    assert run.top(1)["object_id"].tolist() == [1007]


def test_without_pyod_its_detector_says_what_to_install_and_others_work(home, vectors):
    def absent(*words):
        command = [sys.executable, "-c", ABSENT, *words]
        return subprocess.run(command, capture_output=True, text=True)

    detect = ("detect", "--embeddings", "v.npz", "--detector")
    done = absent(*detect, "ecod=pyod", "--set", "detector.ecod.method=ECOD")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "fmb: detector 'pyod' is not available: pip install 'fmb-detectors[pyod]'\n"
    )
    assert absent(*detect, "knn").returncode == 0
    assert "fmb-detectors[pyod]" in absent("plugins").stdout
