"""The question before something is deleted."""

import sys

import click

from fmb.messages.errors import ConfigError

__all__ = ["confirmed", "yes_option"]

yes_option = click.option("--yes", is_flag=True, help="Do not ask.")


def confirmed(question: str, *, yes: bool) -> bool:
    """True when the user agrees.

    Raises:
        ConfigError: nobody can be asked.
    """
    if yes:
        return True
    if not sys.stdin.isatty():
        raise ConfigError(f"{question} There is nobody to ask: add --yes")
    return click.confirm(question, err=True)
