"""`fmb run`: embed, detect and plot."""

from typing import Any

import click

from fmb.cli.options import request_options
from fmb.cli.terminal import progress_line

__all__ = ["command", "execute_options"]


@click.command(epilog="Example: fmb run --model astropt --detector flow")
@request_options(detect=True, plot=True)
@click.option("--dry-run", is_flag=True, help="Print the plan and its cost, then stop.")
@click.option("--json", "as_json", is_flag=True, help="Print the run's record as JSON.")
def command(dry_run: bool, as_json: bool, **options: Any) -> None:
    """Embed a survey, find its strangest objects and draw them.

    Without --data it takes a simulated survey, which needs no download.
    """
    execute_options(options, draw_plots=True, dry_run=dry_run, as_json=as_json)


def execute_options(
    options: dict[str, Any], *, draw_plots: bool, dry_run: bool, as_json: bool
) -> None:
    """Do what the options of `run` and `detect` ask and print what came out."""
    # Imported here: the help text needs none of it.
    from fmb.cli.printing import print_plan, print_run
    from fmb.contract.errors import StoppedError
    from fmb.plan.make import make_plan
    from fmb.plan.options import options_request
    from fmb.plugins.loading import load_plugins
    from fmb.steps.execute import execute
    from fmb.steps.resume import resumed_request
    from fmb.store.atomic import ensure_folder
    from fmb.store.workspace import workspace

    resume = options.pop("resume")
    request = options_request(options)
    home = ensure_folder(workspace())
    if resume:
        request = resumed_request(request, home)
    registry = load_plugins().registry
    plan = make_plan(request, registry, home, draw=draw_plots, progress=progress_line)
    if dry_run:
        print_plan(plan, as_json=as_json)
        return
    try:
        run = execute(plan, resume=resume, progress=progress_line)
    except KeyboardInterrupt:
        name = request.run.name
        again = f"--resume --out {name}" if name else "the same command, which resumes the vectors"
        raise StoppedError(f"interrupted; what was finished is kept: go on with {again}") from None
    print_run(run, as_json=as_json)
