"""The training loop, the only one: any model's task, resumable to the bit of its history."""

import logging
import math
import time
from collections import Counter
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

import numpy as np
import torch

from fmb import DataError, FailedError, Progress, quiet
from fmb.store import derive_seed
from fmb_train.checkpoint import (
    changing_tensors,
    load_checkpoint,
    load_tensors,
    restore,
    save_checkpoint,
    save_tensors,
)
from fmb_train.folder import BEST, CHECKPOINT
from fmb_train.history import TrainingState, epoch_line, write_history
from fmb_train.job import FitJob, Fitted
from fmb_train.judgement import Judgement
from fmb_train.prepared import TrainingData, learnable
from fmb_train.update import Updater, settling

__all__ = ["FitJob", "Fitted", "fit"]

logger = logging.getLogger(__name__)

DIVERGED = 10.0
"""A validation loss of so many times the starting one is no bad epoch any more."""


def fit(job: FitJob, *, resume: bool = False, progress: Progress = quiet) -> Fitted:
    """Train until the epochs are over or the validation loss has stopped falling.

    Each update takes `batch_size` objects in an order drawn from seed and epoch. Everything random
    within an update is drawn from seed, update and process, so that a checkpoint holds no state of
    a generator and a resumed training repeats what an undisturbed one does. Torch's global
    generators are left as they were.

    Args:
        job: the task, the survey and the settings.
        resume: go on from the checkpoint in `job.folder`, if there is one.
        progress: told how far it is.

    Raises:
        FailedError: the loss is not finite, or the training diverges; the disk is full.
        StoreError: the checkpoint is damaged or of another network.
    """
    cuda = [torch.cuda.current_device()] if job.device.startswith("cuda") else []
    with torch.random.fork_rng(devices=cuda):
        return _Fit(job, resume, progress).run()


