"""Talk is folded where somebody reads it, and one line where a program does."""

import io
import os
import sys

import pytest

from fmb.terminal.printing import print_table, say
from fmb.terminal.width import fold, printable

LINE = f"note: {'a few words that go on and on ' * 5}as fmb top RUN --json shows"


class Terminal(io.StringIO):
    def isatty(self):
        return True

    def fileno(self):
        return 2


def test_on_a_terminal_a_line_breaks_between_words(monkeypatch):
    monkeypatch.setattr(os, "get_terminal_size", lambda *_: os.terminal_size((60, 40)))
    monkeypatch.setattr(sys, "stderr", Terminal())
    say(LINE)
    written = sys.stderr.getvalue()
    assert max(map(len, written.splitlines())) <= 60
    assert " ".join(written.split()) == " ".join(LINE.split())


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred", r"\x1b[31mred"),
        ("bell\x07", r"bell\x07"),
        ("\x9b31m", r"\x9b31m"),
        ("a\rb\tc", r"a\rb\tc"),
        ("txt.\u202eexe", r"txt.\u202eexe"),
        ("half \udcff", r"half \udcff"),
        ("two\nlines, 3\u2009Å", "two\nlines, 3\u2009Å"),
    ],
)
def test_what_a_terminal_would_obey_is_shown(text, shown):
    assert printable(text) == shown
    assert fold(text, 80) == shown


def test_talk_and_tables_show_escapes(capsys):
    say("\x1b[2J")
    assert capsys.readouterr().err == "\\x1b[2J\n"
    print_table([{"name": "\x1b[2J", "n": 1}], "none", more="")
    assert capsys.readouterr().out == "name     n\n\\x1b[2J  1\n"


def test_in_a_log_it_stays_one_line(capsys):
    say(LINE)
    assert capsys.readouterr().err == f"{LINE}\n"
