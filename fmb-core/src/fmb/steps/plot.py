"""The plot step: what figures need is resolved here, and they are saved without dates."""

import io
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from fmb.contract.dataset import Dataset
from fmb.contract.errors import PluginError
from fmb.contract.inputs import Batch
from fmb.contract.plot import PlotData
from fmb.contract.progress import Progress
from fmb.contract.vectors import Vectors
from fmb.datasets.hdf5 import HDF5Config, open_hdf5, write_survey
from fmb.datasets.ids import locate
from fmb.datasets.selection import Selection
from fmb.plan.records import PlotPlan
from fmb.runs.folder import RunFolder
from fmb.runs.names import ScoreName
from fmb.runs.results import strangest
from fmb.steps.local_engine import side_by_side
from fmb.store.atomic import publish
from fmb.store.tables import read_table

__all__ = ["RunView", "draw", "keep_cutouts"]

logger = logging.getLogger(__name__)

DPI = 150
FORMATS: dict[str, dict[str, Any]] = {
    "png": {"metadata": {"Software": None}, "pil_kwargs": {"compress_level": 3}},
    "pdf": {"metadata": {"CreationDate": None, "Producer": None, "Creator": None}},
}
"""Formats of a figure; nothing in the files tells when they were made."""
WORTH_SHARING = 4
"""Figures from which on starting other processes pays: each takes a second to start."""
MOST_SENT = 200_000
"""Objects of a survey up to which its table is sent to other processes."""


@dataclass(frozen=True)
class RunView:
    """What figures of a run are drawn from."""

    folder: RunFolder
    objects: pd.DataFrame
    names: Sequence[ScoreName]
    notes: Sequence[str]
    vectors: Mapping[tuple[str, str, str], Vectors]
    """(model, embedder, view) -> vectors; empty when a run is redrawn without its embeddings."""


def keep_cutouts(view: RunView, dataset: Dataset, top: int) -> None:
    """Copy what was observed of the strangest objects of each list into the run folder."""
    if (view.folder.cutouts / "survey.toml").exists():
        return
    shown: list[Any] = []
    for name in view.names:
        listed = strangest(view.objects, read_table(view.folder.scores(name))).head(top)
        shown.extend(listed["object_id"])
    rows = np.unique(locate(np.asarray(shown, dtype=dataset.ids.dtype), dataset.ids))
    write_survey(view.folder.cutouts, Selection(dataset, rows, dataset.identity))


def draw(view: RunView, plots: Sequence[PlotPlan], progress: Progress) -> list[str]:
    """Draw every figure for every list of scores, as PNG and PDF.

    Returns:
        Paths of the PNG files, relative to the run folder, in order.

    Raises:
        PluginError: a figure is something else than a matplotlib figure.
    """
    cutouts = _open_cutouts(view.folder)
    jobs: list[tuple[ScoreName, PlotPlan]] = []
    for plot in plots:
        if "cutouts" in plot.spec.needs and cutouts is None:
            logger.warning("%s is not drawn: this run has vectors only, no cutouts", plot.label)
        else:
            jobs.extend((name, plot) for name in view.names)
    stems = [f"{name.stem}.{plot.label}" for name, plot in jobs]
    # A survey's worth of rows is not worth sending to another process.
    small = len(jobs) >= WORTH_SHARING and len(view.objects) <= MOST_SENT
    calls = ((plot, _resolve(view, name, plot, cutouts)) for name, plot in jobs)
    drawn = side_by_side(_pages, calls, len(jobs), worth_it=small)
    made = []
    for done, (stem, pages) in enumerate(zip(stems, drawn, strict=True)):
        progress("plot", done, len(jobs))
        made.append(_save(view.folder, stem, pages))
    progress("plot", len(jobs), len(jobs))
    return made


def _open_cutouts(folder: RunFolder) -> Dataset | None:
    source = folder.cutouts / "survey.toml"
    if not source.exists():
        return None
    return open_hdf5(str(source), HDF5Config(), cache=folder.path)


def _resolve(view: RunView, name: ScoreName, plot: PlotPlan, cutouts: Dataset | None) -> PlotData:
    needs = plot.spec.needs
    listed = strangest(view.objects, read_table(view.folder.scores(name)))
    columns = ["object_id", "score", "rank", "percentile", "fold"]
    batch: Batch | None = None
    if "cutouts" in needs and cutouts is not None:
        at = locate(listed["object_id"].to_numpy(), cutouts.ids)
        batch = cutouts.read(at[: _leading(at >= 0)])
    return PlotData(
        title=f"{view.folder.name}: {name}",
        notes=tuple(view.notes),
        score_name=f"{name.detector} score",
        objects=view.objects,
        scores=listed[columns] if "scores" in needs else None,
        cutouts=batch,
        embeddings=view.vectors.get((name.model, name.embedder, name.view))
        if "embeddings" in needs
        else None,
    )


def _leading(kept: Any) -> int:
    """How many objects from the strangest on have cutouts, without a gap."""
    return int(np.argmin(kept)) if not kept.all() else len(kept)


def _pages(plot: PlotPlan, data: PlotData) -> dict[str, bytes]:
    """A figure in each of the formats."""
    figure = plot.component.load()(plot.config).draw(data)
    if not hasattr(figure, "savefig"):
        raise PluginError(
            f"plot {plot.label!r} of plugin {plot.component.plugin!r} gave"
            f" {type(figure).__name__}, expected a matplotlib figure"
        )
    pages = {}
    for ending, options in FORMATS.items():
        buffer = io.BytesIO()
        # Said here, so that a user's style changes neither colour nor size.
        figure.savefig(buffer, format=ending, facecolor=figure.get_facecolor(), dpi=DPI, **options)
        pages[ending] = buffer.getvalue()
    return pages


def _save(folder: RunFolder, stem: str, pages: Mapping[str, bytes]) -> str:
    for ending, body in pages.items():
        publish(folder.plots / f"{stem}.{ending}", body)
    return f"plots/{stem}.png"
