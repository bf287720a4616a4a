"""Killed, interrupted, out of space: what is finished stays, and a resume ends where it should."""

import errno
import multiprocessing
import os
import signal
import time
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

N_OBJECTS = 192
SHARDS = 12
EMBED = (
    "embed", "--model", "astropt", "--weights", "random", "--data", "survey.toml",
    "--set", "run.shard_rows=16", "--batch-size", "8",
)  # fmt: skip
CHILD = """
import os, sys
os.environ["FMB_HOME"] = {home!r}
os.chdir({cwd!r})
from fmb.cli import main
main({args!r}, prog_name="fmb")
"""


@pytest.fixture(scope="module")
def context():
    """Children that start with everything imported, so that a kill hits the work."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["fmb.cli.embed", "fmb.torch", "fmb_astropt.model"])
    return context


def start(context, cwd: Path, home: str, args=EMBED):
    code = CHILD.format(home=str(cwd / home), cwd=str(cwd), args=list(args))
    process = context.Process(target=exec, args=(code, {}))
    process.start()
    return process


def bodies(home: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(home)): path.read_bytes()
        for path in sorted((home / "embeddings").glob("*/shard-*"))
    }


@pytest.mark.slow
def test_twenty_kills_at_random_moments_leave_the_bytes_of_an_undisturbed_run(
    tmp_path, context, make_survey
):
    make_survey(tmp_path, n=N_OBJECTS)
    quiet = start(context, tmp_path, "undisturbed")
    quiet.join()
    expected = bodies(tmp_path / "undisturbed")
    assert len(expected) == 2 * 3 * SHARDS
    rng = np.random.default_rng(20)
    hit = 0
    for kill in range(20):
        home = tmp_path / f"home-{kill}"
        process = start(context, tmp_path, home.name)
        wanted, jitter = rng.integers(0, SHARDS), rng.uniform(0, 0.03)
        while len(list(home.glob("embeddings/*image*/shard-*.json"))) < wanted:
            assert process.is_alive() or process.exitcode == 0
            time.sleep(0.001)
        time.sleep(jitter)
        process.kill()
        process.join()
        hit += process.exitcode == -signal.SIGKILL
        for name, body in bodies(home).items():
            if name.endswith(".json"):  # a sidecar promises a whole body
                assert body == expected[name]
        resumed = start(context, tmp_path, home.name)
        resumed.join()
        assert resumed.exitcode == 0
        assert bodies(home) == expected
    assert hit >= 15


STAGES = ("shard-", "scores", "cutouts", "plots", "manifest")
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


@pytest.mark.parametrize("place", ["shard-", "scores", "plots", "manifest"])
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
