"""Tables of what lists, and runs, have in common."""

from itertools import combinations

import pandas as pd

from fmb import Config

__all__ = ["Common", "Shared", "SharedConfig"]


class SharedConfig(Config):
    k: int = 10
    """How many of the strangest objects of each list are compared."""


class Shared:
    """Objects among the k strangest of two lists of a run."""

    def __init__(self, config, *, seed):
        self.k = config.k

    def analyze(self, runs, progress):
        """One row for every two lists: their names and the number of objects they share."""
        (run,) = runs
        tops = {name.stem: set(run.ranked(name)["object_id"][: self.k]) for name in run.lists}
        rows = [(a, b, len(tops[a] & tops[b])) for a, b in combinations(tops, 2)]
        return {"pairs": pd.DataFrame(rows, columns=["a", "b", "shared"])}


class Common:
    """Objects that two runs have in common."""

    def __init__(self, config, *, seed):
        pass

    def analyze(self, runs, progress):
        """One row for every two runs."""
        ids = {run.name: set(run.objects["object_id"]) for run in runs}
        rows = [(a, b, len(ids[a] & ids[b])) for a, b in combinations(ids, 2)]
        return {"objects": pd.DataFrame(rows, columns=["a", "b", "common"])}
