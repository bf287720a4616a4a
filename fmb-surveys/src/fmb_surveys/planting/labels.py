"""What the catalogue of a survey says of planted anomalies."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from fmb import Array, Dataset
from fmb_surveys.planting.hosts import Injection, seed_of
from fmb_surveys.planting.kinds import ORDINARY

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["copy_ids", "planted_catalog"]

_DIGITS_19 = 10**18


def copy_ids(ids: Array, injections: Sequence[Injection], seed: int) -> Array:
    """New ids of the dtype of `ids`, different from them and from each other.

    Integers have 19 digits and no order; text ids are the host's with kind and number.
    """
    if ids.dtype.kind not in "iu":
        texts = [
            f"{ids[injection.host]}-{injection.kind.name}-{k}"
            for k, injection in enumerate(injections)
        ]
        return np.array(texts, dtype=np.str_)
    rng = np.random.default_rng([seed, seed_of("ids")])
    taken = set(ids.tolist())
    new: list[int] = []
    while len(new) < len(injections):
        number = int(rng.integers(_DIGITS_19, 9 * _DIGITS_19))
        if number not in taken:
            taken.add(number)
            new.append(number)
    return np.array(new, dtype=ids.dtype)


def planted_catalog(
    dataset: Dataset, ids: Array, origin: Array, planted: Mapping[int, Injection]
) -> "pd.DataFrame":
    """The catalogue of the wrapped survey with what was planted.

    Args:
        dataset: the clean survey.
        ids: (m,) of all rows, copies last.
        origin: (m,) row of the clean survey behind each row.
        planted: row -> injection.

    Returns:
        m rows: the clean columns, changed where an injection says so, and label, strength
        (NaN where nothing was planted), planted_value, declared_view, family; with copies also
        group and injected_from, which is the object's own id where nothing was injected. Labels
        play the role of the class, and groups theirs, where the survey names no other column.
    """
    table = dataset.catalog.iloc[origin].reset_index(drop=True)
    table.attrs = {**dataset.catalog.attrs, "units": dict(dataset.catalog.attrs.get("units", {}))}
    roles = dict(dataset.catalog.attrs.get("roles", {}))
    if "object_id" in table:
        table["object_id"] = ids
    if len(ids) > len(dataset):
        table["injected_from"] = dataset.ids[origin]
        if "group" not in table and "group" not in roles:
            table["group"] = dataset.ids[origin]
        _tie(table, roles.get("group", "group"), origin, [i.host for i in planted.values()])
    columns = {name: _started(table, name, empty) for name, empty in _OWN.items()}
    for name in {name for injection in planted.values() for name in injection.changes}:
        columns[name] = table[name].to_numpy(copy=True)
    for row, injection in planted.items():
        for name, value in _entries(injection).items():
            columns[name][row] = value
    own = {"class": "label"} | ({"group": "group"} if "group" in table else {})
    table.attrs["roles"] = own | roles
    return table.assign(**columns)


_OWN: Mapping[str, Any] = {
    "label": ORDINARY,
    "strength": float("nan"),
    "planted_value": float("nan"),
    "declared_view": "",
    "family": "",
}
"""Column -> what it says where nothing was planted and the survey says nothing."""


def _started(table: "pd.DataFrame", name: str, empty: Any) -> Array:
    """(m,) a column of ours as the survey has it, or empty; text where ours is text."""
    if name not in table:
        return np.full(len(table), empty, dtype=object if isinstance(empty, str) else np.float64)
    if not isinstance(empty, str):
        return table[name].to_numpy(dtype=np.float64, copy=True)
    # Classes may be numbers, and kinds are not.
    text = table[name].astype("string").astype(object)
    return np.asarray(text.where(table[name].notna(), None).to_numpy(copy=True))


def _tie(table: "pd.DataFrame", column: str, origin: Array, hosts: Sequence[int]) -> None:
    """Give hosts that have no group one of their own, which their copies share."""
    text = table[column].astype("string").fillna("")
    alone = np.isin(origin, hosts) & (text == "").to_numpy()
    if alone.any():
        names = "host " + table["injected_from"].astype("string")
        table[column] = text.mask(alone, names).astype(object)


def _entries(injection: Injection) -> dict[str, Any]:
    """Catalogue column -> value of a planted object."""
    kind = injection.kind
    return {
        "label": kind.name,
        "strength": injection.strength,
        "planted_value": kind.value(injection.strength) if kind.parameter else float("nan"),
        "declared_view": kind.view,
        "family": kind.family,
        **injection.changes,
    }
