"""How far long work is, as one line that changes in place or, in a log, a line now and then."""

import math
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from threading import Lock
from typing import Any

from fmb.terminal.ticker import Ticker
from fmb.terminal.width import printable, terminal_columns

__all__ = ["Meter", "Pace", "clear_progress", "progress", "stage", "tell_progress"]

REDRAW_SECONDS = 0.1
LOG_SECONDS = 30.0
"""Between two lines where lines cannot be overwritten."""
MEMORY_SECONDS = 5.0
"""How long the rate remembers: what is left is told from the last seconds, not from the first."""
TICK_SECONDS = 1.0
"""A command that waits shows that it lives so often."""
TOLD_SECONDS = 1.0
"""Work without a count that took less leaves no line."""


class Pace:
    """How fast work goes: the mean rate, in which an older time counts exponentially less."""

    last: float
    """When it was told last."""

    def __init__(self, now: float, done: int) -> None:
        self._start, self.last, self._done = now, now, done
        self._sum = 0.0

    def add(self, now: float, done: int) -> None:
        """Take in how far the work is now."""
        passed = now - self.last
        if passed <= 0:
            return
        fade = math.exp(-passed / MEMORY_SECONDS)
        self._sum = self._sum * fade + (1 - fade) * (done - self._done) / passed
        self.last, self._done = now, done

    @property
    def rate(self) -> float:
        """Units a second; 0 where nothing was done yet."""
        passed = self.last - self._start
        # The weights of the times since the start add up to this.
        return self._sum / -math.expm1(-passed / MEMORY_SECONDS) if passed > 0 else 0.0


