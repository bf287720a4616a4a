"""Claims on chunks of work: they save work, and never decide what is true."""

import contextlib
import fcntl
import json
import os
import secrets
import socket
from pathlib import Path
from types import TracebackType
from typing import Self

from fmb.store.atomic import ensure_folder

__all__ = ["Claims"]

STALE_SECONDS = 120.0
"""A claim of another machine that nobody has touched for so long is nobody's."""


class Claims:
    """What this process works on, so that others work on something else.

    A claim is a file, made by one of those that try. Of a process on this machine it is locked, so
    that it is free as soon as the process is gone; of another machine it is free when it was not
    touched for a while, by the clock of the file server.

    Example:
        with Claims(folder) as claims:
            if claims.take("7"):
                work()
                claims.release("7")
    """

    def __init__(self, folder: Path, *, stale: float = STALE_SECONDS) -> None:
        """Claims in a folder, which is made.

        Args:
            folder: where the claims of all processes are.
            stale: seconds without a touch after which a claim of another machine is free.
        """
        self._folder, self._stale = ensure_folder(folder), max(STALE_SECONDS, stale)
        self._held: dict[str, int] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        for name in list(self._held):
            self.release(name)

    def take(self, name: str) -> bool:
        """True when the claim is this process's now."""
        path = self._folder / name
        if name in self._held:
            return True
        if path.exists() and self._abandoned(path):
            with contextlib.suppress(OSError):  # somebody else was faster
                path.rename(path.with_name(f".{name}.{secrets.token_hex(4)}.gone"))
                self._sweep()
        try:
            handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR)
        except FileExistsError:
            return False
        with contextlib.suppress(OSError):  # a file system without locks: touching will do
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.write(handle, json.dumps({"host": socket.gethostname(), "pid": os.getpid()}).encode())
        self._held[name] = handle
        return True

    def touch(self) -> None:
        """Say that this process still works on what it holds."""
        for handle in self._held.values():
            os.utime(handle)

    def release(self, name: str) -> None:
        """Give a claim back."""
        handle = self._held.pop(name)
        with contextlib.suppress(OSError):
            (self._folder / name).unlink()
        os.close(handle)

    def _abandoned(self, path: Path) -> bool:
        """True when whoever made the claim is gone."""
        try:
            with path.open("rb+") as stream:
                host = json.loads(stream.read() or b"{}").get("host")
                if host == socket.gethostname():
                    fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    return True
            return self._now() - path.stat().st_mtime > self._stale
        except (OSError, ValueError):
            return False  # held, or gone in the meantime

    def _now(self) -> float:
        """The file server's clock, which other machines' touches are counted by."""
        probe = self._folder / f".{secrets.token_hex(4)}.clock"
        probe.touch()
        try:
            return probe.stat().st_mtime
        finally:
            probe.unlink()

    def _sweep(self) -> None:
        for gone in self._folder.glob(".*.gone"):
            gone.unlink(missing_ok=True)