class _Fit:
    """The moving parts of one training."""

    def __init__(self, job: FitJob, resume: bool, progress: Progress) -> None:
        self._job, self._progress = job, progress
        self._config, self._group = job.config, job.processes
        self._data = TrainingData(
            job.dataset,
            np.concatenate([job.training, job.validation]),
            job.sources,
            job.task.preparer,
            workers=job.workers,
            cache_mb=self._config.cache_mb,
            settle=settling(job),
            report=lambda done, total: progress("prepare", done, total),
        )
        self._steps_an_epoch = math.ceil(len(job.training) / self._config.batch_size)
        self._total = self._config.steps or self._config.epochs * self._steps_an_epoch
        self._epochs = math.ceil(self._total / self._steps_an_epoch)
        self._updater = Updater(job, self._total)
        self._state = TrainingState()
        if resume and self._checkpoint.exists():
            held = load_checkpoint(self._checkpoint, job.task.module, self._updater.optimiser)
            self._state = TrainingState(**held["training"])
            self._updater.scaler.load_state_dict(held["scaler"])
            logger.info("resumed after %d of %d updates", self._state.updates, self._total)
        self._group.gather(None)  # nobody writes before everybody has read

    @property
    def _checkpoint(self) -> Path:
        return self._job.folder / CHECKPOINT

    def run(self) -> Fitted:
        """All epochs that are left, then the best weights."""
        state = self._state
        if not state.history:
            self._close_epoch({"epoch": 0, "updates": 0, "learning_rate": 0.0}, 0.0)
        while not self._over():
            self._epoch(state.epoch + 1)
        if state.best_epoch == 0:
            raise FailedError(
                f"no epoch is better than the starting weights, whose validation loss is"
                f" {state.best_loss:.4g}: lower train.learning_rate"
                f" (now {self._config.learning_rate:g})"
            )
        best = self._job.folder / BEST
        restore(best, self._job.task.module, load_tensors(best)[0])
        self._group.gather(None)  # nobody removes the file before everybody has read it
        return Fitted(
            state.history,
            state.best_epoch,
            state.best_loss,
            state.updates,
            state.samples,
            state.seconds,
            state.unusable,
        )

    def _over(self) -> bool:
        waited = self._state.epoch - self._state.best_epoch
        stopped = bool(self._config.patience) and waited >= self._config.patience
        return stopped or self._state.epoch >= self._epochs

    def _epoch(self, epoch: int) -> None:
        state, config, group = self._state, self._config, self._group
        order = np.random.default_rng(derive_seed(self._job.seed, "order", epoch))
        rows = order.permutation(self._job.training)
        left = self._total - (epoch - 1) * self._steps_an_epoch
        starts = range(0, len(rows), config.batch_size)[:left]
        wanted = [rows[at : at + config.batch_size] for at in starts][state.step :]
        shares = [batch[group.rank :: group.world] for batch in wanted]
        micro = config.micro_batch or config.batch_size
        self._job.task.train(True)
        began, seen = time.monotonic(), 0
        for batch, prepared in zip(wanted, self._data.batches(shares, micro), strict=True):
            used, loss = self._updater.update(prepared, len(batch), state.updates, epoch)
            if epoch == 1:
                for why, count in prepared.unusable.items():
                    state.unusable[why] = state.unusable.get(why, 0) + count
            state.updates, state.step = state.updates + 1, state.step + 1
            state.loss_sum, state.loss_count = state.loss_sum + loss, state.loss_count + used
            state.samples += used
            seen += len(batch)
            self._tell(epoch, len(starts), seen / (time.monotonic() - began))
            if state.step % config.checkpoint_steps == 0 and state.step < len(starts):
                self._save(began)
                began, seen = time.monotonic(), 0
        rate = self._updater.rate
        self._close_epoch(
            {"epoch": epoch, "updates": state.updates, "learning_rate": rate},
            time.monotonic() - began,
        )

    def _close_epoch(self, row: dict[str, float], seconds: float) -> None:
        """Validate, note the epoch in the history, keep the weights if they are the best."""
        state = self._state
        if state.loss_count:
            row["train_loss"] = state.loss_sum / state.loss_count
        row |= self._validated(int(row["epoch"]))
        loss = row["validation_loss"]
        state.seconds += seconds
        row["seconds"] = state.seconds
        state.history.append(row)
        state.epoch, state.step, state.loss_sum, state.loss_count = int(row["epoch"]), 0, 0.0, 0
        logger.info("%s", epoch_line(row, self._epochs))
        if loss > DIVERGED * state.history[0]["validation_loss"]:
            raise FailedError(
                f"the training diverges: the validation loss went from"
                f" {state.history[0]['validation_loss']:.4g} to {loss:.4g} in epoch"
                f" {state.epoch}; lower train.learning_rate (now {self._config.learning_rate:g})"
            )
        if loss < state.best_loss:
            state.best_loss, state.best_epoch = loss, state.epoch
            if self._group.first:
                save_tensors(self._job.folder / BEST, changing_tensors(self._job.task.module))
        if self._group.first:
            # Before the checkpoint: after it, a kill in the last epoch would lose its row.
            write_history(self._job.folder, state.history)
        self._save()

    def _save(self, began: float | None = None) -> None:
        state = self._state
        if began is not None:
            state.seconds += time.monotonic() - began
        found = self._group.total(state.unusable)
        state.unusable = {why: int(n) for why, n in found.items()} if self._group.first else {}
        if self._group.first:
            held = {"training": state.as_dict(), "scaler": self._updater.scaler.state_dict()}
            save_checkpoint(self._checkpoint, self._job.task.module, self._updater.optimiser, held)

    def _validated(self, epoch: int) -> dict[str, float]:
        """Mean loss of the held-out objects and of its parts, and what the task judges of them."""
        rows, size = self._job.validation, self._config.batch_size
        share = rows[self._group.rank :: self._group.world]
        batches = [share[at : at + size] for at in range(0, len(share), size)]
        sums, counts = Counter[str](), Counter[str]()
        usable, unusable = Counter[str](), Counter[str]()
        judgement, needs = Judgement(self._job), self._job.task.required
        self._job.task.train(False)
        with torch.inference_mode():
            for prepared in self._data.batches(batches, self._config.micro_batch or size):
                self._updater.measure(prepared, sums, counts, epoch)
                judgement.add(learnable(prepared, needs))
                unusable.update(prepared.unusable)
                for part in prepared.parts:
                    usable.update({slot: len(part.rows) for slot in part.inputs.valid})
        total, number = self._group.total(sums), self._group.total(counts)
        self._require_slots(self._group.total(usable), self._group.total(unusable))
        if not number.get("loss"):
            raise DataError(
                f"no object held out for validation has a usable {' and '.join(needs)}: take more"
                " objects, or hold out more of them with --set train.folds=2"
            )
        means = {name: total[name] / number[name] for name in sorted(total) if number[name]}
        losses = {f"validation_{name}": value for name, value in means.items()}
        return losses | judgement.figures()

    def _require_slots(self, usable: Mapping[str, float], unusable: Mapping[str, float]) -> None:
        """Refuse a slot that no held-out object fills: it would be trained on nothing, unseen."""
        for slot in self._job.sources:
            if not usable.get(slot):
                told = [(n, why) for why, n in unusable.items() if why.startswith(f"{slot}: ")]
                why = max(told)[1].partition(": ")[2] if told else "none was observed"
                others = [other for other in self._job.sources if usable.get(other)]
                raise DataError(
                    f"no object held out for validation has a usable {slot} ({why});"
                    f" train without it: --set 'train.slots={others}'"
                )

    def _tell(self, epoch: int, steps: int, rate: float) -> None:
        state = self._state
        left = (self._total - state.updates) * self._config.batch_size / max(rate, 1e-9)
        mean = state.loss_sum / max(state.loss_count, 1)
        told = f"epoch {epoch} of {self._epochs}: loss {mean:.4g}, {rate:,.0f} objects/s,"
        self._progress(f"{told} {timedelta(seconds=round(left))} left at most", state.step, steps)
