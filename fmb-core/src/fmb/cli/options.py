"""The options that describe a run as click has them, shared by the commands that make one."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

from fmb.plan.option_table import Option, options_of

__all__ = ["RUN_GROUPS", "click_option", "request_options"]

F = TypeVar("F", bound=Callable[..., Any])

RUN_GROUPS = (
    "model",
    "input",
    "data",
    "detect",
    "plot",
    "batch",
    "compute",
    "engine",
    "settings",
)
"""Groups of options that a whole run takes."""


def click_option(option: Option) -> Callable[[F], F]:
    """One option of the table as a decorator."""
    if not option.metavar:
        return click.option(option.flag, is_flag=True, help=option.help)
    kind = int if option.whole else str
    return click.option(
        option.flag, type=kind, metavar=option.metavar, multiple=option.repeats, help=option.help
    )


def request_options(*groups: str) -> Callable[[F], F]:
    """The options of some groups, in the order of the table."""

    def decorate(function: F) -> F:
        for option in reversed(options_of(*groups)):
            function = click_option(option)(function)
        return function

    return decorate
