"""A part of a plugin that fails, or reuses its arrays, spoils nothing else of a run."""

import numpy as np
import pytest

from fmb import open_run

N = 60
BROKEN_FIGURE = """
from fmb import DetectorSpec, PlotSpec, hookimpl

FMB_API = 1


@hookimpl
def fmb_register_plots():
    yield PlotSpec(name="broken", summary="Fails", target="broken_parts:Broken", per="list")
    yield PlotSpec(name="leaving", summary="Leaves", target="broken_parts:Leaving", per="run")


@hookimpl
def fmb_register_detectors():
    yield DetectorSpec(name="unsaved", summary="S", target="broken_parts:Unsaved")
    yield DetectorSpec(
        name="reusing", summary="S", target="broken_parts:Reusing", persistent=False,
        details={"twice": ""},
    )
"""
PARTS = """
import sys
import numpy as np


class Broken:
    def __init__(self, config): pass
    def draw(self, data): return 1 / 0


class Leaving:
    def __init__(self, config): pass
    def draw(self, data): sys.exit(0)


class Unsaved:
    def __init__(self, config, *, seed, device): pass
    def fit(self, x): pass
    def score(self, x): return np.arange(len(x), dtype=float)


class Reusing(Unsaved):
    def score(self, x):
        self.buffer = x.values[:, 0].astype(float)
        return self.buffer

    def details(self, x):
        self.buffer *= 2
        return {"twice": self.buffer}
"""


@pytest.fixture
def broken(tmp_path, monkeypatch):
    """A plugin whose parts fail, installed."""
    info = tmp_path / "site" / "broken_dist-1.2.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: broken-dist\nVersion: 1.2\n")
    (info / "entry_points.txt").write_text("[fmb]\nbroken = broken_plugin\n")
    (info.parent / "broken_plugin.py").write_text(BROKEN_FIGURE)
    (info.parent / "broken_parts.py").write_text(PARTS)
    monkeypatch.syspath_prepend(str(info.parent))


def write_vectors(path, seed=0, ids=None):
    values = np.random.default_rng(seed).normal(size=(N, 4)).astype(np.float32)
    np.savez(path, object_id=np.arange(N) if ids is None else ids, v=values)


def done(result):
    assert result.exit_code == 0, result.stderr
    return result


@pytest.mark.parametrize(("name", "why"), [("broken", "ZeroDivisionError"), ("leaving", "Exit")])
def test_a_figure_that_fails_takes_neither_the_run_nor_the_others_down(
    broken, fmb, survey, home, name, why
):
    result = fmb(
        "run", "--model", "astropt", "--weights", "random", "--detector", "gaussian", "--data",
        survey, "--view", "image", "--plot", name, "--plot", "score-histogram", "--out", "mine",
    )  # fmt: skip
    assert result.exit_code == 1
    said = f"(plot {name!r} of plugin 'broken' (broken-dist 1.2) failed at 'tiny"
    (line,) = [line for line in result.stderr.splitlines() if line.startswith("fmb: ")]
    assert said in line
    assert why in line
    assert "Traceback" in (home / "runs" / "mine" / "run.log").read_text()
    assert open_run("mine").manifest["figures"] == [
        "plots/astropt.mean.image.gaussian.score-histogram.png"
    ]


def test_a_detector_that_cannot_be_saved_is_refused_before_it_is_fitted(broken, fmb, tmp_path):
    write_vectors(tmp_path / "v.npz")
    result = fmb("detect", "--embeddings", "v.npz", "--detector", "unsaved")
    assert result.exit_code == 2
    assert result.stderr == (
        "fmb: detector 'unsaved' of plugin 'broken' has no save(): write it, or say"
        " persistent=False in its record\n"
    )


def test_what_a_detector_does_with_its_arrays_later_changes_no_score(broken, fmb, tmp_path):
    write_vectors(tmp_path / "v.npz")
    done(fmb("detect", "--embeddings", "v.npz", "--detector", "reusing", "--fit", "in-sample"))
    run = open_run()
    first = np.load(tmp_path / "v.npz")["v"][:, 0].astype(float)
    np.testing.assert_array_equal(run.scores("own.as-is.v.reusing")["score"], first)
    np.testing.assert_array_equal(run.details("own.as-is.v.reusing")["twice"], 2 * first)
