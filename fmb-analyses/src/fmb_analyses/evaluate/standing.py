"""Where the objects of a run stand in one of its lists, each source once, copies beside them."""

from dataclasses import dataclass

import numpy as np

from fmb import Array, ListName, Run, StoreError
from fmb.datasets import changed_copies
from fmb.scoring import group_codes

__all__ = ["Standing", "standing_of"]


@dataclass(frozen=True, eq=False)
class Standing:
    """A list as measures see it; arrays have a row for each object of the run."""

    score: Array
    """(n,), float64, higher is stranger; NaN where an object is not in the list."""
    rank: Array
    """(n,), float64, 1 = strangest; of a copy the rank it would have in place of its host."""
    listed: Array
    """(n,), bool: objects that stand in the list, one of each source."""
    source: Array
    """(n,), int: rows of one source, copies included, share a number."""

    @property
    def n(self) -> int:
        """How many sources are ranked."""
        return int(self.listed.sum())

    def of_source(self, rows: Array) -> Array:
        """(n,), bool: True for every row of a source of which one of `rows` (n,) is true."""
        some = np.zeros(int(self.source.max()) + 1, dtype=bool)
        some[self.source[rows]] = True
        chosen: Array = some[self.source]
        return chosen


def standing_of(run: Run, name: ListName, groups: Array) -> Standing:
    """Where the objects of a run stand in a list.

    Args:
        run: the run.
        name: one of its lists.
        groups: (n,) keys of the sources, from `fmb.datasets.group_keys`.

    Raises:
        StoreError: copies stand in the list, which was made before they were held out.
    """
    table = run.scores(name)
    score = table["score"].to_numpy(dtype=np.float64)
    repeat = table["is_repeat"].astype("boolean").fillna(False).to_numpy(dtype=bool)
    listed = np.isfinite(score) & ~repeat
    if (listed & changed_copies(run.objects)).any():
        raise StoreError(
            f"run {run.name!r} ranks planted copies among the objects they were made from; make it"
            f" anew: fmb run --config {run.folder.request} --out {run.name}-2"
        )
    rank = table["rank"].to_numpy(dtype=np.float64)
    return Standing(score, rank, listed, group_codes(groups)[0])
