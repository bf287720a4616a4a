"""A run that is interrupted while it writes, or meets a full disk, is gone on with."""

import errno
import os
from contextlib import contextmanager

import pytest

STAGES = ("part-", "scores", "cutouts", "figures/", "plots", "manifest")
"""What is being written when Ctrl-C comes: part of the path."""


@contextmanager
def interrupted_writing(place, monkeypatch):
    """Ctrl-C comes while a file whose path holds `place` is written."""
    honest = os.fsync

    def interrupted(handle: int) -> None:
        if place in os.readlink(f"/proc/self/fd/{handle}"):
            raise KeyboardInterrupt
        honest(handle)

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", interrupted)
        yield


RUN = (
    "run", "--model", "astropt", "--weights", "random", "--detector", "gaussian",
    "--view", "image", "--plot", "score-histogram", "--out", "mine",
)  # fmt: skip


@pytest.mark.parametrize("stage", STAGES)
def test_ctrl_c_leaves_an_unfinished_run_that_resumes(fmb, survey, home, stage, monkeypatch):
    with interrupted_writing(stage, monkeypatch):
        result = fmb(*RUN, "--data", survey)
    assert result.exit_code == 130
    assert result.stderr.count("interrupted") == 1
    assert "--resume --out mine" in result.stderr
    assert "unfinished" in fmb("runs").stdout
    assert fmb("top", "mine").exit_code == 2
    resumed = fmb("run", "--resume", "--out", "mine")
    assert resumed.exit_code == 0, resumed.stderr
    assert "finished" in fmb("runs").stdout
    assert fmb("top", "mine").exit_code == 0


def test_a_resumed_run_gives_what_an_undisturbed_one_gives(fmb, survey, home, monkeypatch):
    undisturbed = fmb(*RUN[:-1], "other", "--data", survey)
    assert undisturbed.exit_code == 0

    with interrupted_writing("scores", monkeypatch):
        assert fmb(*RUN, "--data", survey).exit_code == 130
    fmb("run", "--resume", "--out", "mine")
    name = "scores/astropt.mean.image.gaussian.parquet"
    one, other = ((home / "runs" / run / name).read_bytes() for run in ("mine", "other"))
    assert one == other


def test_a_run_is_not_resumed_with_another_configuration(fmb, survey, home):
    assert fmb(*RUN, "--data", survey).exit_code == 0
    result = fmb("run", "--resume", "--out", "mine", "--seed", 3)
    assert result.exit_code == 2
    assert "another run.seed" in result.stderr


@pytest.mark.parametrize("place", ["part-", "scores", "figures", "plots", "manifest"])
def test_a_full_disk_is_one_line_and_nothing_looks_finished(fmb, survey, home, place, monkeypatch):
    honest = os.fsync

    def full(handle: int) -> None:
        if place in os.readlink(f"/proc/self/fd/{handle}"):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        honest(handle)

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        result = fmb(*RUN, "--data", survey)
    assert result.exit_code == 1
    assert result.stderr.count("no space left") == 1
    assert "unfinished" in fmb("runs").stdout
    assert not list(home.rglob("*.tmp"))
    assert fmb("run", "--resume", "--out", "mine").exit_code == 0
