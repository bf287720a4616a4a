"""What is told of long work: how far, how fast, how long still; in place, or a log."""

import io
import math
import os
import sys
import time

import pytest

import fmb
from fmb.terminal import progress as module
from fmb.terminal.progress import Meter, Pace


class Clock:
    """Seconds that a test sets."""

    now = 0.0

    def __call__(self):
        return self.now


class Terminal(io.StringIO):
    def isatty(self):
        return True

    def fileno(self):
        return 2

    def lines(self):
        """What stood on the terminal, one after the other."""
        return [line.rstrip() for line in self.getvalue().replace("\n", "\r").split("\r")]


@pytest.fixture
def width(monkeypatch):
    """The terminal has so many columns: width(30)."""

    def make(n):
        monkeypatch.setattr(os, "get_terminal_size", lambda *_: os.terminal_size((n, 40)))

    make(80)
    return make


def told(steps, *, overwrite=True):
    """All that is written where work is told of as (seconds, what, done, total)."""
    clock, stream = Clock(), Terminal()
    meter = Meter(stream, overwrite=overwrite, clock=clock)
    for clock.now, *work in steps:
        meter(*work)
    return stream


def test_it_tells_how_far_how_fast_and_how_long_still(width):
    steps = [(n / 63, "embed astropt", n, 2137) for n in range(0, 417, 13)]
    # 1,721 objects at 63 a second are 27.3 seconds
    assert told(steps).lines()[-1] == "embed astropt: 416 of 2,137, 63/s, 0:27 left"


def test_it_ends_with_the_time_of_all(width):
    steps = [(0, "embed", 0, 100), (50, "embed", 50, 100), (125, "embed", 100, 100)]
    stream = told([*steps, (126, "embed", 100, 100)])
    assert stream.lines()[-2:] == ["embed: 100 in 2:05, 1.2 s each", ""]
    assert stream.getvalue().count("\n") == 1


def test_it_is_written_ten_times_a_second_at_most(width):
    steps = [(n / 1000, "read", n, 100_000) for n in range(10_001)]
    assert 90 <= told(steps).getvalue().count("\r") <= 101


@pytest.mark.parametrize("columns", [20, 30, 45, 60, 200])
def test_it_is_never_wider_than_the_terminal(columns, width):
    width(columns)
    name = "embed a-model-with-a-long-label"
    steps = [*((n / 63, name, n, 2137) for n in range(400)), (50, name, 2137, 2137)]
    assert max(map(len, told(steps).lines())) < columns


def test_a_shorter_line_leaves_nothing_of_the_longer_one(width):
    text = told([(0, "a stage with a long name", 0, 1), (1, "short", 0, 1)]).getvalue()
    assert text == "\ra stage with a long name ...\rshort ..." + " " * 19


def test_the_rate_is_that_of_the_last_seconds():
    pace = Pace(0.0, 0)
    pace.add(10.0, 1)  # the first object waits for what is loaded
    for n in range(1, 16):
        pace.add(10.0 + n, 1 + 50 * n)
    # Time counts e-fold less every 5 s: 15 s at 50/s, and before them 10 s at 0.1/s.
    new, old = 1 - math.exp(-3), math.exp(-3) - math.exp(-5)
    assert pace.rate == pytest.approx((50 * new + 0.1 * old) / (new + old))


def test_work_that_nobody_counts_has_a_name_and_leaves_a_line_when_it_was_long(width):
    steps = [(0, "load the model", 0, 1), (0.2, "load the model", 1, 1)]
    assert told(steps).lines() == ["", "load the model ...", "", ""]
    assert told([steps[0], (4, "load the model", 1, 1)]).lines()[-2:] == [
        "load the model: 0:04",
        "",
    ]


def test_a_log_has_a_line_every_30_seconds_at_most():
    steps = [(n, "embed", n, 200) for n in range(201)]
    lines = told(steps, overwrite=False).getvalue().splitlines()
    assert lines[0] == "embed: 30 of 200, 1.0/s, 2:50 left"
    assert [line.split()[1] for line in lines] == ["30", "60", "90", "120", "150", "180"]
    assert told(steps[:30], overwrite=False).getvalue() == ""


def wait_for(text, stream):
    for _ in range(1000):
        if text in stream.getvalue():
            return
        time.sleep(0.01)
    pytest.fail(f"{text!r} was never written: {stream.getvalue()!r}")


@pytest.mark.parametrize(
    ("steps", "line"),
    [
        ([(0, "load the model", 0, 1)], "\rload the model ... 0:07"),
        ([(0, "draw", 0, 6)], "\rdraw: 0 of 6, 0:07"),
        # 3 of 6 in 3 s leave 3 s; 2 of them have passed.
        ([(2, "draw", 0, 6), (5, "draw", 3, 6)], "\rdraw: 3 of 6, 1.0/s, 0:01 left"),
    ],
)
def test_what_tells_nothing_for_a_while_shows_the_time(steps, line, width):
    clock, stream = Clock(), Terminal()
    meter = Meter(stream, overwrite=True, tick=0.01, clock=clock)
    for clock.now, *work in steps:
        meter(*work)
    clock.now = 7
    wait_for(line, stream)
    meter.clear()
    cleared = stream.getvalue()
    clock.now = 9
    time.sleep(0.05)
    assert stream.getvalue() == cleared


def interactive(monkeypatch, way):
    """stderr where `way` says that somebody looks at it."""
    stream = Terminal()
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.delattr(sys, "ps1", raising=False)
    if way != "terminal":
        monkeypatch.setattr(stream, "isatty", lambda: False)
    if way == "python":
        monkeypatch.setattr(sys, "ps1", ">>> ", raising=False)
    if way == "jupyter":
        monkeypatch.setitem(sys.modules, "ipykernel", module)
    return stream


@pytest.mark.parametrize("way", ["terminal", "python", "jupyter"])
def test_a_notebook_and_a_terminal_see_progress(way, monkeypatch, width):
    stream = interactive(monkeypatch, way)
    fmb.progress("embed", 0, 10)
    assert stream.lines()[-1] == "embed: 0 of 10"


def test_a_script_whose_stderr_goes_to_a_file_sees_none(monkeypatch):
    stream = interactive(monkeypatch, "file")
    fmb.progress("embed", 0, 10)
    fmb.progress("embed", 10, 10)
    assert stream.getvalue() == ""
