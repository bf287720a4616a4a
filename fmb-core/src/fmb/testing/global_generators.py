"""The global random generators, which a component must neither use nor disturb."""
# ruff: noqa: NPY002 -- the global generator of numpy is the subject here

import random
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

__all__ = ["global_states", "seeded_globally"]


@contextmanager
def seeded_globally(seed: int) -> Iterator[None]:
    """Seed the global generators of Python, numpy and a loaded torch; restore them at the end."""
    torch: Any = sys.modules.get("torch")
    numpy_state, python_state = np.random.get_state(), random.getstate()
    torch_state = torch.get_rng_state() if torch else None
    np.random.seed(seed)
    random.seed(seed)
    if torch:
        torch.manual_seed(seed)
    try:
        yield
    finally:
        np.random.set_state(numpy_state)
        random.setstate(python_state)
        if torch:
            torch.set_rng_state(torch_state)


def global_states() -> dict[str, Any]:
    """Library -> the state of its global generator, comparable with ==."""
    torch: Any = sys.modules.get("torch")
    state: Any = np.random.get_state(legacy=False)
    key = state["state"]["key"].tobytes()
    states = {
        "numpy": (key, state["state"]["pos"], state["has_gauss"]),
        "random": random.getstate(),
    }
    if torch:
        states["torch"] = torch.get_rng_state().tolist()
    return states
