"""A part of a survey: the objects that `--where`, `--include`, `--limit` ... leave."""

import hashlib
import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fmb.conditions.where import Where
from fmb.contract.arrays import Array
from fmb.contract.dataset import Dataset, Described, Making, Narrowing, WithVectors
from fmb.contract.inputs import Batch, InputInfo
from fmb.contract.names import VectorName
from fmb.contract.vector_view import VectorView
from fmb.datasets.objects import role_columns
from fmb.files.ids import canonical_order, locate, read_id_file
from fmb.messages.errors import SelectionError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Selection", "select"]

logger = logging.getLogger(__name__)

SHOWN_SPLITS = 5


class Selection:
    """Some rows of a dataset, in another order; itself a dataset."""

    def __init__(self, dataset: Dataset, rows: Array, identity: Mapping[str, Any]) -> None:
        self._dataset, self._rows = dataset, rows
        self.ids: Array = dataset.ids[rows]
        self.identity: Mapping[str, Any] = dict(identity)
        self.warnings: Sequence[str] = list(dataset.warnings)
        self.described: Sequence[str] = (
            list(dataset.described) if isinstance(dataset, Described) else []
        )
        self.catalog: pd.DataFrame = dataset.catalog.iloc[rows].reset_index(drop=True)
        self.catalog.attrs = dict(dataset.catalog.attrs)
        self.inputs: Mapping[str, InputInfo] = {
            name: info.take(rows) for name, info in dataset.inputs.items()
        }
        brought = dataset.vectors if isinstance(dataset, WithVectors) else {}
        self.vectors: Mapping[VectorName, VectorView] = {
            name: view.select(rows) for name, view in brought.items()
        }

    def __len__(self) -> int:
        return len(self._rows)

    def read(self, rows: Array, inputs: Collection[str] | None = None) -> Batch:
        """The objects at `rows` of this selection, in that order."""
        return self._dataset.read(self._rows[np.asarray(rows)], inputs)

    @property
    def makes_pixels(self) -> bool:
        """True where the dataset makes them: what nobody asked for costs something."""
        return isinstance(self._dataset, Making)

    def make(self, inputs: Collection[str], progress: Callable[[int, int], None]) -> None:
        """Have `inputs` made and kept, where the dataset makes them and most of it is chosen.

        Where less than half is, its rows are made as they are read: all of them would cost more.
        """
        if isinstance(self._dataset, Making) and 2 * len(self) >= len(self._dataset):
            self._dataset.make(inputs, progress)


def select(
    dataset: Dataset,
    *,
    where: str | None = None,
    limit: int | None = None,
    include: str | None = None,
    exclude: str | None = None,
    split: str | None = None,
    seed: int = 0,
) -> Selection:
    """The chosen objects in canonical id order: numbers by value, text by code point.

    Args:
        dataset: a survey in any order.
        where: condition on the catalogue columns and `object_id`, such as
            "mag_r < 22 and zwarn == 0"; an object whose value is missing fails a comparison.
        limit: keep at most so many, those with the smallest digest of seed and id: a random sample
            that no order of the file changes.
        include: path of a file of the only ids to keep, one a line.
        exclude: path of a file of ids to leave out, one a line.
        split: keep the objects whose column of the role "split" says so.
        seed: of the sample that `limit` takes.

    Raises:
        SelectionError: nothing is left, or the condition names no column or is no condition.
        DataError: the file of ids cannot be read.
    """
    record: dict[str, Any] = {}
    condition = None if where is None else Where(where)
    if condition is not None:
        record["where"] = condition.canonical
        if isinstance(dataset, Narrowing):
            dataset, condition = dataset.select(condition.canonical, None), None
            if not len(dataset):
                raise SelectionError(f"--where {where} leaves no objects")
    kept: dict[str, Array] = {}
    if condition is not None:
        kept["--where"] = _satisfy(dataset, condition)
    if split is not None:
        kept[f"--split {split}"] = _of_split(dataset, split)
        record["split"] = split
    for option, file in (("include", include), ("exclude", exclude)):
        if file is not None:
            ids = read_id_file(Path(file))
            listed = _listed(dataset, ids, file)
            kept[f"--{option} {file}"] = listed if option == "include" else ~listed
            record[option] = _digest(sorted(map(str, ids.tolist())))
    rows = np.flatnonzero(np.logical_and.reduce([np.ones(len(dataset), bool), *kept.values()]))
    if not len(rows):
        told = ", ".join(f"{option} keeps {int(rows.sum()):,}" for option, rows in kept.items())
        raise SelectionError(f"none of {len(dataset):,} objects is left{told and f': {told}'}")
    if limit is not None and limit < len(rows):
        rows = _sample(dataset.ids, rows, limit, seed)
        record["limit"] = [limit, seed]
    rows = rows[canonical_order(dataset.ids[rows])]
    identity = {**dataset.identity, "selection": record} if record else dataset.identity
    return Selection(dataset, rows, identity)


def _satisfy(dataset: Dataset, condition: Where) -> Array:
    keep, clauses = condition.evaluate(dataset.catalog, dataset.ids)
    if not keep.any():
        counts = ", ".join(f"{text!r} keeps {count}" for text, count in clauses)
        raise SelectionError(f"--where leaves none of {len(dataset)} objects: {counts}")
    return keep


def _of_split(dataset: Dataset, split: str) -> Array:
    catalog = dataset.catalog
    column = catalog.attrs.get("roles", {}).get("split", "split")
    if column not in catalog:
        raise SelectionError(
            f"--split {split}: no column of this survey has the role split; name one in [catalog]"
            ' as roles = { split = "COLUMN" }'
        )
    values = role_columns(catalog, ["split"])["split"]
    keep: Array = values == split
    if not keep.any():
        known = ", ".join(sorted(set(values.tolist()) - {""})[:SHOWN_SPLITS])
        raise SelectionError(f"--split {split} leaves no objects: column {column!r} has {known}")
    return keep


def _listed(dataset: Dataset, ids: Array, file: str) -> Array:
    rows = locate(np.unique(ids), dataset.ids)
    if not (rows >= 0).any():
        raise SelectionError(f"{file}: none of its {len(rows)} ids is in the survey")
    if (rows < 0).any():
        logger.warning(
            "%s: %d of its %d ids are not in the survey", file, (rows < 0).sum(), len(rows)
        )
    listed = np.zeros(len(dataset), dtype=bool)
    listed[rows[rows >= 0]] = True
    return listed


def _digest(texts: Sequence[str]) -> str:
    return hashlib.blake2b("\n".join(texts).encode(), digest_size=16).hexdigest()


def _sample(ids: Array, rows: Array, limit: int, seed: int) -> Array:
    if limit < 1:
        raise SelectionError(f"--limit {limit}: choose at least 1")
    key = str(seed).encode()
    digests = np.array(
        [
            hashlib.blake2b(str(value).encode(), digest_size=8, key=key).digest()
            for value in ids[rows].tolist()
        ],
        dtype="S8",
    ).view(">u8")
    return rows[np.argpartition(digests, limit - 1)[:limit]]
