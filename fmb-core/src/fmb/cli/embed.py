"""`fmb embed`: vectors only."""

from typing import Any

import click

from fmb.cli.options import request_options
from fmb.cli.terminal import progress_line

__all__ = ["command"]


@click.command(epilog="Example: fmb embed --model astropt --data survey.toml --weights random")
@request_options(detect=False, plot=False)
@click.option("--dry-run", is_flag=True, help="Print the plan and its cost, then stop.")
@click.option("--json", "as_json", is_flag=True, help="Print the record as JSON.")
def command(dry_run: bool, as_json: bool, **options: Any) -> None:
    """Turn a survey into vectors. Interrupted, the same command goes on where it stopped."""
    # Imported here: the help text needs none of it.
    from fmb.cli.printing import print_embedded, print_plan
    from fmb.plan.make import make_plan
    from fmb.plan.options import options_request
    from fmb.plugins.loading import load_plugins
    from fmb.steps.embed import embed_model
    from fmb.store.atomic import ensure_folder
    from fmb.store.workspace import workspace

    plan = make_plan(
        options_request(options),
        load_plugins().registry,
        ensure_folder(workspace()),
        detect=False,
        draw=False,
        progress=progress_line,
    )
    if dry_run:
        print_plan(plan, as_json=as_json)
        return
    done = {model.label: embed_model(plan, model, progress_line) for model in plan.models}
    print_embedded(plan, done, as_json=as_json)
