"""`fmb run`: embed, detect, analyze and plot."""

from collections.abc import Iterable
from typing import Any

import click

from fmb.cli.options import RUN_GROUPS, request_options
from fmb.terminal.printing import progress_line
from fmb.terminal.progress import stage

__all__ = ["command", "do_run", "dry_run_option", "json_option", "resume_option"]

dry_run_option = click.option(
    "--dry-run", is_flag=True, help="Print the plan and its cost, then stop."
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print the record as JSON.")
resume_option = click.option(
    "--resume", is_flag=True, help="Go on with the run named by --out, or the latest like it."
)


@click.command(epilog="Example: fmb run --model MODEL --detector DETECTOR --data survey.toml")
@request_options(*RUN_GROUPS)
@resume_option
@dry_run_option
@json_option
def command(**options: Any) -> None:
    """Embed a survey, find its strangest objects and draw them.

    Without --data it takes a simulated survey, which needs no download. What of it is shown is
    chosen afterwards: `fmb top RUN --only-mismatch`, `--without CLASS` ...
    """
    do_run(options, steps=("embed", "detect", "analyze", "plot"))


def do_run(options: dict[str, Any], *, steps: Iterable[str]) -> None:
    """Do what the options of `run` and `detect` ask and print what came out."""
    with stage(progress_line, "start"):
        # Imported here: the help text needs none of it.
        from fmb.cli.listing import print_run
        from fmb.cli.plan_lines import print_plan
        from fmb.messages.errors import FailedError
        from fmb.plan.session import Session
        from fmb.request.options import options_request
        from fmb.steps.execute import execute
        from fmb.steps.plot import what_is_not_drawn
        from fmb.steps.resume import plan_run

    resume, dry_run, as_json = (options.pop(name) for name in ("resume", "dry_run", "as_json"))
    session = Session.open(progress_line)
    plan, folder = plan_run(session, options_request(options), tuple(steps), resume=resume)
    if dry_run:
        print_plan(plan, as_json=as_json)
    else:
        run = execute(plan, folder)
        print_run(run, as_json=as_json)
        if run.manifest["not_drawn"]:
            raise FailedError(what_is_not_drawn(run.name, run.manifest["not_drawn"]))
