"""Processes of this machine: the engine `local`, and jobs of this run side by side."""

import multiprocessing
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import AbstractContextManager
from typing import Any

from joblib import Parallel, cpu_count, delayed
from pydantic import Field

from fmb.contract.config import Config
from fmb.contract.engine import Resources

__all__ = ["LocalEngine", "LocalEngineConfig", "side_by_side"]


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
        return ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn"))


def side_by_side(
    function: Callable[..., Any], jobs: Iterable[tuple[Any, ...]], n: int, *, worth_it: bool
) -> Iterator[Any]:
    """The results of `function(*job)`, in the order of the jobs, as they come.

    The processes stay for the next call: the first pays a few seconds for them. Arrays that are
    mapped from files are mapped again there, not sent.

    Args:
        function: its module and name are sent; what it raises is raised here.
        jobs: arguments of each call, plain values and arrays.
        n: their number.
        worth_it: False = all in this process, one after the other.
    """
    workers = min(cpu_count(), n) if worth_it else 1
    calls = (delayed(function)(*job) for job in jobs)
    results: Iterator[Any] = Parallel(n_jobs=workers, return_as="generator")(calls)
    return results