class Meter:
    """Told how far work is, it writes to a stream what people want to know of that.

    Args:
        stream: where to.
        overwrite: one line that changes in place; False = a whole line every 30 s at most.
        tick: seconds after which that line tells the time although nothing was told; None = never.
        clock: gives seconds.
    """

    def __init__(
        self,
        stream: Any,
        *,
        overwrite: bool,
        tick: float | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._stream, self._overwrite, self._clock = stream, overwrite, clock
        self._what = ""
        self._start = self._drawn = clock()
        self._done = 0
        self._first = 0
        self._pace = Pace(0.0, 0)
        self._shown = 0
        self._total = 0
        self._lock = Lock()
        self._ticker = None if tick is None else Ticker(self._ticked, tick)
        self._waits = tick or 0.0

    def __call__(self, what: str, done: int, total: int) -> None:
        """Tell how far work is: `done` of `total`, which is 1 where nobody counts."""
        with self._lock:
            self._tell(what, done, total)
            if self._shown and self._ticker is not None:
                self._ticker.start()

    def _tell(self, what: str, done: int, total: int) -> None:
        now = self._clock()
        begins = _work(what) != _work(self._what) or done < self._done
        if begins:
            if done >= total:
                return  # told to be over a second time, or nothing was to be done
            self._start, self._first, self._pace = now, done, Pace(now, done)
        self._what, self._done, self._total = what, done, total
        if done >= total:
            self._end(now, total)
        elif begins or now - self._drawn >= REDRAW_SECONDS:
            self._pace.add(now, done)
            self._draw(now, self._line(now))

    def clear(self) -> None:
        """Take the line away that stands on a terminal, before something else is written."""
        with self._lock:
            self._wipe()

    def _wipe(self) -> None:
        if self._shown:
            self._write("\r" + " " * self._shown + "\r")
            self._shown = 0

    def _ticked(self) -> None:
        """Tell the time where nothing was told for a while; stop where no line stands there."""
        with self._lock:
            now = self._clock()
            if not self._shown and self._ticker is not None:
                self._ticker.stop()
            elif now - self._drawn >= self._waits:
                self._draw(now, self._line(now, waiting=True))

    def _line(self, now: float, *, waiting: bool = False) -> list[str]:
        """What is told while it lasts, the most important first."""
        passed = [_clock(now - self._start)] if waiting else []
        if self._total <= 1:
            return [" ".join([f"{self._what} ...", *passed])]
        rate, told = self._pace.rate, [f"{self._what}: {self._done:,} of {self._total:,}"]
        if rate <= 0:
            return told + passed
        left = (self._total - self._done) / rate - (now - self._pace.last)
        return [*told, _rate(rate), f"{_clock(max(left, 0))} left"]

    def _end(self, now: float, total: int) -> None:
        """The last line on this work."""
        seconds, n = now - self._start, total - self._first
        self._pace.add(now, total)
        if total > 1:
            told = [f"{_work(self._what)}: {n:,} in {_clock(seconds)}"]
            told += [_rate(n / seconds)] if seconds >= TOLD_SECONDS else []
        elif seconds >= TOLD_SECONDS:
            told = [f"{self._what}: {_clock(seconds)}"]
        else:
            told = []
        self._what, self._done = "", 0
        if not self._overwrite:
            if told:
                self._draw(now, told)
            return
        self._wipe()
        if told:
            self._write(self._fitting(told) + "\n")

    def _draw(self, now: float, told: list[str]) -> None:
        if self._overwrite:
            line = self._fitting(told)
            self._write("\r" + line.ljust(self._shown))
            self._shown, self._drawn = len(line), now
        elif now - self._drawn >= LOG_SECONDS:
            self._write(", ".join(told) + "\n")
            self._drawn = now

    def _fitting(self, told: list[str]) -> str:
        """The line without what does not fit; the last column stays free, where some wrap."""
        room = terminal_columns(self._stream) - 1
        while len(told) > 1 and len(", ".join(told)) > room:
            told = told[:-1]
        line = ", ".join(told)
        return line if len(line) <= room else line[: room - 3] + "..."

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()


def _work(what: str) -> str:
    """The name of the work; after a colon stands what changes while it lasts."""
    return what.partition(":")[0]


def _rate(rate: float) -> str:
    if rate < 1:
        return f"{1 / rate:,.1f} s each"
    return f"{rate:,.0f}/s" if rate >= 10 else f"{rate:.1f}/s"


def _clock(seconds: float) -> str:
    """0:27, 12:05, 1:02:03."""
    text = str(timedelta(seconds=round(seconds)))
    return text.removeprefix("0:").removeprefix("0") if text.startswith("0:") else text


_meter: tuple[Any, Meter] | None = None
"""The stream that progress is written to, and what writes it."""


def tell_progress(what: str, done: int, total: int) -> None:
    """Progress on stderr: a line that changes in place on a terminal or in a notebook, else a log.

    Args:
        what: is done.
        done: how much of it.
        total: how much there is; 1 where nobody counts.
    """
    _meter_of(sys.stderr, tick=TICK_SECONDS)(printable(what), done, total)


def progress(what: str, done: int, total: int) -> None:
    """Progress where somebody sees it: a terminal, a notebook, an interactive Python; else none.

    What `fmb.run` takes unless told otherwise; `fmb.quiet` switches it off.
    """
    if sys.stderr.isatty() or _in_notebook():
        # No tick: who catches an error goes on, and nobody would stop it.
        _meter_of(sys.stderr, tick=None)(printable(what), done, total)


def _meter_of(stream: Any, *, tick: float | None) -> Meter:
    """What writes to a stream; a command has one all the time."""
    global _meter
    if _meter is None or _meter[0] is not stream:
        in_place = stream.isatty() or _in_notebook()
        _meter = stream, Meter(stream, overwrite=in_place, tick=tick if in_place else None)
    return _meter[1]


@contextmanager
def stage(told: Callable[[str, int, int], None], what: str) -> Iterator[None]:
    """Work that nobody counts has a name as long as the block lasts.

    Args:
        told: progress.
        what: is done.
    """
    told(what, 0, 1)
    yield
    told(what, 1, 1)


def clear_progress() -> None:
    """Take the line of progress away, before something else is written to stderr."""
    if _meter is not None and _meter[0] is sys.stderr:
        _meter[1].clear()


def _in_notebook() -> bool:
    """True in Jupyter, IPython and an interactive Python."""
    return hasattr(sys, "ps1") or "ipykernel" in sys.modules
