"""Code of others that prints and draws from global generators, so that nobody else notices."""

import random
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout

import numpy as np

__all__ = ["contained"]


@contextmanager
def contained(seed: int) -> Iterator[None]:
    """Global random generators start from a seed in here and are as they were afterwards.

    What is printed is talk, which goes to stderr.
    """
    states = random.getstate(), np.random.get_state()  # noqa: NPY002  # theirs is the global one
    torch = sys.modules.get("torch")  # of methods that need it, which have imported it
    torch_state = None if torch is None else torch.get_rng_state()
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002  # theirs
    if torch is not None:
        torch.manual_seed(seed)
    try:
        with redirect_stdout(sys.stderr):
            yield
    finally:
        random.setstate(states[0])
        np.random.set_state(states[1])  # noqa: NPY002  # theirs
        if torch is not None:
            torch.set_rng_state(torch_state)
