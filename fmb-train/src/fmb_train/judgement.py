"""Gives a task all its held-out objects at once, so that it can judge what they show together."""

from collections.abc import Iterable

import numpy as np

from fmb import Array
from fmb.torch import autocast
from fmb_train.job import FitJob
from fmb_train.prepared import Part
from fmb_train.task import JudgingTask

__all__ = ["Judgement"]


class Judgement:
    """What one pass over held-out objects collects; nothing where the task does not judge."""

    def __init__(self, job: FitJob) -> None:
        self._job = job
        self._task = job.task if isinstance(job.task, JudgingTask) else None
        self._found: list[tuple[Array, dict[str, Array]]] = []

    def add(self, parts: Iterable[Part]) -> None:
        """Take the vectors of objects that were just validated."""
        if self._task is None:
            return
        for part in parts:
            with autocast(self._job.device, self._job.precision):
                vectors = self._task.vectors(part.inputs)
            found = {k: v.float().cpu().numpy() for k, v in vectors.items()}
            self._found.append((part.rows, found))

    def figures(self) -> dict[str, float]:
        """The task's figures as columns of the history, the same in every process."""
        if self._task is None:
            return {}
        # Imported here: it brings pandas and scipy, which embedding does without.
        from fmb.datasets import objects_at

        found = [piece for own in self._job.processes.gather(self._found) for piece in own]
        rows = np.concatenate([rows for rows, _ in found])
        order = np.argsort(rows)
        vectors = {
            name: np.concatenate([values[name] for _, values in found])[order]
            for name in found[0][1]
        }
        figures = self._task.judge(objects_at(self._job.dataset, rows[order]), vectors)
        return {f"held_out_{name}": float(value) for name, value in figures.items()}
