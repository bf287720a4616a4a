"""Objects that are new to a run, and those that it has too, by whatever tells."""

from collections.abc import Mapping
from hashlib import blake2b

import numpy as np
import pandas as pd

from fmb.contract.arrays import Array
from fmb.contract.names import VectorName
from fmb.contract.vector_view import VectorView
from fmb.datasets.copies import host_texts
from fmb.datasets.groups import RADIUS_ARCSEC, group_keys, nearest_place
from fmb.files.ids import locate
from fmb.lists.judged import Survey
from fmb.messages.errors import StoreError
from fmb.runs.run import Run
from fmb.runs.stored_vectors import read_inputs
from fmb.scoring.folds import group_codes

__all__ = ["Shared"]


class Shared:
    """Which objects of a survey a run has too, and the folds it has them in.

    An object is the same where its id is, or that of the host of a changed copy, where all that a
    model read of it is, where its own vector is, and where it lies within 1 arcsec.
    """

    def __init__(self, base: Run, survey: Survey, inputs: Mapping[VectorName, Array]) -> None:
        """Of the objects of `survey`.

        Args:
            base: the run.
            survey: the objects.
            inputs: (n, 16) digests of what was read of each for the vectors that models made.
        """
        self._base = base
        ids = base.objects["object_id"].to_numpy()
        self.rows = locate(survey.ids, ids)
        """(n,), int64: the row of `base.objects` that is the same object; -1 = it is new."""
        if survey.copies.any():
            hosts = host_texts(survey.objects).to_numpy(dtype=np.str_)
            self._note(locate(hosts, ids.astype(np.str_)))
        self.alike: dict[VectorName, Array] = {}
        """Vectors -> (n,), int64: the row of `base.objects` with the same; -1 = none."""
        for name in base.vector_names:
            if name in inputs:
                theirs = read_inputs(base.folder.vectors(name))
                self.alike[name] = _same(_texts(inputs[name]), _texts(theirs))
            elif name in survey.views:
                self.alike[name] = _same_vectors(base, name, survey.views[name])
        for found in self.alike.values():
            self._note(found)
        if {"ra", "dec"} <= set(base.objects) & set(survey.objects):
            self._note(nearest_place(survey.objects, base.objects, RADIUS_ARCSEC))

    def _note(self, found: Array) -> None:
        self.rows = np.where(self.rows < 0, found, self.rows)

    def folds(self, table: pd.DataFrame) -> Array:
        """(n,), float64: the fold of the run's list that an object, or a repeat of it, is in.

        -1 = one fit has seen it; NaN = none has.

        Args:
            table: the list, aligned with the run's objects.
        """
        there = self.rows >= 0
        folds = np.full(len(self.rows), np.nan)
        if there.any():
            codes, keys = group_codes(group_keys(self._base.objects))
            of_group = np.full(len(keys), np.nan)
            fold = table["fold"].to_numpy(dtype=np.float64, na_value=np.nan)
            known = np.isfinite(fold)
            of_group[codes[known]] = fold[known]
            folds[there] = of_group[codes[self.rows[there]]]
        return folds


def _texts(digests: Array) -> Array:
    """(n,) of bytes: one value a row, b"" where all of it is zero, for there is no input."""
    return np.ascontiguousarray(digests).view(f"S{digests.shape[1]}").ravel()


def _same(mine: Array, theirs: Array) -> Array:
    """(n,): where the same value stands in `theirs`, -1 where it does not or is empty."""
    keys, first = np.unique(theirs, return_index=True)
    at = locate(mine, keys)
    return np.where((at >= 0) & (mine != b""), first[at], -1)


def _same_vectors(base: Run, name: VectorName, view: VectorView) -> Array:
    """(n,): the row of the run's object with the same numbers."""
    try:
        theirs = base.vectors(name)
    except StoreError:  # they are gone: ids and places tell alone
        return np.full(view.n, -1)
    return _same(_digests(view), _digests(theirs))


def _digests(view: VectorView) -> Array:
    """(n,) of bytes, b"" where an object has no vector."""
    found = np.full(view.n, b"", dtype="S16")
    for rows, block in view.blocks():
        values = np.ascontiguousarray(block, dtype=np.float32)
        found[rows] = [blake2b(row.tobytes(), digest_size=16).digest() for row in values]
    return found
