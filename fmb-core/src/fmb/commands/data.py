"""`fmb data`: describe and check survey data; what plugins add to that stands beside it."""

import click

from fmb.plugins.commands import CommandGroup

__all__ = ["command"]


@click.group(cls=CommandGroup, group="data")
def command() -> None:
    """Describe and check survey data."""
