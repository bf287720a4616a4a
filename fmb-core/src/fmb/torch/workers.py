"""Processes that read and prepare batches for a loader."""

from fmb.store.processes import end_with_parent

__all__ = ["begin_worker"]


def begin_worker(worker: int) -> None:
    """What a loader's worker does first; the `worker_init_fn` of a `DataLoader`."""
    end_with_parent()  # torch's own watch waits for batches that nobody will take
