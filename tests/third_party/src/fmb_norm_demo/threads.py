"""An engine: threads of this process."""

from concurrent.futures import ThreadPoolExecutor

from fmb import Config

__all__ = ["Threads", "ThreadsConfig"]


class ThreadsConfig(Config):
    workers: int = 2
    """How many."""


class Threads:
    """Threads share what is loaded; torch lets go of the lock while it computes."""

    def __init__(self, config):
        self.workers = config.workers

    def executor(self, resources):
        """A pool that is closed at the end of the block."""
        return ThreadPoolExecutor(self.workers)
