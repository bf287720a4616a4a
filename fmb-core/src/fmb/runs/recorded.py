"""A run as its folder has it: objects, lists, vectors and tables, each read when asked for."""

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from fmb.contract.names import ListName, VectorName
from fmb.contract.vector_view import VectorView
from fmb.listing.list_words import Lists, list_called
from fmb.messages.errors import StoreError, UnknownNameError
from fmb.runs.folder import RunFolder
from fmb.runs.remarks import remarks
from fmb.runs.stored_vectors import run_vectors
from fmb.store.tables import read_table

__all__ = ["RecordedRun"]


class RecordedRun:
    """What was made in a run; `Run` is this with labels, figures and more."""

    def __init__(self, folder: RunFolder, manifest: Mapping[str, Any]) -> None:
        """A run of which the manifest is known; `open_run` reads it.

        Args:
            folder: where its parts are.
            manifest: what is, or will be, in `manifest.json`.
        """
        self.folder, self.name = folder, folder.name
        self.manifest = manifest

    @property
    def home(self) -> Path:
        """The workspace it is in."""
        return self.folder.path.parent.parent

    @cached_property
    def objects(self) -> pd.DataFrame:
        """One row an object, in canonical id order: object_id, ra, dec, catalogue columns."""
        return read_table(self.folder.objects)

    @cached_property
    def lists(self) -> Lists:
        """Its lists of scores."""
        try:
            return Lists(ListName.from_dict(entry["name"]) for entry in self.manifest["lists"])
        except (KeyError, TypeError) as error:
            raise StoreError(f"{self.folder.path}: its manifest is damaged at {error}") from None

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
        path = self.folder.scores(self.list_called(name))
        if len(table := read_table(path)) != len(self.objects):
            raise StoreError(f"{path} has {len(table)} rows for {len(self.objects)} objects")
        if "percentile_cond" not in table:  # a run that was made before there was one
            table["percentile_cond"] = np.nan
        return table

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

    @property
    def has_cutouts(self) -> bool:
        """True when it keeps what was observed of its strangest objects."""
        return (self.folder.cutouts / "cutouts.json").exists()
