"""A training in a child, and one that nothing disturbed."""

import multiprocessing
from pathlib import Path

import numpy as np
import pytest
from small_training import CHILD, OPTIONS


@pytest.fixture(scope="session")
def place(tmp_path_factory, make_survey) -> Path:
    """A folder with a survey of 40 objects; three have no image, two no spectrum."""
    folder = tmp_path_factory.mktemp("retrain")

    def absent(arrays):
        arrays["image/flux"][[3, 8, 20]] = np.nan
        arrays["spectrum/flux"][[5, 31]] = np.nan

    make_survey(folder, change=absent)
    return folder


@pytest.fixture(scope="session")
def context():
    """Children that start with everything imported, so that a kill hits the work."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["fmb_train.command", "fmb_train.retrain", "fmb_astropt.model"])
    return context


@pytest.fixture(scope="session")
def start(place, context):
    """Start `fmb` in a child: start(arguments)."""

    def run(*args):
        code = CHILD.format(home=str(place / "home"), cwd=str(place), args=[str(a) for a in args])
        process = context.Process(target=exec, args=(code, {}))
        process.start()
        return process

    return run


@pytest.fixture(scope="session")
def undisturbed(place, start) -> Path:
    """A finished training."""
    process = start(*OPTIONS, "--out", "undisturbed")
    process.join()
    assert process.exitcode == 0
    return place / "undisturbed"


@pytest.fixture
def fmb_there(fmb, place, monkeypatch):
    """`fmb` in this process, where the survey is."""
    monkeypatch.chdir(place)
    monkeypatch.setenv("FMB_HOME", str(place / "home"))
    return fmb
