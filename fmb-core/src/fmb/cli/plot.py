"""`fmb plot`: figures of a finished run."""

import click

from fmb.cli.terminal import progress_line

__all__ = ["command"]


@click.command()
@click.argument("run", required=False)
@click.option("--plot", multiple=True, metavar="[LABEL=]NAME", help="Figure; repeatable.")
@click.option("--set", multiple=True, metavar="KEY=VALUE", help="As plot.outlier-grid.columns=3.")
def command(run: str | None, plot: tuple[str, ...], set: tuple[str, ...]) -> None:
    """Draw figures of RUN, by default the latest, from what the run folder holds."""
    # Imported here: the help text needs none of it.
    from fmb.plan.make import plan_plots
    from fmb.plan.options import options_request
    from fmb.plugins.loading import load_plugins
    from fmb.runs.results import open_run
    from fmb.steps.plot import RunView, draw

    opened = open_run(run)
    request = options_request({"plot": plot, "set": set})
    plots = plan_plots(request, load_plugins().registry)
    view = RunView(
        opened.folder, opened.objects, opened.score_names, opened.manifest["notes"], opened.vectors
    )
    for figure in draw(view, plots, progress_line):
        click.echo(opened.folder.path / figure)
