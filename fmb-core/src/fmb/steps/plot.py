"""The plot step: figures of a run, or of several, drawn and saved without dates."""

import io
import logging
import traceback
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from fmb.contract.errors import FailedError, FmbError, PluginError
from fmb.contract.names import ListName, VectorName
from fmb.contract.plot import PlotData, PlotSpec
from fmb.contract.progress import Progress
from fmb.plan.choice import Chosen
from fmb.runs.run import Run
from fmb.steps.local_engine import side_by_side
from fmb.store.atomic import ensure_folder, publish

__all__ = ["draw", "draw_together"]

logger = logging.getLogger(__name__)

DPI = 150
FORMATS: dict[str, dict[str, Any]] = {
    "png": {"metadata": {"Software": None}, "pil_kwargs": {"compress_level": 3}},
    "pdf": {"metadata": {"CreationDate": None, "Producer": None, "Creator": None}},
}
"""Formats of a figure; nothing in the files tells when they were made."""
WORTH_SHARING = 4
"""Figures from which on starting other processes pays: each takes a second to start."""


def draw(
    run: Run, plots: Sequence[Chosen[PlotSpec]], progress: Progress
) -> tuple[list[str], FmbError | None]:
    """Draw each figure for what its record says: each list, each view's vectors, or the run.

    Returns:
        Paths of the PNG files, relative to the run folder, in order, and why one could not be
        drawn, which keeps nobody from the others: the first reason, to be raised when all that
        was made is kept.
    """
    jobs: list[tuple[str, Chosen[PlotSpec], PlotData]] = []
    for plot in plots:
        if "cutouts" in plot.spec.needs and not run.has_cutouts:
            logger.warning("%s is not drawn: this run has vectors only, no cutouts", plot.label)
        else:
            jobs.extend((stem, plot, data) for stem, data in _subjects(run, plot))
    # Runs are sent by name: what a figure needs is read where it is drawn.
    calls = ((plot, data) for _, plot, data in jobs)
    drawn = side_by_side(_attempt, calls, len(jobs), worth_it=len(jobs) >= WORTH_SHARING)
    figures: list[str] = []
    failures: dict[str, FmbError] = {}  # of a plot, the first
    for done, ((stem, plot, _), pages) in enumerate(zip(jobs, drawn, strict=True)):
        progress("plot", done, len(jobs))
        if isinstance(pages, FmbError):
            failures.setdefault(plot.label, pages)
            logger.error("%s", "\n".join(getattr(pages, "__notes__", [str(pages)])))
            continue
        path = _save(run.folder.plots, stem, pages)
        figures.append(path.relative_to(run.folder.path).as_posix())
    progress("plot", len(jobs), len(jobs))
    return figures, next(iter(failures.values()), None)


def draw_together(
    runs: Sequence[Run], plots: Sequence[Chosen[PlotSpec]], folder: Path
) -> list[Path]:
    """Draw figures of several runs into `folder`; gives the PNG files.

    Raises:
        PluginError: a figure is something else than a matplotlib figure.
    """
    title = " and ".join(run.name for run in runs)
    notes = list(dict.fromkeys(note for run in runs for note in run.notes))
    ensure_folder(folder)
    return [_save(folder, plot.label, _pages(plot, PlotData(title, notes, runs))) for plot in plots]


def _subjects(run: Run, plot: Chosen[PlotSpec]) -> Iterator[tuple[str, PlotData]]:
    """File name without ending, and what is drawn, of each figure of one plot."""
    subjects: Sequence[ListName | VectorName | None] = [None]
    if plot.spec.per == "list":
        subjects = run.lists
    elif plot.spec.per == "view":
        subjects = run.vector_names
    for one in subjects:
        yield (
            plot.label if one is None else f"{one.stem}.{plot.label}",
            PlotData(
                title=run.name if one is None else f"{run.name}: {one}",
                notes=run.notes,
                runs=[run],
                list=one if isinstance(one, ListName) else None,
                view=one if isinstance(one, VectorName) else None,
            ),
        )


def _attempt(plot: Chosen[PlotSpec], data: PlotData) -> dict[str, bytes] | FmbError:
    """A figure in each of the formats, or why there is none; a plugin's bug keeps its traceback."""
    try:
        return _pages(plot, data)
    except FmbError as error:
        return error
    except (Exception, SystemExit) as error:
        one = plot.component
        failure = FailedError(
            f"plot {plot.label!r} of plugin {one.plugin!r} ({one.distribution} {one.version})"
            f" failed at {data.title!r}: {type(error).__name__}: {error}"
        )
        failure.add_note(traceback.format_exc())
        return failure


def _pages(plot: Chosen[PlotSpec], data: PlotData) -> dict[str, bytes]:
    """A figure in each of the formats."""
    figure = plot.new().draw(data)
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


def _save(folder: Path, stem: str, pages: Mapping[str, bytes]) -> Path:
    for ending, body in pages.items():
        publish(folder / f"{stem}.{ending}", body)
    return folder / f"{stem}.png"
