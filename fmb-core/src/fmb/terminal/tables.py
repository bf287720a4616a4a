"""Tables as aligned text, in the width of a screen."""

from collections.abc import Mapping, Sequence
from typing import Any

from fmb.terminal.values import one_line
from fmb.terminal.width import fold, screen_width

__all__ = ["facts_text", "fit_columns", "size_text", "table_text"]

Row = Mapping[str, Any]

PROSE = 30
"""Columns that text needs to be read when it is folded within a table."""


def fit_columns(rows: Sequence[Row], keep: int = 2, prose: str = "") -> tuple[str, list[str]]:
    """The table of `rows` in the width of the screen, and the columns left out for that.

    Columns are left out from the right. The first `keep` stay, and whole: an id that is cut short
    names nothing. Where not even these fit, what is beside a few long cells goes to the line below
    them; where most are long, every row becomes a list of its values.

    Args:
        rows: the keys of the first are the columns.
        keep: how many columns stay.
        prose: a column of words that is folded before any is left out, and stays.
    """
    width = screen_width()
    rows = [{head: one_line(str(cell)) for head, cell in row.items()} for row in rows]
    heads, left = list(rows[0]) if rows else [], list[str]()
    while (widths := _widths(rows, heads, prose, width)) is None:
        loose = [head for head in heads[keep:] if head != prose]
        if not loose:
            spilled = _spilled(rows, heads, prose, width)
            if spilled is None:
                return "\n\n".join(facts_text(row) for row in rows), []
            return _aligned(rows, heads, spilled), left
        left.insert(0, loose[-1])
        heads.remove(loose[-1])
    return _aligned(rows, heads, widths), left


def table_text(rows: Sequence[Row]) -> str:
    """Rows as aligned text with a heading, however wide that is."""
    heads = list(rows[0]) if rows else []
    return _aligned(rows, heads, [_longest(rows, head) for head in heads])


def facts_text(facts: Row) -> str:
    """Names and values, a pair a line, long values folded beside their names; no empty ones."""
    margin = max(map(len, facts), default=0) + 2
    return "\n".join(
        fold(str(value), screen_width(), " " * margin, f"{name:<{margin}}")
        for name, value in facts.items()
        if value != ""
    )


def _longest(rows: Sequence[Row], head: str) -> int:
    return max([len(head), *(len(str(row.get(head, ""))) for row in rows)])


def _widths(rows: Sequence[Row], heads: Sequence[str], prose: str, width: int) -> list[int] | None:
    """Columns that each column takes; None where they do not fit."""
    widths = [_longest(rows, head) for head in heads]
    over = sum(widths) + 2 * (len(widths) - 1) - width
    if over <= 0:
        return widths
    if prose not in heads:
        return None
    at = heads.index(prose)
    words = [word for row in rows for word in str(row.get(prose, "")).split()]
    if widths[at] - over < max([min(PROSE, widths[at]), *map(len, words)]):
        return None
    widths[at] -= over
    return widths


def _spilled(rows: Sequence[Row], heads: Sequence[str], prose: str, width: int) -> list[int] | None:
    """Columns that each column takes where a few cells of the widest are longer than it."""
    widths = [
        min(_longest(rows, head), PROSE) if head == prose else _longest(rows, head)
        for head in heads
    ]
    at = max((i for i, head in enumerate(heads) if head != prose), key=lambda i: widths[i])
    room = width - (sum(widths) - widths[at]) - 2 * (len(widths) - 1)
    long = [len(str(row.get(heads[at], ""))) > room for row in rows]
    if 2 * sum(long) > len(rows):
        return None
    rest = [
        {**row, heads[at]: ""} if is_long else row for row, is_long in zip(rows, long, strict=True)
    ]
    return _widths(rest, heads, prose, width)


def _aligned(rows: Sequence[Row], heads: Sequence[str], widths: Sequence[int]) -> str:
    """A heading and rows; beside a cell longer than its column nothing stands."""
    cells = [list(heads), *([str(row.get(head, "")) for head in heads] for row in rows)]
    lines: list[str] = []
    for line in cells if rows else ():
        start = len(lines)
        lines.append("")
        at = 0  # where the next column begins
        for cell, width in zip(line, widths, strict=True):
            for down, part in enumerate(fold(cell, width, "").split("\n")):
                if start + down == len(lines):
                    lines.append("")
                lines[start + down] = lines[start + down].ljust(at) + part
            if len(lines[start]) > at + width:
                start += 1
                lines.extend([""] * (start + 1 - len(lines)))
            at += width + 2
    return "\n".join(line.rstrip() for line in lines)


def size_text(size: int) -> str:
    """Bytes as people read them: "2.3 GB"."""
    for unit, factor in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if size >= factor:
            return f"{size / factor:.3g} {unit}"
    return f"{size} B"
