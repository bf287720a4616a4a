"""Work of the scripts on all cores."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from joblib import Parallel, cpu_count, delayed

from fmb.store import end_with_parent


def side_by_side(
    function: Callable[..., Any], jobs: Iterable[tuple[Any, ...]], n: int, *, worth_it: bool
) -> Iterator[Any]:
    """The results of `function(*job)`, in the order of the jobs, as they come.

    Args:
        function: its module and name are sent; what it raises is raised here.
        jobs: arguments of each call.
        n: their number.
        worth_it: False = all in this process, one after the other.
    """
    workers = min(cpu_count(), n) if worth_it else 1
    calls = (delayed(function)(*job) for job in jobs)
    results: Iterator[Any] = Parallel(workers, return_as="generator", initializer=end_with_parent)(
        calls
    )
    return results
