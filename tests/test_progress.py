"""Long work has a name, is told in steps and ends; where nobody looks nothing is written."""

import io
import os
import pty
import subprocess
import sys

import numpy as np
import pytest

import fmb as public

N, FOLDS = 40, 5


class Terminal(io.StringIO):
    def isatty(self):
        return True


def stages(told):
    """Work by name, in order, with all that was told of it."""
    seen = {}
    for what, done, total in told:
        seen.setdefault(what, []).append((done, total))
    return seen


def test_every_part_of_a_run_has_a_name_and_an_end(home, survey):
    told = []
    public.run(
        model="astropt", weights="random", data=str(survey), detector="gaussian", view="image",
        progress=lambda *line: told.append(line),
    )  # fmt: skip
    seen = stages(told)
    assert list(seen) == [
        "check weights",
        "read survey.toml",
        "load astropt",
        "look for vectors of astropt",
        "embed astropt",
        "find repeats",
        "fit detectors",
        "keep cutouts",
        "draw figures",
    ]
    for what, steps in seen.items():
        assert steps[0][0] == 0, what
        assert steps[-1][0] == steps[-1][1], what
    assert {total for _, total in seen["embed astropt"]} == {N}
    fits = [done for done, _ in seen["fit detectors"]]
    assert fits == sorted(fits)  # a fit that is a sum does all folds side by side
    assert (fits[0], fits[-1]) == (0, 5)


@pytest.fixture
def vectors(home, tmp_path):
    values = np.random.default_rng(0).normal(size=(N, 4)).astype(np.float32)
    np.savez(tmp_path / "v.npz", object_id=np.arange(N), image=values, spectrum=values[:, ::-1])
    return {"embeddings": "v.npz", "detector": "gaussian", "plot": "score-histogram"}


def test_lists_that_are_kept_count_as_fitted(vectors):
    told = []
    public.run(**vectors, out="first", progress=public.quiet)
    public.run(**vectors, out="second", progress=lambda *line: told.append(line))
    assert stages(told)["fit detectors"] == [(0, 16), (5, 16), (10, 16), (15, 16), (16, 16)]


def test_a_call_on_a_terminal_shows_progress_unless_told_not_to(vectors, monkeypatch):
    monkeypatch.setattr(sys, "stderr", Terminal())
    public.run(**vectors, out="first")
    assert "fit detectors: 16 in 0:0" in sys.stderr.getvalue()
    monkeypatch.setattr(sys, "stderr", Terminal())
    public.run(**vectors, out="second", progress=public.quiet)
    assert sys.stderr.getvalue() == ""


def on_terminal(*command):
    """What a command writes to stderr where that is a terminal of 80 columns."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "fmb", *command], stdout=subprocess.DEVNULL, stderr=theirs
    ) as process:
        os.close(theirs)
        text = b""
        while True:
            try:
                some = os.read(ours, 4096)
            except OSError:  # the other end is closed
                break
            if not some:
                break
            text += some
    os.close(ours)
    assert process.returncode == 0
    return text.decode()


def test_a_command_on_a_terminal_tells_what_it_does_in_one_line(vectors):
    command = ("detect", "--embeddings", "v.npz", "--detector", "gaussian", "--out", "mine")
    shown = on_terminal(*command)
    lines = [line.rstrip() for line in shown.replace("\r\n", "\n").replace("\r", "\n").split("\n")]
    assert "start ..." in lines
    assert any(line.startswith("fit detectors: 16 in ") for line in lines)
    assert max(map(len, lines)) <= 80
    assert on_terminal("-q", *command[:-1], "other") == ""


def test_a_log_has_no_progress_of_short_work(vectors, fmb):
    done = fmb("detect", "--embeddings", "v.npz", "--detector", "gaussian")
    assert done.exit_code == 0
    assert "fit detectors" not in done.stderr
