"""The options that describe a run as click has them, shared by the commands that make one."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

from fmb.request.option_table import Option, options_of

__all__ = ["RUN_GROUPS", "click_option", "request_options", "shown_options"]

F = TypeVar("F", bound=Callable[..., Any])

RUN_GROUPS = (
    "model",
    "input",
    "data",
    "detect",
    "plot",
    "format",
    "batch",
    "compute",
    "engine",
    "settings",
)
"""Groups of options that a whole run takes."""


def click_option(option: Option, *words: str) -> Callable[[F], F]:
    """One option of the table as a decorator; `words` are others for it."""
    flags = (option.flag, *words)
    if not option.metavar:
        return click.option(*flags, option.name, is_flag=True, help=option.help)
    kind = int if option.whole else str
    return click.option(
        *flags,
        option.name,
        type=kind,
        metavar=option.metavar,
        multiple=option.repeats,
        help=option.help,
    )


def request_options(*groups: str) -> Callable[[F], F]:
    """The options of some groups, in the order of the table."""

    def decorate(function: F) -> F:
        options = options_of(*groups)
        names = [option.name for option in options]
        for option in reversed(options):
            free = option.alias and option.alias not in names
            function = click_option(option, *([f"--{option.alias}"] if free else []))(function)
        return function

    return decorate


def shown_options(function: F) -> F:
    """`--without`, `--only`, `--only-mismatch`: which objects are shown."""
    about = "Only pairs, and of these those strange in neither view alone."
    function = click.option("--only-mismatch", is_flag=True, help=about)(function)
    for name, about in (("only", "Only objects labelled so"), ("without", "No object labelled so")):
        option = click.option(
            f"--{name}", multiple=True, metavar="CLASS", help=f"{about}; repeatable."
        )
        function = option(function)
    return function
