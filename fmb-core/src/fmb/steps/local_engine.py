"""Independent jobs side by side, each in a process of its own where that pays."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from joblib import Parallel, cpu_count, delayed

__all__ = ["side_by_side"]


def side_by_side(
    function: Callable[..., Any], jobs: Iterable[tuple[Any, ...]], n: int, *, worth_it: bool
) -> Iterator[Any]:
    """The results of `function(*job)`, in the order of the jobs, as they come.

    The processes stay for the next call: the first pays a few seconds for them.

    Args:
        function: found by its name in its module; what it raises is raised here.
        jobs: arguments of each call, plain values and arrays.
        n: their number.
        worth_it: False = all in this process, one after the other.
    """
    workers = min(cpu_count(), n) if worth_it else 1
    calls = (delayed(function)(*job) for job in jobs)
    results: Iterator[Any] = Parallel(n_jobs=workers, return_as="generator")(calls)
    return results
