"""Writing to a terminal: progress, tables and JSON."""

import json
import math
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import click

__all__ = [
    "echo_json",
    "fit_columns",
    "is_quiet",
    "progress_line",
    "quality_lines",
    "say",
    "size_text",
    "table_text",
]

WIDTH = 80
"""Characters that a table of a run may be wide."""


def progress_line(what: str, done: int, total: int) -> None:
    """Progress on stderr, overwritten in place; silent when stderr is not a terminal."""
    if not sys.stderr.isatty() or is_quiet():
        return
    end = "\n" if done >= total else ""
    click.echo(f"\r\x1b[K{what}: {done:,} of {total:,}{end}", nl=False, err=True)


def is_quiet() -> bool:
    """True under `fmb -q`: nothing but errors goes to stderr."""
    context = click.get_current_context(silent=True)
    return context is not None and bool((context.find_root().obj or {}).get("quiet"))


def say(line: str) -> None:
    """Tell on stderr what is no result; silent under `fmb -q`."""
    if not is_quiet():
        click.echo(line, err=True)


def echo_json(value: Any) -> None:
    """Print plain values as JSON; ids are strings, which no reader rounds; what is NaN is null."""
    click.echo(json.dumps(_without_nan(value), indent=1, default=str, allow_nan=False))


def _without_nan(value: Any) -> Any:
    """Numbers of numpy as plain ones; JSON has no word for NaN and infinity."""
    if hasattr(value, "dtype") and hasattr(value, "item"):
        value = value.item()
    if isinstance(value, Mapping):
        return {key: _without_nan(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_without_nan(item) for item in value]
    unknown = isinstance(value, float) and not math.isfinite(value)
    return None if unknown or type(value).__name__ == "NAType" else value


def size_text(size: int) -> str:
    """Bytes as people read them: "2.3 GB"."""
    for unit, factor in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if size >= factor:
            return f"{size / factor:.3g} {unit}"
    return f"{size} B"


def table_text(rows: Sequence[Mapping[str, Any]]) -> str:
    """Rows as aligned text with a heading; the keys of the first row are the columns."""
    if not rows:
        return ""
    heads = list(rows[0])
    cells = [[str(row.get(head, "")) for head in heads] for row in rows]
    widths = [max(len(head), *(len(line[i]) for line in cells)) for i, head in enumerate(heads)]
    lines = [heads, *cells]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def fit_columns(rows: Sequence[Mapping[str, Any]], keep: int = 2) -> tuple[str, list[str]]:
    """The table of `rows` in 80 characters, and the columns left out for that, from the right.

    The first `keep` columns stay whole: an id that is cut short names nothing.
    """
    heads, left, text = list(rows[0]) if rows else [], list[str](), table_text(rows)
    while len(heads) > keep and max(map(len, text.splitlines())) > WIDTH:
        left.insert(0, heads.pop())
        text = table_text([{head: row.get(head, "") for head in heads} for row in rows])
    return text, left


def quality_lines(findings: Iterable[Mapping[str, Any]]) -> Iterable[str]:
    """Findings about the data, by problem, naming the worst objects."""
    # Imported here: the help text needs none of it.
    from fmb.datasets.quality import Finding, summary

    return [f"data quality: {line}" for line in summary([Finding(**f) for f in findings])]
