"""`fmb config`: the configuration that options, files and defaults make."""

from typing import Any

import click

from fmb.cli.options import RUN_GROUPS, request_options

__all__ = ["command"]


@click.group()
def command() -> None:
    """Show the resolved configuration."""


@command.command("show")
@request_options(*RUN_GROUPS)
def show(**options: Any) -> None:
    """Print the configuration of a run as TOML; takes the options of `fmb run`."""
    # Imported here: the help text needs none of it.
    import tomli_w

    from fmb.plan.options import options_request
    from fmb.plan.request import request_toml

    click.echo(tomli_w.dumps(request_toml(options_request(options))), nl=False)
