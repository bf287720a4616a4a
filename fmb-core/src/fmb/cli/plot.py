"""`fmb plot`: figures of finished runs."""

import click

from fmb.cli.options import shown_options
from fmb.cli.terminal import progress_line

__all__ = ["command"]


@click.command()
@click.argument("runs", nargs=-1, metavar="[RUN]...")
@click.option("--plot", multiple=True, metavar="[LABEL=]NAME", help="Figure; repeatable.")
@click.option("--set", multiple=True, metavar="KEY=VALUE", help="As plot.LABEL.OPTION=VALUE.")
@shown_options
def command(
    runs: tuple[str, ...],
    plot: tuple[str, ...],
    set: tuple[str, ...],
    without: tuple[str, ...],
    only: tuple[str, ...],
) -> None:
    """Draw figures of RUN, by default the latest, from what the run folder holds.

    With several RUNs, figures that compare runs are drawn into `figures` of the workspace. Figures
    that show labelled objects only, or none of them, stand in a folder of their own.
    """
    # Imported here: the help text needs none of it.
    from fmb.contract.errors import ConfigError
    from fmb.plan.figures import plan_analyses, plan_plots
    from fmb.plan.options import options_request
    from fmb.plan.session import Session
    from fmb.runs.run import open_run
    from fmb.steps.analyze import analyze_run
    from fmb.steps.plot import draw, draw_together
    from fmb.store.atomic import ensure_folder

    session = Session.open(progress_line)
    request = options_request({"plot": plot, "set": set})
    opened = [open_run(name) for name in runs or (None,)]
    shown = [run.showing(without=without, only=only) for run in opened]
    plots = plan_plots(request.plot, session.registry, several=len(opened) > 1)
    if not plots:
        several = " of several runs" if len(opened) > 1 else ""
        raise ConfigError(f"no figure{several} is drawn unasked: name one with --plot")
    analyses = plan_analyses(request.analysis, plots, session.registry)
    for run in opened:  # tables are of all objects
        analyze_run(run, analyses, run.manifest["request"]["run"]["seed"], progress_line)
    if len(opened) > 1:
        folder = session.workspace / "figures" / "-".join(run.name for run in opened)
        for path in draw_together(shown, plots, folder / shown[0].shown.stem):
            click.echo(path)
        return
    ensure_folder(shown[0].folder.plots)
    figures, not_drawn = draw(shown[0], plots, progress_line)
    for figure in figures:
        click.echo(shown[0].folder.path / figure)
    if not_drawn is not None:
        raise not_drawn
