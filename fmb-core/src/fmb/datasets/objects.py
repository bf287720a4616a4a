"""The table of a survey's objects: ids and catalogue columns."""

import pandas as pd

from fmb.contract.arrays import Array
from fmb.contract.dataset import Dataset

__all__ = ["objects_at"]


def objects_at(dataset: Dataset, rows: Array) -> pd.DataFrame:
    """Ids and catalogue columns of the objects at `rows`, in that order, numbered from 0."""
    objects = pd.DataFrame({"object_id": dataset.ids}).join(
        dataset.catalog.drop(columns="object_id", errors="ignore").reset_index(drop=True)
    )
    return objects.iloc[rows].reset_index(drop=True)
