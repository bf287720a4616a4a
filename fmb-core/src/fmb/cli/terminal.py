"""What commands use to write to a terminal."""

from collections.abc import Iterable, Mapping
from typing import Any

from fmb.terminal.printing import (
    echo_error,
    echo_folded,
    echo_json,
    is_quiet,
    print_files,
    print_table,
    say,
)
from fmb.terminal.progress import stage, tell_progress
from fmb.terminal.tables import fit_columns, size_text, table_text

__all__ = [
    "echo_error",
    "echo_folded",
    "echo_json",
    "fit_columns",
    "is_quiet",
    "print_files",
    "print_table",
    "progress_line",
    "quality_lines",
    "say",
    "size_text",
    "stage",
    "table_text",
]


def progress_line(what: str, done: int, total: int) -> None:
    """Progress on stderr, in place on a terminal, a line now and then in a log; none under -q."""
    if not is_quiet():
        tell_progress(what, done, total)


def quality_lines(findings: Iterable[Mapping[str, Any]]) -> Iterable[str]:
    """Findings about the data, by problem, naming the worst objects."""
    # Imported here: the help text needs none of it.
    from fmb.datasets.quality import Finding, summary

    return [f"data quality: {line}" for line in summary([Finding(**f) for f in findings])]
