"""`fmb detect`: scores without figures."""

from typing import Any

import click

from fmb.cli.options import request_options
from fmb.cli.run import execute_options

__all__ = ["command"]


@click.command(epilog="Example: fmb detect --embeddings vectors.npz --ids id --detector flow")
@request_options(detect=True, plot=False)
@click.option("--dry-run", is_flag=True, help="Print the plan and its cost, then stop.")
@click.option("--json", "as_json", is_flag=True, help="Print the run's record as JSON.")
def command(dry_run: bool, as_json: bool, **options: Any) -> None:
    """Score a survey with stored or new vectors, or vectors of your own (--embeddings)."""
    execute_options(options, draw_plots=False, dry_run=dry_run, as_json=as_json)
