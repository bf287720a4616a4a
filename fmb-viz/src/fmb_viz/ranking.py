"""The list a figure shows: each source once, strangest first."""

from dataclasses import dataclass

import pandas as pd

from fmb import DataError, ListName, PlotData

__all__ = ["Ranking", "ranking"]


@dataclass(frozen=True)
class Ranking:
    """A list of scores as figures take it."""

    name: ListName
    table: pd.DataFrame
    """One row a source, strangest first: object_id, score, rank, percentile, fold ..."""

    @property
    def label(self) -> str:
        """What the scores are called on an axis."""
        return f"{self.name.detector} score"


def ranking(data: PlotData) -> Ranking:
    """The list that a figure is drawn for.

    Raises:
        DataError: it is drawn for none, or nothing is in it.
    """
    if data.list is None:
        raise DataError(f"{data.title}: this figure is drawn for a list of scores")
    table = data.run.ranked(data.list)
    if len(table) == 0:
        raise DataError(f"{data.title}: no object has a score")
    return Ranking(data.list, table)
