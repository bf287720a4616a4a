"""The plot step: figures of a run, or of several, each drawn once for what it is made from."""

import io
import logging
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from fmb.contract.names import ListName
from fmb.contract.plot import PlotData, PlotSpec
from fmb.messages.errors import FmbError
from fmb.messages.progress import Progress
from fmb.plan.choice import Chosen
from fmb.runs.figure import draw_figure, subject_of, subjects
from fmb.runs.run import Run
from fmb.steps.figure_key import figure_key
from fmb.store.atomic import ensure_folder, place, publish, publish_json, read_json
from fmb.store.keys import content_key
from fmb.terminal.figure_style import own_style, pixels

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["Drawn", "draw", "draw_together", "figure_files", "note_drawn", "what_is_not_drawn"]

logger = logging.getLogger(__name__)

DPI = 150
DRAWINGS: dict[str, dict[str, Any]] = {
    "pdf": {"metadata": {"CreationDate": None, "Producer": None, "Creator": None}},
    "svg": {"metadata": {"Date": None, "Creator": None}},
}
"""Formats besides pixels; nothing in the files tells when they were made."""
FORMATS = ("png", *DRAWINGS)
MOST_LETTERS = 100
"""Of the names of runs in the name of a folder."""
NAMED = 3
"""Figures that the line on those not drawn names."""


@dataclass(frozen=True)
class Drawn:
    """What the plot step came to."""

    folder: Path
    files: dict[str, dict[str, Any]] = field(default_factory=dict)
    """File, relative to `folder` -> which figure, and its key."""
    not_drawn: list[dict[str, str]] = field(default_factory=list)
    """Name of a figure that failed, and why, in one line."""


def draw(
    run: Run,
    plots: Sequence[Chosen[PlotSpec]],
    formats: Sequence[str],
    progress: Progress,
    broken: Mapping[str, str] = MappingProxyType({}),
    lists: Sequence[ListName] = (),
) -> Drawn:
    """Draw each figure for what its record says: each list, each view's vectors, or the run.

    One that fails keeps nobody from the others.

    Args:
        run: what is drawn.
        plots: the figures.
        formats: the files each is kept as.
        progress: told how far it is.
        broken: label -> why; figures that were found not to work before.
        lists: those to draw, and nothing else; () = everything.

    Raises:
        FailedError: the disk is full or the workspace cannot be written to.
    """
    jobs: list[tuple[str, Chosen[PlotSpec], PlotData]] = []
    for plot in plots:
        if "cutouts" in plot.spec.needs and not run.has_cutouts:
            logger.warning("%s is not drawn: this run has vectors only, no cutouts", plot.label)
        else:
            for one in subjects(run, plot.spec, lists):
                stem = plot.label if one is None else f"{one.stem}.{plot.label}"
                jobs.append((stem, plot, subject_of(run, one)))
    before = [{"figure": label, "why": why} for label, why in broken.items()]
    drawn = Drawn(run.folder.path, not_drawn=before)
    place_of_plots = run.folder.plots.relative_to(run.folder.path).as_posix()
    progress("draw figures", 0, len(jobs))
    for done, (stem, plot, data) in enumerate(jobs, 1):
        _show(drawn, f"{place_of_plots}/{stem}", plot, data, [run], formats)
        progress("draw figures", done, len(jobs))
    return drawn


def draw_together(
    runs: Sequence[Run], plots: Sequence[Chosen[PlotSpec]], formats: Sequence[str]
) -> Drawn:
    """Draw figures of several runs into a folder of the workspace, as `draw` does those of one."""
    title = " and ".join(run.name for run in runs)
    notes = list({note.text: note for run in runs for note in run.notes}.values())
    folder = runs[0].home / "figures" / _joined(runs) / runs[0].folder.part
    drawn = Drawn(ensure_folder(folder))
    for plot in plots:
        _show(drawn, plot.label, plot, PlotData(title, notes, runs), runs, formats)
    return drawn


def note_drawn(run: Run, drawn: Drawn) -> None:
    """Keep a record of figures that were drawn later beside them; the manifest stays as it was."""
    path = run.folder.plots / "drawn.json"
    before = read_json(path)["files"] if path.exists() else {}
    publish_json(path, {"files": before | drawn.files, "not_drawn": drawn.not_drawn})


