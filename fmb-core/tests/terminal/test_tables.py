"""Tables and facts in the width of a screen."""

import io
import os

import pytest

from fmb.terminal.tables import facts_text, fit_columns, table_text
from fmb.terminal.width import fold, screen_width

WORDS = "every object of the survey that two models find strange, and none that only one does"


class Terminal(io.StringIO):
    def isatty(self):
        return True

    def fileno(self):
        return 1


@pytest.fixture
def columns(monkeypatch):
    """stdout is a terminal of so many columns: columns(120)."""

    def make(n):
        monkeypatch.setattr("sys.stdout", Terminal())
        monkeypatch.setattr(os, "get_terminal_size", lambda *_: os.terminal_size((n, 40)))

    return make


def test_a_table_that_fits_is_left_alone():
    rows = [{"a": 1, "b": "x" * 20}, {"a": 22, "b": "y"}]
    assert fit_columns(rows) == (table_text(rows), [])
    assert table_text(rows).splitlines() == ["a   b", "1   " + "x" * 20, "22  y"]


def test_columns_are_left_out_from_the_right_but_for_the_first():
    rows = [{"a": "x" * 30, "b": "y" * 30, "c": "z" * 30, "d": "."}]
    text, left = fit_columns(rows)
    assert left == ["c", "d"]
    assert text.splitlines()[0].split() == ["a", "b"]


def test_prose_is_folded_and_other_columns_go_first():
    text, left = fit_columns([{"a": "x", "what": WORDS, "c": "z" * 50}], keep=1, prose="what")
    assert left == ["c"]
    assert " ".join(text.split()) == f"a what x {WORDS}"
    assert max(map(len, text.splitlines())) <= 80


def test_nothing_stands_beside_the_one_cell_that_is_too_long():
    rows = [{"a": "x" * 70, "state": "unverified", "b": WORDS}, *([{"a": "y", "state": "ok"}] * 2)]
    text, left = fit_columns(rows, keep=2, prose="b")
    assert left == []
    heading, long, below, *_, last = text.splitlines()
    assert long == "x" * 70
    assert below.index("unverified") == heading.index("state") == last.index("ok")
    assert below.index("every") == heading.index("b")
    assert max(map(len, text.splitlines())) <= 80


def test_rows_whose_first_columns_do_not_fit_become_lists_of_values():
    text, left = fit_columns([{"rank": 1, "object": "x" * 76, "place": "top 1%", "p": ""}])
    assert left == []
    assert text.splitlines() == ["rank    1", "object  " + "x" * 76, "place   top 1%"]


def test_no_word_is_broken():
    word = "half-a-hundred-letters-with-hyphens-in-one-long-word-of-a-path/" * 2
    assert word in fold(f"look at {word} and on", 80)
    assert word in facts_text({"file": f"in {word}"})
    text, _ = fit_columns([{"a": "x", "what": f"{WORDS} {word}"}], keep=2, prose="what")
    assert word in text


def test_a_wider_terminal_shows_more(columns):
    rows = [{"a": "x" * 30, "b": "y" * 30, "c": "z" * 30}]
    assert fit_columns(rows)[1] == ["c"]
    columns(94)  # three columns of 30 and twice two spaces
    assert fit_columns(rows)[1] == []
    columns(93)
    assert fit_columns(rows)[1] == ["c"]
    columns(40)
    assert screen_width() == 80
