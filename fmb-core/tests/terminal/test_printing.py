"""Talk is folded where somebody reads it, and one line where a program does."""

import io
import os
import sys

from fmb.terminal.printing import say

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


def test_in_a_log_it_stays_one_line(capsys):
    say(LINE)
    assert capsys.readouterr().err == f"{LINE}\n"
