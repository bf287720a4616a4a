"""The ranking as figures show it: each source once."""

import pandas as pd

from fmb.contract.errors import DataError

__all__ = ["ranked"]

_NEEDED = ("object_id", "score", "rank")


def ranked(scores: pd.DataFrame | None, figure: str) -> pd.DataFrame:
    """Rows that stand in the list: the other rows of a group that is ranked once are left out.

    Args:
        scores: object_id, score, rank and perhaps is_repeat.
        figure: names the figure in messages.

    Raises:
        DataError: there are no scores or a column is missing.
    """
    if scores is None or len(scores) == 0:
        raise DataError(f"{figure} needs the scores of at least one object")
    missing = [name for name in _NEEDED if name not in scores.columns]
    if missing:
        raise DataError(f"{figure}: the table of scores has no column {', '.join(missing)}")
    if "is_repeat" not in scores.columns:
        return scores
    return scores[~scores["is_repeat"].fillna(False).astype(bool)]
