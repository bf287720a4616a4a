"""Which views of a model some object has all inputs of, before anything is read."""

import numpy as np

from fmb.contract.dataset import Dataset
from fmb.contract.model import ModelSpec
from fmb.matching.bindings import Bindings
from fmb.messages.errors import DataError
from fmb.messages.notes import Note

__all__ = ["usable_views"]


def usable_views(
    label: str,
    spec: ModelSpec,
    bindings: Bindings,
    dataset: Dataset,
    views: tuple[str, ...],
    *,
    asked: bool,
) -> tuple[tuple[str, ...], tuple[Note, ...]]:
    """The views that at least one object has all inputs of, and a note on each other.

    Args:
        label: the model's label, for messages.
        spec: its record.
        bindings: what feeds it.
        dataset: the objects that were chosen.
        views: those whose slots are fed.
        asked: they were named by the user, who is refused one that no object has.

    Raises:
        DataError: no view, or not one that was asked for, has an object; counts them by input.
    """
    n = len(dataset)
    have = {slot: dataset.inputs[name].have(n) for slot, name in bindings.slots.items()}
    lacking: dict[str, str] = {}
    for view in views:
        slots = spec.views[view]
        if not np.logical_and.reduce([have[slot] for slot in slots]).any():
            counts = [
                f"{int((~have[slot]).sum()):,} have no {bindings.slots[slot]}" for slot in slots
            ]
            lacking[view] = f"{view}: {', '.join(counts)}"
    usable = tuple(view for view in views if view not in lacking)
    if lacking and (asked or not usable):
        told = "; ".join([*lacking.values(), *dataset.warnings])
        advice = (
            f"choose others, or --view {usable[0]}" if usable else "do the files share their ids?"
        )
        raise DataError(f"model {label!r} can use 0 of {n:,} objects: {told}; {advice}")
    notes = (
        Note("unused-input", f"{label} does without its {why}, of {n:,} objects")
        for why in lacking.values()
    )
    return usable, tuple(notes)
