"""`fmb plot`: figures of finished runs."""

import click

from fmb.cli.options import request_options, shown_options
from fmb.terminal.printing import print_files, progress_line
from fmb.terminal.progress import stage

__all__ = ["command"]


@click.command()
@click.argument("runs", nargs=-1, metavar="[RUN]...")
@click.option("--plot", multiple=True, metavar="[LABEL=]NAME", help="Only the figures named here.")
@click.option("--set", multiple=True, metavar="KEY=VALUE", help="As plot.LABEL.OPTION=VALUE.")
@click.option("--list", "lists", multiple=True, metavar="WORDS", help="Only of this list.")
@request_options("format")
@shown_options
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(
    runs: tuple[str, ...],
    plot: tuple[str, ...],
    set: tuple[str, ...],
    lists: tuple[str, ...],
    format: tuple[str, ...],
    without: tuple[str, ...],
    only: tuple[str, ...],
    only_mismatch: bool,
    as_json: bool,
) -> None:
    """Draw figures of RUN, by default the latest, from what the run folder holds.

    Without --plot they are those that are drawn unasked and those that the run was asked for;
    --set changes how one of them looks and leaves none out. What is there is not drawn again.
    --list draws of the lists that are named, by words as `fmb top` takes them, and nothing else.
    With several RUNs, figures that compare runs are drawn into `figures` of the workspace. Figures
    that show labelled objects only, or none of them, stand in a folder of their own.
    """
    with stage(progress_line, "start"):
        # Imported here: the help text needs none of it.
        from fmb.messages.errors import ConfigError, FailedError
        from fmb.plan.figures import plan_analyses, plan_plots, recorded_figures
        from fmb.plan.session import Session
        from fmb.request.options import options_request
        from fmb.runs.run import open_run
        from fmb.steps.analyze import analyze_run
        from fmb.steps.plot import draw, draw_together, note_drawn, what_is_not_drawn
        from fmb.store.atomic import ensure_folder

    session = Session.open(progress_line)
    opened = [open_run(name) for name in runs or (None,)]
    shown = [run.showing(without=without, only=only, only_mismatch=only_mismatch) for run in opened]
    several = len(opened) > 1
    if several and lists:
        raise ConfigError("--list names a list of one run: name one RUN")
    listed = list(dict.fromkeys(map(opened[0].list_called, lists)))
    asked = recorded_figures({} if several else opened[0].manifest["request"], named=bool(plot))
    request = options_request({"plot": plot, "set": set, "format": format}, asked)
    plots, broken = plan_plots(request, session.registry, several=several)
    if not plots and not broken:
        of = " of several runs" if several else ""
        raise ConfigError(f"no figure{of} is drawn unasked: name one with --plot")
    if listed and not any(one.spec.per == "list" for one in plots):
        raise ConfigError(f"no figure of a list is asked for: leave out --list {lists[0]!r}")
    analyses = plan_analyses(request.analysis, plots, session.registry)
    for run in opened:  # tables are of all objects
        analyze_run(run, analyses, run.manifest["request"]["run"]["seed"], progress_line)
    if several:
        with stage(session.progress, "draw figures"):
            drawn = draw_together(shown, plots, request.run.figure_formats)
    else:
        ensure_folder(shown[0].folder.plots)
        drawn = draw(shown[0], plots, request.run.figure_formats, progress_line, broken, listed)
        note_drawn(shown[0], drawn)
    print_files("figures", [drawn.folder / file for file in drawn.files], as_json=as_json)
    if drawn.not_drawn:
        again = [run.name for run in opened] + [f"--plot {name}" for name in plot]
        raise FailedError(what_is_not_drawn(" ".join(again), drawn.not_drawn))
