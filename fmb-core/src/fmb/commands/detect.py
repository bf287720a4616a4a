"""`fmb detect`: scores without figures."""

from typing import Any

import click

from fmb.cli.options import RUN_GROUPS, request_options
from fmb.commands.run import do_run, dry_run_option, json_option, resume_option

__all__ = ["command"]


@click.command(epilog="Example: fmb detect --embeddings vectors.npz --ids id --detector DETECTOR")
@request_options(*(group for group in RUN_GROUPS if group not in ("plot", "format")))
@resume_option
@dry_run_option
@json_option
def command(**options: Any) -> None:
    """Score a survey with stored or new vectors, or vectors of your own (--embeddings).

    What is shown of it is chosen afterwards: `fmb top RUN --only-mismatch`, `--without CLASS` ...
    """
    do_run(options, steps=("embed", "detect"))
