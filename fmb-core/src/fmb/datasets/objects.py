"""A survey's objects: the table of them, the roles of its columns, which inputs each has."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pandas as pd

from fmb.contract.arrays import Array
from fmb.contract.dataset import Dataset
from fmb.contract.inputs import Inputs
from fmb.messages.errors import DataError

__all__ = [
    "TEXT_ROLES",
    "by_slots",
    "numbers",
    "object_table",
    "objects_at",
    "role_columns",
    "role_matrix",
    "why_unusable",
]

TEXT_ROLES = ("class", "group", "survey", "field", "split")
"""Roles whose columns hold text."""


def object_table(dataset: Dataset) -> pd.DataFrame:
    """Ids and catalogue columns of all objects, with the catalogue's `attrs`."""
    catalog = dataset.catalog.drop(columns="object_id", errors="ignore").reset_index(drop=True)
    objects = pd.concat([pd.DataFrame({"object_id": dataset.ids}), catalog], axis=1)
    objects.attrs = dict(dataset.catalog.attrs)
    return objects


def objects_at(dataset: Dataset, rows: Array) -> pd.DataFrame:
    """Ids and catalogue columns of the objects at `rows`, in that order, numbered from 0."""
    return object_table(dataset).iloc[rows].reset_index(drop=True)


def role_columns(objects: pd.DataFrame, roles: Sequence[str]) -> dict[str, Array]:
    """Role -> (n,) of the column that plays it; all unknown where none does.

    Args:
        objects: with role -> column in `attrs["roles"]`; a column called like a role plays it.
        roles: those that are asked for.

    Returns:
        float64 with NaN where unknown or infinite; text roles as str, "" where unknown.
    """
    plays = objects.attrs.get("roles", {})
    columns: dict[str, Array] = {}
    for role in roles:
        column = plays.get(role, role)
        if column not in objects:
            unknown: Array = np.full(len(objects), np.nan)
            columns[role] = np.full(len(objects), "") if role in TEXT_ROLES else unknown
        elif role in TEXT_ROLES:
            columns[role] = objects[column].astype("string").fillna("").to_numpy(dtype=str)
        else:
            values = numbers(objects[column])
            columns[role] = np.where(np.isfinite(values), values, np.nan)
    return columns


def role_matrix(objects: pd.DataFrame, roles: Sequence[str]) -> Array:
    """Roles of numbers side by side: (n, R), float64, NaN where unknown or not finite."""
    columns = list(role_columns(objects, roles).values())
    return np.column_stack(columns) if columns else np.empty((len(objects), 0))


def numbers(values: pd.Series, file: str = "") -> Array:
    """A column of a catalogue as (n,), float64, NaN where unknown.

    Raises:
        DataError: it holds text; names the file, the column and the first such value.
    """
    try:
        return values.to_numpy(dtype=np.float64, na_value=np.nan)
    except (TypeError, ValueError):
        found = pd.to_numeric(values.astype("string"), errors="coerce")
        row = int(np.flatnonzero(values.notna() & found.isna())[0])
    raise DataError(
        f"{file}{': ' if file else ''}column {values.name!r} holds {values.iloc[row]!r} in row"
        f" {row}, expected numbers"
    )


def by_slots(
    dataset: Dataset, sources: Mapping[str, str], rows: Array
) -> Iterator[tuple[tuple[str, ...], Array]]:
    """Objects grouped by what was observed of them: (slots, rows), the fullest first.

    Args:
        dataset: the survey.
        sources: slot -> instrument.
        rows: (m,) positions; their order is kept within a group.
    """
    slots, n = tuple(sources), len(dataset)
    have = np.column_stack([dataset.inputs[sources[slot]].have(n)[rows] for slot in slots])
    code = have @ (1 << np.arange(len(slots)))
    for value in sorted(set(code.tolist()), reverse=True):
        pattern = tuple(slot for bit, slot in enumerate(slots) if value >> bit & 1)
        yield pattern, rows[code == value]


def why_unusable(inputs: Inputs, slot: str) -> list[str]:
    """N texts: why a model cannot use the input of an object in a slot, "" where it can."""
    valid = inputs.valid[slot].tolist()
    texts = inputs.reasons.get(slot) or [""] * len(valid)
    return ["" if good else text or "not usable" for good, text in zip(valid, texts, strict=True)]
