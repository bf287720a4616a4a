"""The table of a list: scores, ranks, percentiles, folds, p and q, aligned with the survey."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd

from fmb.contract.arrays import Array
from fmb.lists.judged import Survey
from fmb.lists.kept_lists import KeptList
from fmb.scoring.ranking import rank_survey
from fmb.store.tables import write_table

__all__ = ["spread", "write_scores"]


def write_scores(
    place: KeptList,
    survey: Survey,
    rows: Array,
    columns: tuple[Array, Array, Array, Array],
    given: Sequence[str] = (),
    more: Mapping[str, Array] = MappingProxyType({}),
) -> dict[str, Any]:
    """Rank the objects at `rows`, write their list and tell what its record says of the ranks.

    Args:
        place: where it is kept.
        survey: the objects.
        rows: (m,) positions of those that have a score.
        columns: (m,) each: score, fold, p and q, of which the latter may be NaN.
        given: roles of the list, in which its objects are alike too.
        more: column -> (m,), float64, that stands beside.
    """
    n, (scores, fold, p, q) = len(survey.objects), columns
    ids, groups, copies = survey.ids[rows], survey.groups[rows], survey.copies[rows]
    ranking = rank_survey(ids, scores, groups, copies)
    nuisances = survey.nuisances.with_given(survey.objects, given)
    among = nuisances.among_alike(rows, ranking, groups)
    among[copies] = np.nan  # a copy is among its like in the rank of its host only
    table = {
        "score": spread(scores, rows, n),
        "rank": spread(ranking.rank, rows, n),
        "percentile": spread(ranking.percentile, rows, n),
        "percentile_cond": spread(among, rows, n),
        "is_repeat": pd.array(spread(ranking.repeat, rows, n), dtype="boolean"),
        "fold": pd.array(spread(fold, rows, n), dtype="Int16"),
        "p_value": pd.array(spread(p, rows, n), dtype="Float64"),
        "q_value": pd.array(spread(q, rows, n), dtype="Float64"),
        **{column: spread(values, rows, n) for column, values in more.items()},
    }
    write_table(place.scores, pd.DataFrame(table), {})
    return {"ranked": ranking.n, **nuisances.record(rows, ranking, among)}


def spread(values: Array, rows: Array, n: int) -> Array:
    """Values of the chosen rows among all n; NaN elsewhere."""
    spread = np.full(n, np.nan)
    spread[rows] = values
    return spread
