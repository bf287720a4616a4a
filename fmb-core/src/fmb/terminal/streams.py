"""The streams that a command was started with, whatever was done to them."""

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType

from fmb.messages.errors import FailedError

__all__ = ["printing", "ready_streams"]

NO_READER = 141
"""Exit code of a command whose reader went away: what a shell tells of the signal of that name."""
_PRINTERS = ("click.utils", "fmb.terminal.progress")
"""Modules that write to a stream."""


def ready_streams() -> None:
    """Streams that are closed lead nowhere; a letter that one has no code for is written as one.

    Python has no stream where one was closed at the start, and the next file that is opened gets
    its number: what a library of C says would stand in that file.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            _lead_nowhere(number)
            mode = "w" if number else "r"
            setattr(sys, name, open(number, mode, encoding="utf-8", closefd=False))  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        if getattr(stream, "errors", "") == "strict" and hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def _lead_nowhere(number: int) -> None:
    """Have a stream, or the number of one, take everything and give nothing."""
    handle = os.open(os.devnull, os.O_RDWR)
    if handle != number:
        os.dup2(handle, number)
        os.close(handle)


@contextmanager
def printing() -> Iterator[None]:
    """A reader that goes away ends the block quietly, as it ends the other commands of a pipe.

    Raises:
        SystemExit: it went away.
        FailedError: what is printed cannot be written, for instance to a full disk.
    """
    try:
        yield
    except OSError as error:
        if error.filename is not None or not _by_a_printer(error.__traceback__):
            raise
        _lead_nowhere(sys.stdout.fileno())  # else what waits to be written fails again at the end
        if error.errno == errno.EPIPE:
            raise SystemExit(NO_READER) from None
        raise FailedError(f"what is printed cannot be written: {error.strerror}") from error


def _by_a_printer(trace: TracebackType | None) -> bool:
    """True where the error comes from writing to a stream: a pipe may lead to a worker, too."""
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return trace is not None and trace.tb_frame.f_globals.get("__name__") in _PRINTERS
