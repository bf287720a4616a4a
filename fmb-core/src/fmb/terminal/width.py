"""How wide text may be, and lines broken between words to be so; what moves a cursor is shown."""

import os
import re
import sys
import textwrap
from typing import Any

__all__ = ["fold", "printable", "screen_width", "terminal_columns"]

WIDTH = 80
"""Columns that every screen has."""
_UNSEEN = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\x9f\xad\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufeff]"
)
"""Control characters but the line break, what turns the direction of writing, half characters."""


def printable(text: str) -> str:
    """`text` with Python's escapes for what a terminal would obey instead of showing it.

    File names, cards and tensors come from strangers; so does what is quoted of them.
    """
    return _UNSEEN.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def screen_width(stream: Any = None) -> int:
    """Columns that text on a stream may take: 80, or those of a wider terminal.

    Args:
        stream: where it is written; None = stdout.
    """
    stream = sys.stdout if stream is None else stream
    return max(WIDTH, terminal_columns(stream)) if stream.isatty() else WIDTH


def terminal_columns(stream: Any) -> int:
    """Columns of the terminal that a stream writes to; 80 where nobody knows."""
    try:
        return os.get_terminal_size(stream.fileno()).columns or WIDTH
    except (OSError, ValueError, AttributeError):  # no terminal, or a stand-in for a stream
        return WIDTH


def fold(text: str, width: int, indent: str = "  ", start: str = "") -> str:
    """A line as lines of at most `width`, broken between words; a longer word stays whole.

    Args:
        text: one line.
        width: columns.
        indent: before all lines but the first.
        start: before the first.
    """
    text = printable(text)
    lines = textwrap.wrap(
        text,
        width,
        initial_indent=start,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return "\n".join(lines) if start or len(text) > width else text
