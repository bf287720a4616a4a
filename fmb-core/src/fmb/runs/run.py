"""A run as a notebook holds it."""

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from fmb.contract.names import ListName, VectorName
from fmb.files.ids import as_ids, find_ids, locate
from fmb.labels.shown import Classes
from fmb.listing.list_table import free_column, of_list
from fmb.listing.summary import summary_lines
from fmb.messages.errors import StoreError
from fmb.plugins.loading import load_plugins
from fmb.request.record import FORMAT
from fmb.runs.figure import choose_figure, draw_inline
from fmb.runs.folder import RunFolder, find_run
from fmb.runs.labelled_run import LabelledRun
from fmb.runs.object_card import ObjectCard
from fmb.store.atomic import read_record

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["Run", "load_run", "open_run"]


class Run(LabelledRun):
    """A run: its objects, scores and vectors.

    Example:
        >>> run = fmb.open_run("my-run")             # doctest: +SKIP
        >>> run.top(20, list="wide image")           # doctest: +SKIP
    """

    def top(
        self,
        k: int = 20,
        *,
        list: ListName | str | None = None,
        without: Classes = (),
        only: Classes = (),
    ) -> pd.DataFrame:
        """The k strangest objects of one list, or of each list, strangest first.

        Their labels are in the column `class`, "" where there is none.

        Args:
            k: how many of a list.
            list: as in `lists`, or words that pick one: see `list_called`; None = each list.
            without: as for `ranked`.
            only: as for `ranked`.

        Raises:
            UnknownNameError: there is no such list, or several, or no object was labelled so.
        """
        run, classes = self.showing(without=without, only=only), self.labels
        parts = []
        for chosen in run.listed if list is None else [run.list_called(list)]:
            part = run.ranked(chosen).head(k)
            part = part.rename(columns={"class": free_column("class", part)})
            at = locate(part["object_id"].to_numpy(), run.objects["object_id"].to_numpy())
            part.insert(part.columns.tolist().index("object_id") + 1, "class", classes[at])
            parts.append(of_list(part, chosen, at=0))
        table = pd.concat(parts, ignore_index=True)
        first = ["rank", "object_id", "score", "class"]  # the rest may not fit a screen
        return table[[*first, *(column for column in table if column not in first)]]

    def all_scores(self) -> pd.DataFrame:
        """Tidy table: one row an object and list, with model, embedder, view and detector."""
        parts = []
        for name in self.lists:
            table = self.scores(name)
            table.insert(0, "object_id", self.objects["object_id"].to_numpy())
            parts.append(of_list(table[table["score"].notna()], name, at=1))
        return pd.concat(parts, ignore_index=True)

    def object(self, object_id: Any) -> ObjectCard:
        """What `fmb object` tells of one object: catalogue, label, its place in every list.

        Args:
            object_id: its id, or that as text.

        Raises:
            DataError: it can be no id.
            UnknownNameError: the run has no such object; names the nearest.
        """
        ids = self.objects["object_id"].to_numpy()
        asked = as_ids(np.array([object_id]), "the id of an object")
        (row,) = find_ids(asked, ids, f"run {self.name!r}")
        return ObjectCard(self, int(row))

    def plot(
        self,
        name: str | None = None,
        *,
        list: ListName | str | None = None,
        view: VectorName | str | None = None,
        **settings: Any,
    ) -> "Figure":
        """A figure of this run, which a notebook shows; nothing is written.

        Args:
            name: `[label=]name` of the figure; None = the first that is drawn unasked.
            list: what a figure of a list shows, by words, as for `top`; None = the first list.
            view: what a figure of vectors shows, as for `vectors`; None = the first.
            settings: options of the figure, as in `--set plot.NAME.OPTION=VALUE`.

        Returns:
            A matplotlib figure, made without pyplot: `figure.savefig("strange.pdf")` keeps it.

        Raises:
            FmbError: a name, list or option does not work, or the run has not what it needs.
        """
        plot = choose_figure(self, name, settings, load_plugins().registry)
        return draw_inline(self, plot, list, view)

    def __repr__(self) -> str:
        return "\n".join(summary_lines(self.name, self.manifest, self.lists, self.shown))


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
    manifest = read_record(folder.manifest)
    if manifest.get("format") != FORMAT:
        raise folder.other_version()
    if not {"dataset", "lists", "objects", "quality", "request", "vectors"} <= set(manifest):
        raise StoreError(f"{folder.manifest} is damaged: parts of it are gone")
    return Run(folder, manifest)


def open_run(name: str | None = None) -> Run:
    """The run called `name`, or the latest.

    Raises:
        UnknownNameError: there is none.
        StoreError: it is not finished, or of another version.
    """
    return load_run(find_run(name))
