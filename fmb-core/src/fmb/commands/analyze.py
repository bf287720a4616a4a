"""`fmb analyze`: tables from finished runs."""

from typing import Any

import click

from fmb.terminal.printing import print_files, progress_line
from fmb.terminal.progress import stage

__all__ = ["command"]


@click.command(epilog="Example: fmb analyze ANALYSIS my-run")
@click.argument("analysis", metavar="[LABEL=]NAME")
@click.argument("runs", nargs=-1, metavar="[RUN]...")
@click.option("--set", multiple=True, metavar="KEY=VALUE", help="As analysis.LABEL.OPTION=VALUE.")
@click.option("--seed", type=int, default=0, metavar="N", help="Of everything drawn [0].")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(analysis: str, runs: tuple[str, ...], seed: int, as_json: bool, **options: Any) -> None:
    """Make the tables of an analysis from each RUN, or from all together where it compares runs.

    Without RUN it takes the latest. Each table is printed, and below it its Parquet file.
    """
    with stage(progress_line, "start"):
        # Imported here: the help text needs none of it.
        from fmb.cli.analysis_tables import print_tables
        from fmb.plan.figures import plan_analysis
        from fmb.plan.session import Session
        from fmb.plugins.registry import split_label
        from fmb.request.options import options_request
        from fmb.runs.run import open_run
        from fmb.steps.analyze import analyze_run, analyze_runs

    session = Session.open(progress_line)
    request = options_request({"analysis": analysis, **options})
    chosen = plan_analysis(request, split_label(analysis)[0], session.registry)
    opened = [open_run(name) for name in runs or (None,)]
    if chosen.spec.over == "runs":
        paths = analyze_runs(opened, chosen, seed, session.progress)
    else:
        paths = [path for run in opened for path in analyze_run(run, [chosen], seed, progress_line)]
    if as_json:
        print_files("tables", paths, as_json=True)
    else:
        print_tables(paths, opened)
