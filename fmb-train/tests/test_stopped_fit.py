"""A training that is stopped, killed or out of space goes on where it was."""

import errno
import os
from pathlib import Path

import pytest
import torch

from fmb import FailedError, StoreError
from fmb_train.fit import fit


def losses(history, *columns):
    columns = columns or ("train_loss", "validation_loss", "learning_rate")
    return [[row.get(name) for name in columns] for row in history]


class Stopped(Exception):
    """Ends a training from outside."""


def test_a_full_disk_leaves_the_last_checkpoint_and_the_training_goes_on(job_of, monkeypatch):
    expected = fit(job_of("undisturbed"))
    honest, count = os.fsync, 0

    def full(handle):
        nonlocal count
        count += "checkpoint" in os.readlink(f"/proc/self/fd/{handle}")
        if count == 3:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        honest(handle)

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(FailedError, match="no space left"):
            fit(job_of())
    job = job_of()
    assert (job.folder / "checkpoint.safetensors").exists()
    assert not list(job.folder.glob(".*.tmp"))
    done = fit(job, resume=True)
    assert losses(done.history) == losses(expected.history)


def test_a_kill_after_the_last_checkpoint_loses_no_row_of_the_history(job_of, monkeypatch):
    """Five checkpoints: of the starting weights and of each of four epochs."""
    honest, checkpoints = Path.replace, 0

    def killed(path, target):
        nonlocal checkpoints
        honest(path, target)
        checkpoints += target.name == "checkpoint.safetensors"
        if checkpoints == 5:
            raise Stopped

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", killed)
        with pytest.raises(Stopped):
            fit(job_of())
    job = job_of()
    assert len(fit(job, resume=True).history) == 5
    assert len((job.folder / "history.csv").read_text().splitlines()) == 1 + 5


@pytest.mark.parametrize("stop_at", [0, 1, 5, 6, 7, 20])
def test_a_training_stopped_after_any_update_ends_as_an_undisturbed_one(job_of, line, stop_at):
    class Stopping(line):
        left = stop_at

        def loss(self, inputs):
            if self.module.training:
                if self.left == 0:
                    raise Stopped
                self.left -= 1
            return super().loss(inputs)

    options = {"checkpoint_steps": 2, "patience": 0}
    undisturbed = job_of("undisturbed", task=line(dropout=0.2), **options)
    expected = fit(undisturbed)
    with pytest.raises(Stopped):
        fit(job_of(task=Stopping(dropout=0.2), **options))
    resumed = job_of(task=line(dropout=0.2), **options)
    done = fit(resumed, resume=True)
    assert losses(done.history) == losses(expected.history)
    assert (done.samples, done.updates) == (expected.samples, expected.updates)
    for ours, theirs in zip(
        resumed.task.module.parameters(), undisturbed.task.module.parameters(), strict=True
    ):
        assert torch.equal(ours, theirs)


def test_a_damaged_or_foreign_checkpoint_is_refused(job_of, line):
    job = job_of()
    fit(job)
    path = job.folder / "checkpoint.safetensors"
    whole = path.read_bytes()
    path.write_bytes(whole[:-7])
    with pytest.raises(StoreError, match="damaged"):
        fit(job_of(), resume=True)
    path.write_bytes(whole)
    other = line()
    other.module = torch.nn.Linear(1, 1)
    with pytest.raises(StoreError, match="another network"):
        fit(job_of(task=other), resume=True)
