"""Labelled objects of a ranking, grouped by kind."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from fmb import Array
from fmb_viz.cards import known

__all__ = ["Kind", "kinds"]


@dataclass(frozen=True)
class Kind:
    """The labelled objects of one kind."""

    name: str
    score: Array
    """(n,), float64, in the order of the ranking."""
    top: Array
    """(n,), bool: among the marked ones."""


def kinds(scores: pd.DataFrame, objects: pd.DataFrame, top_k: int) -> list[Kind]:
    """Labelled objects by kind, the commonest kind first, then by name.

    Args:
        scores: object_id, score, rank.
        objects: object_id and perhaps `label`; blank labels belong to no kind.
        top_k: ranks up to this one are marked.
    """
    if "label" not in objects.columns:
        return []
    pairs = zip(objects["object_id"].tolist(), objects["label"].tolist(), strict=True)
    label = {key: known(value) for key, value in pairs}
    name = np.array([label.get(key, "") for key in scores["object_id"].tolist()], dtype=object)
    score = scores["score"].to_numpy(dtype=np.float64)
    top = scores["rank"].to_numpy(dtype=np.float64) <= top_k
    found = [
        Kind(str(kind), score[name == kind], top[name == kind])
        for kind in sorted(set(name.tolist()) - {""})
    ]
    return sorted(found, key=lambda kind: -len(kind.score))
