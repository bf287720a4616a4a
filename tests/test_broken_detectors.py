"""Scores of others that are none: one line and exit 2, alike; a bug keeps its traceback."""

import sys

import numpy as np
import pytest

PLUGIN = """
import numpy as np

from fmb import DetectorSpec, hookimpl

FMB_API = 1


class Odd:
    def __init__(self, config, *, seed, device):
        pass

    def fit(self, x):
        pass

    def score(self, x):
        return {scores}


@hookimpl
def fmb_register_detectors():
    yield DetectorSpec(
        name="odd", summary="Scores of its own", target="odd_plugin:Odd", persistent=False
    )
"""


@pytest.fixture
def detect(fmb, home, tmp_path, monkeypatch):
    """`fmb detect` by an installed detector whose score is the given expression."""
    info = tmp_path / "site" / "fmb_odd-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: fmb-odd\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[fmb]\nodd = odd_plugin\n")
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    monkeypatch.delitem(sys.modules, "odd_plugin", raising=False)
    values = np.random.default_rng(0).normal(size=(60, 3)).astype(np.float32)
    np.savez("v.npz", object_id=np.arange(60), v=values)

    def run(scores):
        (tmp_path / "site" / "odd_plugin.py").write_text(PLUGIN.format(scores=scores))
        return fmb("detect", "--embeddings", "v.npz", "--detector", "odd")

    return run


@pytest.mark.parametrize(
    ("scores", "told"),
    [
        ("x.values[:, 0]", "returned a float32 array"),
        ("np.zeros((len(x), 1))", "returned shape (12, 1) for 12 objects"),
        ("np.full(len(x), np.nan)", "12 of 12 scores are not finite"),
        ("np.where(x.ids == 7, np.inf, 1.0 * x.ids)", "scores are not finite (first: 7)"),
        ("np.ones(len(x))", "have the same score 1"),
    ],
)
def test_scores_that_are_none_are_refused_in_a_line(detect, scores, told):
    result = detect(scores)
    assert result.exit_code == 2
    (line,) = [one for one in result.stderr.splitlines() if one.startswith("fmb: ")]
    assert "'own v (as-is), odd'" in line
    assert told in line


def test_a_bug_keeps_its_traceback(detect):
    with pytest.raises(ZeroDivisionError) as caught:
        detect("1 / 0")
    assert "raised in score() of detector" in caught.value.__notes__[0]
