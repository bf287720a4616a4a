"""A figure of a run: what it can be drawn for, and drawing one without keeping it."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fmb.contract.names import ListName, VectorName
from fmb.contract.plot import PlotData, PlotSpec
from fmb.messages.errors import ConfigError, PluginError, StoreError
from fmb.messages.notes import Note
from fmb.plan.choice import Chosen
from fmb.plan.figures import plan_plots, recorded_figures
from fmb.plugins.registry import Registry, split_label
from fmb.request.record import build_request, read_layers
from fmb.runs.labelled_run import LabelledRun
from fmb.terminal.figure_style import own_style, shown_in_notebook

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["choose_figure", "draw_figure", "draw_inline", "subject_of", "subjects"]


def choose_figure(
    run: LabelledRun, name: str | None, settings: Mapping[str, Any], registry: Registry
) -> Chosen[PlotSpec]:
    """The figure that is asked for, set up as `fmb plot` sets it up.

    Args:
        run: what is drawn.
        name: `[label=]name`; None = the first that is drawn unasked and has what it needs.
        settings: options, over those of `fmb.toml`; and, without a name, those of the run.
        registry: the installed components.

    Raises:
        ConfigError: it is a figure of several runs, or an option does not work.
        UnknownNameError: no figure is called so.
        StoreError: without a name, none can be drawn.
    """
    recorded = recorded_figures(run.manifest["request"], named=name is not None)
    layers = [recorded, *(layer for _, layer in read_layers())]
    label, use = split_label(name) if name is not None else ("", "")
    if name is None:
        unasked, _ = plan_plots(build_request(*layers), registry)
        able = [one for one in unasked if run.has_cutouts or "cutouts" not in one.spec.needs]
        if not able:
            raise StoreError(f"no figure is drawn unasked of run {run.name!r}: name one")
        label, use = able[0].label, able[0].component.qualified
    asked = {"run": {"figures": [label]}, "plot": {label: {"use": use, **settings}}}
    (chosen,), _ = plan_plots(build_request(*layers, asked), registry)
    return chosen


def subjects(
    run: LabelledRun, spec: PlotSpec, lists: Sequence[ListName] = ()
) -> Sequence[ListName | VectorName | None]:
    """What a figure is drawn for: each of the lists, each view's vectors, or the run (None).

    Args:
        run: what is drawn.
        spec: the figure.
        lists: those to draw, by figures of a list and no others; () = all that it shows, by all
            figures.
    """
    if lists:
        return lists if spec.per == "list" else ()
    if spec.per == "list":
        return run.listed
    return run.vector_names if spec.per == "view" else [None]


def subject_of(run: LabelledRun, one: ListName | VectorName | None) -> PlotData:
    """What a figure of a run, a list or the vectors of a view is drawn from."""
    # The survey's name, not the run's: runs that would draw the same figure share it.
    identity = run.manifest["dataset"]
    survey = str(identity.get("name") or Path(str(identity.get("file", run.name))).stem)
    return PlotData(
        title=survey if one is None else f"{survey}: {one}",
        notes=_notes(run, one),
        runs=[run],
        list=one if isinstance(one, ListName) else None,
        view=one if isinstance(one, VectorName) else None,
    )


def _notes(run: LabelledRun, one: ListName | VectorName | None) -> Sequence[Note]:
    """Those of the run; of a list, without what concerns lists that it is not made from.

    So what another detector did changes no figure but its own, which need not be drawn again.
    """
    if not isinstance(one, ListName):
        return run.notes
    concerned = {"", *map(str, _made_from(one))}
    return [note for note in run.notes if note.about in concerned]


def _made_from(one: ListName) -> Iterator[ListName]:
    """The list, and all lists that it is a fusion of."""
    yield one
    for part in one.of:
        if isinstance(part, ListName):
            yield from _made_from(part)


def draw_figure(plot: Chosen[PlotSpec], data: PlotData) -> "Figure":
    """The figure, drawn in matplotlib's own style.

    Raises:
        PluginError: it is something else than a matplotlib figure.
    """
    with own_style():
        figure: Figure = plot.new().draw(data)
    if not hasattr(figure, "savefig"):
        raise PluginError(
            f"plot {plot.label!r} of plugin {plot.component.plugin!r} gave"
            f" {type(figure).__name__}, expected a matplotlib figure"
        )
    return figure


def draw_inline(
    run: LabelledRun,
    plot: Chosen[PlotSpec],
    list: ListName | str | None,
    view: VectorName | str | None,
) -> "Figure":
    """A figure that a notebook shows where it is the last thing in a cell; nothing is written.

    Raises:
        ConfigError: a list or view is named for a figure that is not drawn of one.
        FmbError: there is no such list or view, or the run has not what the figure needs.
    """
    per = plot.spec.per
    for kind, named in (("list", list), ("view", view)):
        if named is not None and per != kind:
            raise ConfigError(f"figure {plot.label!r} is drawn of a {per}, not of a {kind}")
    one: ListName | VectorName | None = next(iter(subjects(run, plot.spec)))
    if list is not None:
        one = run.list_called(list)
    elif view is not None:
        one = run.vectors_called(view)
    return shown_in_notebook(draw_figure(plot, subject_of(run, one)))
