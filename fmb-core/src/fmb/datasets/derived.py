"""Columns that are computed from others of a catalogue, by the language of `--where`."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from fmb.conditions.formula import Formula
from fmb.contract.arrays import Array
from fmb.messages.errors import SelectionError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["derive"]


def derive(catalog: "pd.DataFrame", ids: Array, formulas: Mapping[str, str], where: str) -> None:
    """Add columns to a catalogue, and to its units those that follow from the columns'.

    Args:
        catalog: n rows, with column -> unit in `attrs["units"]`.
        ids: (n,), known as `object_id`.
        formulas: name -> formula, which may name those before it.
        where: names the place in messages.

    Raises:
        SelectionError: a formula is none, names no column, or adds different units; or a column
            has the name already.
    """
    units: dict[str, str] = catalog.attrs.setdefault("units", {})
    for name, text in formulas.items():
        if name in catalog or name == "object_id":
            raise SelectionError(f"{where}.{name}: there is a column {name!r} already")
        formula = Formula(text, f"{where}.{name} =")
        catalog[name] = formula.column(catalog, ids)
        if unit := formula.unit(units):
            units[name] = unit
