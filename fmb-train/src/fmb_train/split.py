"""Which objects a training learns from and which it is judged by."""

from dataclasses import dataclass

import numpy as np

from fmb import Array, DataError, Dataset
from fmb.datasets import group_keys, objects_at
from fmb.scoring import assign_folds, sky_folds
from fmb_train.config import TrainConfig

__all__ = ["Split", "split_objects"]


@dataclass(frozen=True)
class Split:
    """Positions of objects in the survey's canonical order, ascending."""

    training: Array
    validation: Array
    held_out: str
    """In words, for the record."""


def split_objects(dataset: Dataset, rows: Array, config: TrainConfig) -> Split:
    """The objects at `rows` in two parts; no source is in both.

    Args:
        dataset: a survey in canonical order.
        rows: (n,) positions of the objects that can be used.
        config: `folds` and `fold_by`.

    Raises:
        DataError: there are too few sources, or no positions for parts of the sky.
    """
    chosen = objects_at(dataset, rows)
    groups = group_keys(chosen)
    sources, k = len(np.unique(groups)), config.folds
    if sources < k:
        raise DataError(
            f"{len(rows)} objects ({sources} sources) are too few to hold out one in {k} for"
            f" validation: take at least {k}, or fewer folds with --set train.folds=2"
        )
    told = f"one source in {k}"
    if config.fold_by == "sky":
        if not {"ra", "dec"} <= set(chosen):
            raise DataError("train.fold_by = sky needs ra and dec; use --set train.fold_by=group")
        made = sky_folds(chosen["ra"].to_numpy(), chosen["dec"].to_numpy(), groups, k)
        fold, told = made.fold, f"one part of the sky in {k}; {made}"
    else:
        fold = assign_folds(groups, k)
    return Split(rows[fold != 0], rows[fold == 0], told)
