"""p-values of lists made of lists: what the fits of each member say of the same reference."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd

from fmb.contract.arrays import Array
from fmb.contract.names import ListName
from fmb.contract.vectors import Members
from fmb.crossfit.checked import Checked
from fmb.scoring.fused_p import fused_p_values

__all__ = ["Ordinary", "p_of_rule"]


@dataclass(frozen=True)
class Ordinary:
    """The reference as the fits of the lists made before score it."""

    scores: Callable[[ListName], pd.DataFrame]
    """A list -> a row an object: its id, in canonical order, and a score by each fit."""

    def common(self, names: Sequence[ListName]) -> list[Array]:
        """(m, fits) scores in each of some lists, of those that all of them could score."""
        tables = [self.scores(name) for name in names]
        known = [table.iloc[:, 0].to_numpy() for table in tables]
        common = np.logical_and.reduce([np.isin(known[0], other) for other in known])
        ids = known[0][common]
        return [
            table.iloc[np.searchsorted(own, ids), 1:].to_numpy(float)
            for own, table in zip(known, tables, strict=True)
        ]


def p_of_rule(
    rule: Checked,
    names: Sequence[ListName],
    tables: Mapping[ListName, pd.DataFrame],
    rows: Array,
    ordinary: Ordinary,
) -> tuple[Array, int]:
    """p-values of objects that are in the same lists, and the number of the reference.

    Each object meets the reference as the fits of its own folds scored it, list by list: none of
    them has seen either.

    Args:
        rule: one that scores by row.
        names: the lists they are in.
        tables: these lists, aligned with the survey.
        rows: (n,) positions of the objects.
        ordinary: the reference.

    Returns:
        (n,), float64, NaN where none of the reference is in all the lists.
    """
    by_fit = ordinary.common(names)
    m, p = len(by_fit[0]), np.full(len(rows), np.nan)
    if not m:
        return p, 0
    some = [tables[name].iloc[rows] for name in names]
    scores = np.column_stack([table["score"].to_numpy(float) for table in some])
    folds = np.column_stack([table["fold"].to_numpy(int) for table in some])
    combinations, which = np.unique(folds, axis=0, return_inverse=True)
    of_rows = partial(_score_rows, rule, names, m + 1)
    for i, fits in enumerate(combinations):
        inside = np.flatnonzero(which.ravel() == i)
        # -1, the fold of a list that was not cross-fitted, is its last fit and its only one.
        against = np.column_stack([s[:, fit] for s, fit in zip(by_fit, fits, strict=True)])
        p[inside] = fused_p_values(scores[inside], against, of_rows)
    return p, m


def _score_rows(rule: Checked, names: Sequence[ListName], ranked: int, percentiles: Array) -> Array:
    """The rule's scores of (rows, lists) percentiles among so many."""
    columns = dict(zip(names, percentiles.T, strict=True))
    return rule.score(Members(np.arange(len(percentiles)), columns, ranked=ranked))
