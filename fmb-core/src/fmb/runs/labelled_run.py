"""A run with the labels of its survey: giving them, and what is shown for them."""

from copy import copy
from dataclasses import replace
from functools import cached_property
from typing import Any, Self

import numpy as np
import pandas as pd

from fmb.contract.arrays import Array
from fmb.contract.inputs import Batch
from fmb.contract.names import ListName
from fmb.datasets.cutouts import read_cutouts
from fmb.files.ids import as_ids, find_ids, locate
from fmb.labels.book import LabelBook
from fmb.labels.held import Labelled, held_against
from fmb.labels.occasion import Occasion, give
from fmb.labels.shown import Classes, Shown
from fmb.listing.list_table import strangest
from fmb.messages.errors import StoreError, UnknownNameError
from fmb.messages.notes import Note
from fmb.runs.recorded import RecordedRun
from fmb.store.keys import content_key

__all__ = ["LabelledRun"]

NAMED = 5
"""Objects that an error names."""


class LabelledRun(RecordedRun):
    """A run with the labels of its survey, which choose what it shows."""

    shown = Shown()
    """Which labelled objects its lists, figures and cutouts show."""

    @cached_property
    def notes(self) -> list[Note]:
        """What a reader of its numbers must know."""
        notes = [Note(**note) for note in self.manifest["notes"]]
        if labelled := replace(self.shown, only_mismatch=False):
            hidden = int((~labelled.keeps(self.labels)).sum())
            notes.append(Note("labels", f"objects {labelled.line(hidden)}"))
        asides = [(str(n), self.hidden(n)) for n in self.lists if self._aside(n)]
        return [*notes, *(Note("aside", f"{name}: {told}", name) for name, told in asides)]

    @property
    def listed(self) -> list[ListName]:
        """The lists that it shows: all, or those that tell what is strange in one view alone."""
        return [name for name in self.lists if self._aside(name) or not self.shown.only_mismatch]

    def showing(
        self, *, without: Classes = (), only: Classes = (), only_mismatch: bool = False
    ) -> Self:
        """The same run, whose lists, figures and cutouts show a part of the objects.

        What is left out already stays out.

        Args:
            without: classes of labelled objects to leave out.
            only: classes to keep to.
            only_mismatch: only lists of pairs, without what is strange in one view alone.

        Raises:
            UnknownNameError: no object was ever labelled so, or no list tells what is strange in
                one view alone.
        """
        shown = Shown.of(without, only, only_mismatch)
        if not shown:
            return self
        shown.check(self.label_book.classes())
        if only_mismatch and not any(self.record(name).get("aside") for name in self.lists):
            raise UnknownNameError(
                f"--only-mismatch: no list of run {self.name!r} tells which objects are strange in"
                " one view alone; lists of pairs may"
            )
        shown = Shown(
            (*self.shown.without, *shown.without),
            shown.only or self.shown.only,
            shown.only_mismatch or self.shown.only_mismatch,
        )
        other = copy(self)  # without what was read of it
        other.folder, other.shown = self.folder.showing(shown.stem), shown
        return other

    @property
    def label_book(self) -> LabelBook:
        """The labels of its survey, which all runs on it share."""
        return LabelBook.of(self.home, self.manifest)

    def labelled(self) -> Labelled:
        """The labels of its objects as they are now, with author and time."""
        events, torn = self.label_book.events()
        return held_against(events, self.objects, torn)

    @property
    def labels(self) -> Array:
        """(n,), str: the class of each of `objects` as it is labelled now, "" where it is not."""
        return self.labelled().classes

    def label(self, ids: Any, cls: str, *, list: ListName | str | None = None) -> int:
        """Label objects, for every run on this survey.

        Args:
            ids: one id or several.
            cls: their class, in letters, digits, hyphens and underscores; "" = no label any more.
            list: in which they were looked at, as in `lists` or by words; None = the only one, or
                none.

        Returns:
            Objects that were labelled, or that had a label to take away.

        Raises:
            UnknownNameError: an id names no object of this run; nothing is written.
            ConfigError: the class cannot be called so.
        """
        return give(self.looked_at(list), as_ids(np.atleast_1d(ids), "ids to label"), cls)

    def looked_at(self, list: ListName | str | None = None) -> Occasion:
        """Where objects are labelled: this run, and one of its lists."""
        chosen = self.lists[0] if list is None and len(self.lists) == 1 else list
        listed = None if chosen is None else self.list_called(chosen)
        survey = content_key(dict(self.manifest["dataset"]))
        seen = Occasion(self.label_book, self.objects, self.name, survey)
        if listed is None:
            return seen
        rank = self.scores(listed)["rank"].to_numpy(dtype=np.float64, na_value=np.nan)
        return replace(seen, list=listed.stem, rank=rank)

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
            kept = self.kept(name)
            objects, scores = objects[kept], scores[kept]
        table = strangest(objects, scores)
        table.attrs["ranked"] = self.record(name)["ranked"]
        return table

    def kept(self, name: ListName | str) -> Array:
        """(n,), bool: which objects a list shows, of those that are in it."""
        kept = self.shown.keeps(self.labels)
        if column := self._aside(name):
            kept &= ~(self.details(name)[column].to_numpy() > 0)
        return kept

    def hidden(self, name: ListName | str) -> str:
        """How many objects of a list are not shown and why, "" where all would be shown."""
        shown = replace(self.shown, only_mismatch=bool(self._aside(name)))
        ranked = int(self.record(name)["ranked"])
        return shown.line(ranked - len(self.ranked(name))) if shown else ""

    def _aside(self, name: ListName | str) -> str:
        """The column of its details by which objects are left out of a list, "" = by none."""
        return str(self.record(name).get("aside", "")) if self.shown.only_mismatch else ""

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
