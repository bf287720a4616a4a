"""Other processes that work for this one."""

import multiprocessing
import os
import threading
import time

__all__ = ["end_with_parent"]

LOOK_SECONDS = 1.0


def end_with_parent() -> None:
    """Have this process end when the one that started it is gone, killed or not.

    What starts processes gives them this as their initializer: of their own they wait for ever for
    work from somebody who is dead.
    """
    starter = multiprocessing.parent_process()
    parent = os.getppid() if starter is None else starter.pid  # it may be gone already

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(LOOK_SECONDS)
        os._exit(1)  # nothing to clean up: what is not published is nobody's

    threading.Thread(target=watch, name="end-with-parent", daemon=True).start()
