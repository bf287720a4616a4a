"""A run as a notebook holds it: its objects, lists, vectors, tables, each read when asked for."""

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from fmb.contract.errors import StoreError, UnknownNameError
from fmb.contract.inputs import Batch
from fmb.contract.names import ListName, VectorName
from fmb.contract.notes import Note
from fmb.contract.vector_view import VectorView
from fmb.datasets.cutouts import read_cutouts
from fmb.datasets.ids import locate
from fmb.labels.shown import Classes, Shown
from fmb.request.record import FORMAT
from fmb.runs.folder import RunFolder, find_run
from fmb.runs.labelled_run import LabelledRun
from fmb.runs.remarks import remarks
from fmb.runs.stored_vectors import run_vectors
from fmb.store.atomic import read_json
from fmb.store.tables import read_table

__all__ = ["Run", "load_run", "open_run", "strangest"]

_LIST_COLUMNS = ("detector", "view", "embedder", "model")


class Run(LabelledRun):
    """A run: its objects, scores and vectors.

    Example:
        >>> run = fmb.open_run("my-run")             # doctest: +SKIP
        >>> run.top(20)                              # doctest: +SKIP
    """

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
    def lists(self) -> list[ListName]:
        """Its lists of scores."""
        return [ListName.from_dict(entry["name"]) for entry in self.manifest["lists"]]

    @cached_property
    def vector_names(self) -> list[VectorName]:
        """Its vectors."""
        return [VectorName(**entry["name"]) for entry in self.manifest["vectors"]]

    def _list(self, name: ListName | str) -> ListName:
        """The list called so; as text "model.embedder.view.detector", or as it is printed."""
        for known in self.lists:
            if name in (known, known.stem, str(known)):
                return known
        names = ", ".join(known.stem for known in self.lists)
        raise UnknownNameError(f"run {self.name!r} has no list {str(name)!r}; it has {names}")

    def record(self, name: ListName | str) -> Mapping[str, Any]:
        """What the manifest says of one list."""
        entry: Mapping[str, Any] = self.manifest["lists"][self.lists.index(self._list(name))]
        return entry

    def scores(self, name: ListName | str) -> pd.DataFrame:
        """One list, aligned with `objects`; NaN where an object is not in it.

        Args:
            name: as in `lists`; as text "model.embedder.view.detector".

        Raises:
            UnknownNameError: there is none.
        """
        name = self._list(name)
        return read_table(self.folder.scores(name))

    def details(self, name: ListName | str) -> pd.DataFrame:
        """What the detector tells of each object, aligned with `objects`.

        Raises:
            UnknownNameError: there is no such list.
            StoreError: it tells nothing besides the score.
        """
        name = self._list(name)
        if not self.folder.details(name).exists():
            raise StoreError(f"{name}: its detector tells nothing besides the score")
        return read_table(self.folder.details(name))

    def ranked(
        self, name: ListName | str, *, without: Classes = (), only: Classes = ()
    ) -> pd.DataFrame:
        """`objects` and `scores` of those in the list, each source once, strangest first.

        `attrs["ranked"]` is how many sources the list has, shown here or not.

        Args:
            name: as in `lists`.
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

    def top(
        self,
        k: int = 20,
        *,
        name: ListName | str | None = None,
        without: Classes = (),
        only: Classes = (),
    ) -> pd.DataFrame:
        """The k strangest objects of one list, or of each list, strangest first.

        Their labels are in the column `class`, "" where there is none. `without` and `only` as in
        `ranked`.
        """
        run, classes = self.showing(without=without, only=only), self.labels
        parts = []
        for chosen in [run._list(name)] if name is not None else run.lists:
            part = run.ranked(chosen).head(k)
            part = part.rename(columns={"class": _other("class", part)})
            at = locate(part["object_id"].to_numpy(), run.objects["object_id"].to_numpy())
            part.insert(list(part).index("object_id") + 1, "class", classes[at])
            parts.append(_named(part, chosen, at=0))
        return pd.concat(parts, ignore_index=True)

    def all_scores(self) -> pd.DataFrame:
        """Tidy table: one row an object and list, with model, embedder, view and detector."""
        parts = []
        for name in self.lists:
            table = self.scores(name)
            table.insert(0, "object_id", self.objects["object_id"].to_numpy())
            parts.append(_named(table[table["score"].notna()], name, at=1))
        return pd.concat(parts, ignore_index=True)

    def vectors(self, name: VectorName | str) -> VectorView:
        """Vectors, memory-mapped; their rows are positions in `objects`.

        Args:
            name: as in `vector_names`; as text a view, or "model.embedder.view".

        Raises:
            UnknownNameError: it names none, or several.
            StoreError: they have been removed, or changed since.
        """
        named = [one for one in self.vector_names if name in (one, one.view, one.stem)]
        if len(named) != 1:
            known = ", ".join(one.stem for one in self.vector_names)
            problem = "names none" if not named else "is ambiguous among"
            raise UnknownNameError(f"{str(name)!r} {problem} of the vectors of this run: {known}")
        name = named[0]
        entry = self.manifest["vectors"][self.vector_names.index(name)]
        ids = self.objects["object_id"].to_numpy()
        return run_vectors(self.folder, name, entry, ids, self.home)

    def reads(self, name: ListName | str) -> dict[str, tuple[str, ...]] | None:
        """Instrument -> bands, of what the models of a list read; None where it is not known."""
        found: dict[str, tuple[str, ...]] = {}
        for vectors in self._list(name).vectors:
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

    def cutouts(self, name: ListName | str, k: int) -> Batch:
        """What was observed of at most k of a list, strangest first, without a gap.

        Raises:
            StoreError: the run keeps no cutouts.
        """
        batch = read_cutouts(self.folder.cutouts)
        if batch is None:
            raise StoreError(f"run {self.name!r} has vectors only, no cutouts")
        at = locate(self.ranked(name)["object_id"].to_numpy()[:k], batch.ids)
        there = at >= 0
        return batch.take(at[: len(at) if there.all() else int(np.argmin(there))])

    @property
    def has_cutouts(self) -> bool:
        """True when it keeps what was observed of its strangest objects."""
        return (self.folder.cutouts / "cutouts.json").exists()

    def __repr__(self) -> str:
        return f"<Run {self.name!r}: {len(self.objects)} objects, {len(self.lists)} lists>"


def _named(table: pd.DataFrame, name: ListName, *, at: int) -> pd.DataFrame:
    """The table with columns that say which list it is."""
    table = table.copy()
    for column in _LIST_COLUMNS:
        value = getattr(name, column)
        table.insert(at, column, value)
    return table


def strangest(objects: pd.DataFrame, scores: pd.DataFrame) -> pd.DataFrame:
    """Objects that have a score with their scores, strangest first; ties in order of id.

    Rows of a group that is ranked once come once, as its strangest member. A catalogue column that
    is called like one of a list (`rank`, `score`, `model`) gets "catalog_" before its name.
    """
    clashing = {c: _other(str(c), objects) for c in objects if c in scores or c in _LIST_COLUMNS}
    objects = objects.rename(columns=clashing).reset_index(drop=True)
    joined = pd.concat([objects, scores.reset_index(drop=True)], axis=1)
    joined = joined[joined["score"].notna() & ~joined["is_repeat"].fillna(False).astype(bool)]
    return joined.sort_values(["rank", "object_id"], kind="stable", ignore_index=True)


def _other(column: str, taken: pd.DataFrame) -> str:
    """What a catalogue column is called where one of a list has its name."""
    name = f"catalog_{column}"
    return name if name not in taken else _other(name, taken)


def load_run(folder: RunFolder) -> Run:
    """The finished run in a folder.

    Raises:
        StoreError: it is not finished, or of another version.
    """
    if not folder.finished:
        raise StoreError(
            f"run {folder.name!r} is not finished; `fmb run --resume --out {folder.name}`"
            " goes on with it"
        )
    manifest = read_json(folder.manifest)
    if manifest.get("format") != FORMAT:
        raise folder.other_version()
    return Run(folder, manifest)


def open_run(name: str | None = None) -> Run:
    """The run called `name`, or the latest.

    Raises:
        UnknownNameError: there is none.
        StoreError: it is not finished, or of another version.
    """
    return load_run(find_run(name))
