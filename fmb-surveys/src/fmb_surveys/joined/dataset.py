"""The joined survey as a dataset: rows are handed on to the surveys that they come from."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from fmb import Array, Batch, DataError, Dataset, InputInfo, did_you_mean

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["JoinedDataset", "Part"]


class Part:
    """One survey, and which of its rows belong to the objects of the joined one."""

    def __init__(self, dataset: Dataset, rows: Array, inputs: Mapping[str, str]) -> None:
        """Nothing is read.

        Args:
            dataset: as its reader opened it.
            rows: (n,) int64, its row of each object, -1 = none; no row twice.
            inputs: name in the joined survey -> its own name.
        """
        self.dataset, self.rows, self.names = dataset, rows, dict(inputs)

    def info(self, name: str) -> InputInfo:
        """Of an input, by its joined name."""
        there = self.rows >= 0
        found = self.dataset.inputs[self.names[name]]
        info = found.take(np.where(there, self.rows, 0))
        origin = None if info.origin is None else np.where(there, info.origin, np.uint64(0))
        have = there & info.have(len(there))
        whole = found.present is None and there.all()
        return replace(info, present=None if whole else have, origin=origin)

    def read(self, rows: Array, names: Collection[str]) -> tuple[dict[str, Any], dict[str, Array]]:
        """Inputs by their joined names, and which of `rows` each has."""
        at = self.rows[rows]
        there = np.flatnonzero(at >= 0)
        batch = self.dataset.read(at[there], tuple(self.names[name] for name in names))
        found = {name: batch.inputs[self.names[name]] for name in names}
        return found, {name: there[batch.rows[self.names[name]]] for name in names}


class JoinedDataset:
    """Objects of the first of several surveys. Pickles as its surveys do."""

    def __init__(
        self,
        ids: Array,
        catalog: "pd.DataFrame",
        parts: Sequence[Part],
        identity: Mapping[str, Any],
        warnings: Sequence[str],
        described: Sequence[str],
    ) -> None:
        self.ids, self.catalog, self._parts = ids, catalog, tuple(parts)
        self.identity, self.warnings = dict(identity), list(warnings)
        self.described = list(described)
        self.inputs: Mapping[str, InputInfo] = {
            name: part.info(name) for part in self._parts for name in part.names
        }

    def __len__(self) -> int:
        return len(self.ids)

    def read(self, rows: Array, inputs: Collection[str] | None = None) -> Batch:
        """The objects at `rows`, in that order, with the inputs they have.

        Raises:
            DataError: there is no such input, or a survey cannot be read.
        """
        rows = np.asarray(rows, dtype=np.int64)
        wanted = list(self.inputs if inputs is None else inputs)
        for name in wanted:
            if name not in self.inputs:
                raise DataError(f"no input is called {name!r}{did_you_mean(name, self.inputs)}")
        found: dict[str, Any] = {}
        kept: dict[str, Array] = {}
        for part in self._parts:
            names = [name for name in wanted if name in part.names]
            if names:
                data, have = part.read(rows, names)
                found |= data
                kept |= have
        return Batch(
            ids=self.ids[rows],
            inputs={name: found[name] for name in wanted},
            rows={name: kept[name] for name in wanted},
        )
