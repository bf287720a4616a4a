"""Photometry of a survey: columns of its catalogue, or arrays of a file, in memory."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from fmb import Array, Columns, DataError, InputInfo, ShapeError, did_you_mean
from fmb.files import Stated, equal_to
from fmb.order import scrambled
from fmb_surveys.files.columns_source import ColumnsSource
from fmb_surveys.files.numbers import float32, meant_numbers
from fmb_surveys.files.stores.store import Store
from fmb_surveys.files.units import refuse_contradiction

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["ColumnsInput", "columns_of_catalog", "columns_of_store"]


class ColumnsInput:
    """The columns of the objects that have a value in one of them."""

    def __init__(
        self, data: Columns, rows: Array, unknown_units: dict[str, str] | None = None
    ) -> None:
        """Nothing is read later.

        Args:
            data: (m, columns), stored rows.
            rows: (n,) int64, the stored row of each object, -1 = none.
            unknown_units: column -> what its file says of it, where astropy knows no such unit.
        """
        self._data = data
        known = np.asarray(np.isfinite(data.values).any(axis=1))
        there = (rows >= 0) & (known[rows] if len(known) else False)
        self.rows = np.where(there, rows, -1)
        self.unknown_units = unknown_units or {}
        self.info = InputInfo(
            kind="columns",
            unit=data.units[0] if len(set(data.units)) == 1 else "",
            bands=data.names,
            shape=(len(data.names),),
            wavelength_aa=(min(data.wavelength_aa), max(data.wavelength_aa))
            if data.wavelength_aa
            else None,
            present=None if there.all() else there,
        )

    def read(self, rows: Array) -> Columns:
        """The columns of the objects at `rows`, which must have this input."""
        return self._data.take(self.rows[rows])

    def origins(self, rows: Array, digest: str | None, mapping: str) -> Array:
        """(m,), uint64, of stored rows: by their values, so any file may hold them."""
        made = np.full(len(rows), _number(mapping), dtype=np.uint64)
        for array in (self._data.values, self._data.errors):
            if array is not None:
                bits = np.ascontiguousarray(array[rows], dtype=np.float32).view(np.uint32)
                for column in bits.T:
                    made = scrambled(made ^ column.astype(np.uint64))
        return made


def _number(text: str) -> int:
    from hashlib import blake2b

    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "little")


def columns_of_catalog(source: ColumnsSource, catalog: "pd.DataFrame", where: str) -> ColumnsInput:
    """Columns of the catalogue, whose rows are the objects.

    Args:
        source: the table of the survey.toml.
        catalog: with column -> unit in `attrs["units"]`.
        where: names the table in messages.

    Raises:
        DataError: a column is missing, holds text, or its unit is not known or contradicts.
    """
    told = catalog.attrs.get("units", {})

    def column(name: str) -> Array:
        if name not in catalog:
            hint = did_you_mean(name, [str(one) for one in catalog])
            raise DataError(f"{where}: no column of the catalogue is called {name!r}{hint}")
        try:
            return catalog[name].to_numpy(dtype=np.float64, na_value=np.nan)
        except (TypeError, ValueError):
            raise DataError(f"{where}: column {name!r} holds no numbers") from None

    stored = [(name, column(name), told.get(name, "")) for name in source.columns]
    errors = [(name, column(name), told.get(name, "")) for name in source.errors]
    return _made(source, stored, errors, np.arange(len(catalog)), where)


def columns_of_store(source: ColumnsSource, store: Store, rows: Array, where: str) -> ColumnsInput:
    """Arrays of a file.

    Args:
        source: the table of the survey.toml.
        store: where they are.
        rows: (n,) int64, the stored row of each object, -1 = none.
        where: names the table in messages.

    Raises:
        ShapeError: the arrays do not fit each other.
        DataError: a unit is not known or contradicts.
    """
    every = np.arange(store.shape(source.flux)[0])

    def columns(name: str, wanted: tuple[int, ...]) -> list[tuple[str, Array, str]]:
        shape, said = store.shape(name), store.stated(name)
        if shape != (len(every), *wanted):
            raise ShapeError(
                f"{store.place(name)} has shape {shape}, expected {(len(every), *wanted)}"
            )
        values = _meant(said, store.read(name, every), source.missing)
        flat = values.reshape(len(every), -1)
        return [(name, flat[:, at], said.unit) for at in range(flat.shape[1])]

    if source.values is not None:
        wanted = (len(source.names),)
        stored = columns(source.values, wanted)
        errors = columns(str(source.errors), wanted) if source.errors else []
    else:
        stored = [one for name in source.columns for one in columns(name, ())]
        errors = [one for name in source.errors for one in columns(name, ())]
    return _made(source, stored, errors, rows, where)


def _meant(said: Stated, stored: Array, missing: float | None) -> Array:
    values = meant_numbers(said, stored)
    gone = None if missing is None else equal_to(stored, missing)
    return values if gone is None else np.where(gone, np.nan, values)


_Named = Sequence[tuple[str, Array, str]]
"""Column, its values, and what its file says of its unit."""


def _made(
    source: ColumnsSource, stored: _Named, errors: _Named, rows: Array, where: str
) -> ColumnsInput:
    names = source.names or source.columns
    units, unknown = _units(source, stored, where)
    for (name, _, told), unit in zip(errors, units, strict=False):
        if beside := refuse_contradiction(f"{where}: {name!r}", told, unit, "units"):
            unknown[name] = beside
    values = np.column_stack([_without(one, source.missing) for _, one, _ in stored])
    spread: Array | None = None
    if errors:
        found = np.column_stack([one for _, one, _ in errors])
        with np.errstate(invalid="ignore"):
            spread = float32(np.where(np.isfinite(found) & (found > 0), found, np.nan))
    data = Columns(
        values=float32(values),
        names=tuple(names),
        units=units,
        errors=spread,
        wavelength_aa=source.wavelength_aa,
    )
    return ColumnsInput(data, rows, unknown)


def _without(values: Array, missing: float | None) -> Array:
    return values if missing is None else np.where(values == missing, np.nan, values)


def _units(
    source: ColumnsSource, stored: _Named, where: str
) -> tuple[tuple[str, ...], dict[str, str]]:
    """The unit of each column, and what files say of those that astropy does not know."""
    said: Any = source.units
    given = (said,) * len(stored) if isinstance(said, str) or said is None else said
    units: list[str] = []
    unknown: dict[str, str] = {}
    for (name, _, told), unit in zip(stored, given, strict=True):
        if unit is None and not told:
            raise DataError(
                f'{where}: nothing says the unit of {name!r}: give units = ... ("" for none)'
            )
        if unit is not None and (other := refuse_contradiction(
            f"{where}: {name!r}", told, unit, "units"
        )):  # fmt: skip
            unknown[name] = other
        units.append(told if unit is None else unit)
    return tuple(units), unknown
