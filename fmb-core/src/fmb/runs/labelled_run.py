"""The labels of a run's survey: what a run knows of them, and giving them."""

from collections.abc import Mapping
from copy import copy
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pandas as pd

from fmb.contract.arrays import Array
from fmb.contract.names import ListName
from fmb.datasets.ids import as_ids
from fmb.labels.book import LabelBook
from fmb.labels.held import Labelled, held_against
from fmb.labels.occasion import Occasion, give
from fmb.labels.shown import Classes, Shown
from fmb.runs.folder import RunFolder
from fmb.runs.list_words import Lists
from fmb.store.keys import content_key

__all__ = ["LabelledRun"]


class LabelledRun:
    """What belongs to the labels in a run, which `Run` is."""

    folder: RunFolder
    name: str
    manifest: Mapping[str, Any]
    shown: Shown
    """Which labelled objects its lists, figures and cutouts show."""

    if TYPE_CHECKING:  # what the run itself has

        @property
        def home(self) -> Path:
            """The workspace."""

        @property
        def objects(self) -> pd.DataFrame:
            """One row an object."""

        @property
        def lists(self) -> Lists:
            """Its lists."""

        def list_called(self, words: ListName | str) -> ListName:
            """The list that words pick."""

        def scores(self, name: ListName | str) -> pd.DataFrame:
            """One list, aligned with the objects."""

    def showing(self, *, without: Classes = (), only: Classes = ()) -> Self:
        """The same run, whose lists, figures and cutouts show a part of the labelled objects.

        What is left out already stays out.

        Raises:
            UnknownNameError: no object was ever labelled so.
        """
        shown = Shown.of(without, only)
        if not shown:
            return self
        shown.check(self.label_book.classes())
        shown = Shown((*self.shown.without, *shown.without), shown.only or self.shown.only)
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
