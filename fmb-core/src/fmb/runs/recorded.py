"""A run as its folder has it: objects, lists, vectors and tables, each read when asked for."""

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from fmb.contract.arrays import Array
from fmb.contract.errors import StoreError, UnknownNameError
from fmb.contract.inputs import Batch
from fmb.contract.names import ListName, VectorName
from fmb.contract.notes import Note
from fmb.contract.vector_view import VectorView
from fmb.datasets.cutouts import read_cutouts
from fmb.datasets.ids import as_ids, find_ids, locate
from fmb.labels.shown import Classes, Shown
from fmb.runs.folder import RunFolder
from fmb.runs.labelled_run import LabelledRun
from fmb.runs.list_table import strangest
from fmb.runs.list_words import Lists, list_called
from fmb.runs.remarks import remarks
from fmb.runs.stored_vectors import run_vectors
from fmb.store.tables import read_table

__all__ = ["RecordedRun"]

NAMED = 5
"""Objects that an error names."""


class RecordedRun(LabelledRun):
    """What was made in a run, which `Run` shows."""

    def __init__(self, folder: RunFolder, manifest: Mapping[str, Any]) -> None:
        """A run of which the manifest is known; `open_run` reads it.

        Args:
            folder: where its parts are.
            manifest: what is, or will be, in `manifest.json`.
        """
        self.folder, self.name = folder, folder.name
        self.manifest = manifest
        self.shown = Shown()

    @property
    def home(self) -> Path:
        """The workspace it is in."""
        return self.folder.path.parent.parent

    @cached_property
    def objects(self) -> pd.DataFrame:
        """One row an object, in canonical id order: object_id, ra, dec, catalogue columns."""
        return read_table(self.folder.objects)

    @cached_property
    def notes(self) -> list[Note]:
        """What a reader of its numbers must know."""
        notes = [Note(**note) for note in self.manifest["notes"]]
        if self.shown:
            hidden = int((~self.shown.keeps(self.labels)).sum())
            notes.append(Note("labels", f"objects {self.shown.line(hidden)}"))
        return notes

    @cached_property
    def lists(self) -> Lists:
        """Its lists of scores."""
        return Lists(ListName.from_dict(entry["name"]) for entry in self.manifest["lists"])

    @cached_property
    def vector_names(self) -> list[VectorName]:
        """Its vectors."""
        return [VectorName(**entry["name"]) for entry in self.manifest["vectors"]]

    def list_called(self, words: ListName | str) -> ListName:
        """The list that `words` pick: some of it in any order, "wide image", or its whole name.

        Raises:
            UnknownNameError: they pick none, or several.
        """
        return list_called(words, self.lists, self.name)

    def record(self, name: ListName | str) -> Mapping[str, Any]:
        """What the manifest says of one list."""
        entry: Mapping[str, Any] = self.manifest["lists"][self.lists.index(self.list_called(name))]
        return entry

    def scores(self, name: ListName | str) -> pd.DataFrame:
        """One list, aligned with `objects`; NaN where an object is not in it.

        Args:
            name: as in `lists`, or words that pick one: see `list_called`.

        Raises:
            UnknownNameError: there is none, or several.
        """
        name = self.list_called(name)
        return read_table(self.folder.scores(name))

    def details(self, name: ListName | str) -> pd.DataFrame:
        """What the detector tells of each object, aligned with `objects`.

        Raises:
            UnknownNameError: there is no such list.
            StoreError: it tells nothing besides the score.
        """
        name = self.list_called(name)
        if not self.folder.details(name).exists():
            raise StoreError(f"{name}: its detector tells nothing besides the score")
        return read_table(self.folder.details(name))

    def ranked(
        self, name: ListName | str, *, without: Classes = (), only: Classes = ()
    ) -> pd.DataFrame:
        """`objects` and `scores` of those in the list, each source once, strangest first.

        `attrs["ranked"]` is how many sources the list has, shown here or not.

        Args:
            name: as for `scores`.
            without: classes of labelled objects to leave out; ranks stay what they are.
            only: classes to keep to.

        Raises:
            UnknownNameError: there is no such list, or no object was ever labelled so.
        """
        if without or only:
            return self.showing(without=without, only=only).ranked(name)
        objects, scores = self.objects, self.scores(name)
        if self.shown:
            kept = self.shown.keeps(self.labels)
            objects, scores = objects[kept], scores[kept]
        table = strangest(objects, scores)
        table.attrs["ranked"] = self.record(name)["ranked"]
        return table

    def vectors_called(self, name: VectorName | str) -> VectorName:
        """The vectors that `name` picks; as text a view, or "model.embedder.view".

        Raises:
            UnknownNameError: it names none, or several.
        """
        named = [one for one in self.vector_names if name in (one, one.view, one.stem)]
        if len(named) != 1:
            known = ", ".join(one.stem for one in self.vector_names)
            problem = "names none" if not named else "is ambiguous among"
            raise UnknownNameError(f"{str(name)!r} {problem} of the vectors of this run: {known}")
        return named[0]

    def vectors(self, name: VectorName | str) -> VectorView:
        """Vectors, memory-mapped; their rows are positions in `objects`.

        Args:
            name: as in `vector_names`; as text a view, or "model.embedder.view".

        Raises:
            UnknownNameError: it names none, or several.
            StoreError: they have been removed, or changed since.
        """
        name = self.vectors_called(name)
        entry = self.manifest["vectors"][self.vector_names.index(name)]
        ids = self.objects["object_id"].to_numpy()
        return run_vectors(self.folder, name, entry, ids, self.home)

    def reads(self, name: ListName | str) -> dict[str, tuple[str, ...]] | None:
        """Instrument -> bands, of what the models of a list read; None where it is not known."""
        found: dict[str, tuple[str, ...]] = {}
        for vectors in self.list_called(name).vectors:
            record = self.manifest["models"].get(vectors.model, {})
            if vectors.view not in record.get("reads", {}):
                return None
            for instrument, bands in record["reads"][vectors.view].items():
                found[instrument] = tuple(dict.fromkeys((*found.get(instrument, ()), *bands)))
        return found

    def remarks(self) -> list[str]:
        """All that a reader of its numbers must know, one line each, the weightiest first."""
        return list(remarks(self.manifest))

    def table(self, analysis: str, name: str) -> pd.DataFrame:
        """A table of an analysis, by its label and the table's name.

        Raises:
            UnknownNameError: there is no such table.
        """
        path = self.folder.table(analysis, name)
        if not path.exists():
            raise UnknownNameError(
                f"run {self.name!r} has no table {name!r} of {analysis!r}; make it with"
                f" `fmb analyze {analysis} {self.name}`"
            )
        return read_table(path)

    def cutouts(self, name: Any, k: int | None = None) -> Batch:
        """What was observed of objects, as far as the run keeps it.

        Args:
            name: ids, one or several; or with `k` a list, as for `scores`.
            k: at most how many of a list, strangest first, without a gap.

        Returns:
            The objects in the order of `name`, each once; of a list as many as are kept, which may
            be fewer than `k`.

        Raises:
            UnknownNameError: an id names no object of the run, or `name` no list.
            StoreError: the run keeps no cutouts, or none of an object that is named.
        """
        batch = read_cutouts(self.folder.cutouts)
        if batch is None:
            raise StoreError(f"run {self.name!r} has vectors only, no cutouts")
        if k is None and not isinstance(name, ListName):
            return batch.take(self._kept(name, batch.ids))
        at = locate(self.ranked(name)["object_id"].to_numpy()[:k], batch.ids)
        there = at >= 0
        return batch.take(at[: len(at) if there.all() else int(np.argmin(there))])

    def _kept(self, wanted: Any, kept: Array) -> Array:
        """Where the wanted ids stand among those of which the run keeps cutouts."""
        ids = as_ids(np.atleast_1d(wanted), "ids of cutouts")
        _, first = np.unique(ids, return_index=True)
        ids = ids[np.sort(first)]
        find_ids(ids, self.objects["object_id"].to_numpy(), f"run {self.name!r}")
        at = locate(ids, kept)
        if len(lost := ids[at < 0]):
            more = f" and {len(lost) - NAMED:,} more" if len(lost) > NAMED else ""
            raise StoreError(
                f"run {self.name!r} keeps cutouts of {len(kept):,} objects, the strangest of each"
                f" list, not of {', '.join(map(str, lost[:NAMED]))}{more}; `fmb run --top K`"
                " keeps more"
            )
        return at

    @property
    def has_cutouts(self) -> bool:
        """True when it keeps what was observed of its strangest objects."""
        return (self.folder.cutouts / "cutouts.json").exists()
