"""Something that is done every second beside work that tells nothing meanwhile."""

import time
from collections.abc import Callable
from threading import Thread

__all__ = ["Ticker"]


class Ticker:
    """Calls a function again and again from a thread of its own, until it is stopped.

    `start` and `stop` are called by one thread at a time: whoever calls them holds a lock.

    Args:
        act: what is called.
        seconds: between two calls.
    """

    def __init__(self, act: Callable[[], None], seconds: float) -> None:
        self._act, self._seconds = act, seconds
        self._thread: Thread | None = None

    def start(self) -> None:
        """Begin, or go on."""
        if self._thread is None:
            # A daemon: a command that ends does not wait for it.
            self._thread = Thread(target=self._run, name="fmb-progress", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Call no more; the present thread ends on its own."""
        self._thread = None

    def _run(self) -> None:
        own = self._thread
        while own is self._thread:
            time.sleep(self._seconds)
            self._act()
