"""Tables of analyses on a screen: what all rows share once, then the rows, then the file."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
import pandas as pd

from fmb.listing.list_table import LIST_COLUMNS
from fmb.listing.list_words import words_for
from fmb.runs.run import Run
from fmb.store.tables import read_meta, read_table
from fmb.terminal.printing import echo_folded, print_table, say
from fmb.terminal.values import value_text
from fmb.terminal.width import printable

__all__ = ["print_tables"]

ROWS = 40
"""Rows of a table that are shown; its file has all."""


def print_tables(paths: Sequence[Path], runs: Sequence[Run]) -> None:
    """Print tables that an analysis made, each above the path of its file.

    Args:
        paths: the files.
        runs: what they are of, whose lists are called by words instead of titles.
    """
    words = {str(name): words_for(name, run.lists) for run in runs for name in run.lists}
    for n, path in enumerate(paths):
        if n:
            click.echo("")
        table = read_table(path)
        shared, rows = _told(table, words)
        echo_folded(f"{path.stem}: {read_meta(path).get('about', '')}{shared}")
        print_table(rows[:ROWS], "no rows", more=f"see {path}", keep=2)
        if len(rows) > ROWS:
            say(f"{len(rows) - ROWS:,} more rows of {path.stem} in its file")
        click.echo(printable(str(path)))


def _told(table: pd.DataFrame, words: dict[str, str]) -> tuple[str, list[dict[str, Any]]]:
    """What all rows say, in words, and of each row the rest as texts."""
    columns = [str(column) for column in table]
    if "list" in columns:  # its words say these
        columns = [column for column in columns if column not in LIST_COLUMNS]
    texts = {c: [value_text(value, 3) for value in table[c]] for c in columns}
    if "list" in texts:
        texts["list"] = [words.get(title, title) for title in texts["list"]]
    same = [c for c in columns if len(table) > 1 and len(set(texts[c])) == 1]
    shared = ", ".join(f"{column} {texts[column][0]}" for column in same)
    left = {c: values for c, values in texts.items() if c not in same}
    rows = [dict(zip(left, row, strict=True)) for row in zip(*left.values(), strict=True)]
    return f" ({shared})" if shared else "", rows
