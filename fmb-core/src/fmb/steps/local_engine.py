"""Processes of this machine: the engine `local`."""

import multiprocessing
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import AbstractContextManager

from joblib import cpu_count
from pydantic import Field

from fmb.contract.config import Config
from fmb.contract.engine import Resources
from fmb.store.processes import end_with_parent

__all__ = ["LocalEngine", "LocalEngineConfig"]


class LocalEngineConfig(Config):
    """Options of the engine `local`."""

    workers: int | None = Field(default=None, gt=0)
    """Processes; left out: one for each core."""


class LocalEngine:
    """Processes that start afresh: forked ones would share handles of files and thread pools."""

    def __init__(self, config: LocalEngineConfig) -> None:
        self._workers = config.workers or cpu_count()

    def executor(self, resources: Resources) -> AbstractContextManager[Executor]:
        """A pool of processes, as many as would share the cores with what each takes."""
        workers = max(1, self._workers // max(1, resources.cpus))
        context = multiprocessing.get_context("spawn")
        return ProcessPoolExecutor(workers, mp_context=context, initializer=end_with_parent)