def what_is_not_drawn(again: str, not_drawn: Sequence[Mapping[str, str]]) -> str:
    """One line: which figures were not drawn, why the first was not, and how to draw them later.

    Args:
        again: what follows `fmb plot` to draw them, for instance the name of the run.
        not_drawn: their names, and why.
    """
    names = [one["figure"] for one in not_drawn]
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    were = "1 figure was" if len(names) == 1 else f"{len(names)} figures were"
    why = not_drawn[0]["why"]
    return (
        f"{were} not drawn: {', '.join(names[:NAMED])}{more} ({why}); all else is kept, and"
        f" `fmb plot {again}` draws what is missing"
    )


def _joined(runs: Sequence[Run]) -> str:
    """The name of a folder for these runs and no others.

    The name of a run has no "+". Runs of another workspace may be called alike, and many names are
    too long for a folder.
    """
    name = "+".join(run.name for run in runs)
    if len(name) <= MOST_LETTERS and all(run.home.samefile(runs[0].home) for run in runs):
        return name
    return f"{name[:MOST_LETTERS]}-{content_key([run.folder.path.resolve() for run in runs])[:8]}"


def _show(
    drawn: Drawn,
    name: str,
    plot: Chosen[PlotSpec],
    data: PlotData,
    runs: Sequence[Run],
    formats: Sequence[str],
) -> None:
    """Put a figure into the folder under a name, drawn where it is not kept yet, and note it."""
    try:
        key = figure_key(plot, data, runs, DPI)
        kept = {ending: runs[0].home / "figures" / key / f"figure.{ending}" for ending in formats}
        pages = figure_files(
            plot, data, [ending for ending in kept if not _whole(kept[ending])], key
        )
    except (Exception, SystemExit) as error:  # the plugin's own code runs here
        why, told = _reason(plot, data, error)
        logger.error("%s", told)
        one_line = " ".join(why.split())
        drawn.not_drawn.append({"figure": name.removeprefix("plots/"), "why": one_line})
        return
    for ending, path in kept.items():
        if ending in pages:
            publish(ensure_folder(path.parent) / path.name, pages[ending])
        place(path, drawn.folder / f"{name}.{ending}")
        about = {"figure": plot.component.qualified, "key": key}
        drawn.files[f"{name}.{ending}"] = about | {"config": plot.config.model_dump(mode="json")}


def _reason(plot: Chosen[PlotSpec], data: PlotData, error: BaseException) -> tuple[str, str]:
    """Why a figure failed, in one line, and with the traceback where it is a plugin's bug."""
    if isinstance(error, FmbError):
        return str(error), str(error)
    one = plot.component
    why = (
        f"plot {plot.label!r} of plugin {one.plugin!r} ({one.distribution} {one.version}) failed"
        f" at {data.title!r}: {type(error).__name__}: {error}"
    )
    return why, "".join(traceback.format_exception(error))


def figure_files(
    plot: Chosen[PlotSpec], data: PlotData, formats: Sequence[str], salt: str
) -> dict[str, bytes]:
    """A figure in each of the formats; nothing is drawn, or imported for it, where there is none.

    Args:
        plot: the figure.
        data: what it is drawn from.
        formats: endings of files, without the dot.
        salt: makes ids within an SVG.

    Returns:
        Ending -> the content of the file.

    Raises:
        PluginError: it is something else than a matplotlib figure.
    """
    if not formats:
        return {}
    figure = draw_figure(plot, data)
    pages = {}
    with own_style({"svg.hashsalt": salt}):  # else ids within an SVG are random
        for ending in formats:
            pages[ending] = _saved(figure, ending) if ending in DRAWINGS else pixels(figure, DPI)
    return pages


def _saved(figure: "Figure", ending: str) -> bytes:
    body = io.BytesIO()
    figure.savefig(body, format=ending, dpi=DPI, **DRAWINGS[ending])
    return body.getvalue()


def _whole(path: Path) -> bool:
    """True when a kept figure is there and not empty."""
    return path.exists() and path.stat().st_size > 0
