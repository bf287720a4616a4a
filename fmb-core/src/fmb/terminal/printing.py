"""Results on stdout, talk on stderr, each in the width of its screen."""

import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from fmb.terminal.json_text import json_text
from fmb.terminal.progress import clear_progress, tell_progress
from fmb.terminal.tables import fit_columns
from fmb.terminal.width import fold, printable, screen_width, terminal_columns

__all__ = [
    "echo_error",
    "echo_folded",
    "echo_json",
    "is_quiet",
    "print_files",
    "print_table",
    "progress_line",
    "say",
]


def is_quiet() -> bool:
    """True under `fmb -q`: nothing but errors goes to stderr."""
    context = click.get_current_context(silent=True)
    return context is not None and bool((context.find_root().obj or {}).get("quiet"))


def say(line: str) -> None:
    """Tell on stderr what is no result; silent under `fmb -q`."""
    if not is_quiet():
        echo_error(line)


def echo_error(line: str) -> None:
    """Write one line to stderr; a terminal gets it folded between words."""
    clear_progress()
    stderr = sys.stderr
    shown = fold(line, terminal_columns(stderr)) if stderr.isatty() else printable(line)
    click.echo(shown, err=True)


def echo_folded(line: str, indent: str = "  ") -> None:
    """Write a line of prose to stdout, folded between words."""
    clear_progress()
    click.echo(fold(line, screen_width(), indent))


def print_table(
    rows: Sequence[Mapping[str, Any]], empty: str, *, more: str, keep: int = 2, prose: str = ""
) -> None:
    """Print a table that fits the screen; on stderr say how to see the columns that do not.

    Args:
        rows: the keys of the first are the columns.
        empty: what is printed where there are no rows.
        more: the command that shows all columns.
        keep: how many columns always stand there.
        prose: a column of words, which is folded before any is left out.
    """
    text, left = fit_columns(rows, keep, prose)
    clear_progress()
    click.echo(text or empty)
    if left:
        say(f"more columns ({', '.join(left)}): {more}")


def print_files(what: str, paths: Iterable[Path], *, as_json: bool) -> None:
    """Print the files that a command made, a path a line."""
    if as_json:
        echo_json({what: [str(path) for path in paths]})
        return
    clear_progress()
    for path in paths:
        click.echo(printable(str(path)))


def echo_json(value: Any) -> None:
    """Print plain values as JSON; ids are strings, which no reader rounds; what is NaN is null."""
    clear_progress()
    click.echo(json_text(value))


def progress_line(what: str, done: int, total: int) -> None:
    """Progress on stderr, in place on a terminal, a line now and then in a log; none under -q."""
    if not is_quiet():
        tell_progress(what, done, total)
