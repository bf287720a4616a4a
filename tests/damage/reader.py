"""A way in from the outside."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = ["Reader"]


@dataclass(frozen=True)
class Reader:
    """A kind of file that a user may give, and what FMB does with it first."""

    name: str
    file: str
    """Its name on the disk: the ending decides what reads it."""
    sound: Callable[[], bytes]
    read: Callable[[Path], Any]
