"""Writing to a terminal: progress, tables and JSON."""

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import click

__all__ = ["echo_json", "progress_line", "quality_lines", "table_text"]


def progress_line(what: str, done: int, total: int) -> None:
    """Progress on stderr, overwritten in place; silent when stderr is not a terminal."""
    context = click.get_current_context(silent=True)
    if not sys.stderr.isatty() or (
        context is not None and (context.find_root().obj or {}).get("quiet")
    ):
        return
    end = "\n" if done >= total else ""
    click.echo(f"\r\x1b[K{what}: {done:,} of {total:,}{end}", nl=False, err=True)


def echo_json(value: Any) -> None:
    """Print plain values as JSON; ids are strings, which no reader rounds."""
    click.echo(json.dumps(value, indent=1, default=str))


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


def quality_lines(findings: Iterable[Mapping[str, Any]]) -> Iterable[str]:
    """Findings about the data, by problem, naming the worst objects."""
    # Imported here: the help text needs none of it.
    from fmb.datasets.quality import Finding, summary

    return [f"data quality: {line}" for line in summary([Finding(**f) for f in findings])]
