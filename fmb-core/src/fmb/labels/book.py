"""Labels as they were given: events in files that only grow, one file a person and machine."""

import getpass
import os
import re
import socket
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from math import isfinite
from pathlib import Path
from typing import Any
from urllib.parse import quote

from fmb.messages.errors import ConfigError
from fmb.store.journal import append_records, read_records
from fmb.store.keys import content_key

__all__ = ["Event", "LabelBook", "check_class", "myself", "utc"]

_FORMAT = "fmb-label/1"
LONGEST = 200
"""Letters of the name of a folder; 255 fit."""
_CLASS = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
ID_TYPES = ("int64", "uint64", "str")
"""Kinds of ids; a number is never the text that looks like it."""


@dataclass(frozen=True)
class Event:
    """Somebody said of an object what it is, or took that back."""

    time: str
    """UTC, ISO 8601 with microseconds, so that sorting the text sorts the times."""
    who: str
    """user@host."""
    object_id: str
    """Every digit or letter of it."""
    id_type: str
    """One of `ID_TYPES`."""
    name: str
    """The class; "" = the object is labelled no more."""
    ra: float | None = None
    """Degrees, where known; `dec` likewise."""
    dec: float | None = None
    run: str = ""
    """Run, list and rank in it (1 = strangest) at which it was looked at, where known."""
    list: str = ""
    rank: float | None = None
    survey: str = ""
    """Digest of the survey as it was then."""

    @property
    def key(self) -> tuple[bool, str]:
        """What tells its object from others: whether the id is text, and the id."""
        return self.id_type == "str", self.object_id

    def record(self) -> dict[str, Any]:
        """Plain values, as they are kept."""
        values = dict(vars(self))
        return {"format": _FORMAT, "class": values.pop("name"), **values}

    @classmethod
    def read(cls, record: Mapping[str, Any]) -> "Event | None":
        """The event that was kept so; None where the record is none."""
        values = {"name" if key == "class" else key: value for key, value in record.items()}
        if values.pop("format", None) != _FORMAT or values.get("id_type") not in ID_TYPES:
            return None
        try:
            event = cls(**values)
        except TypeError:  # a field is missing, or one more than there are
            return None
        return event if event._sound() else None

    def _sound(self) -> bool:
        """True when every field is what it should be, whoever wrote it."""
        texts = (self.time, self.who, self.object_id, self.name, self.run, self.list, self.survey)
        numbers = (self.ra, self.dec, self.rank)
        if not all(isinstance(text, str) for text in texts) or not self.object_id:
            return False
        if not all(n is None or (type(n) in (int, float) and isfinite(n)) for n in numbers):
            return False
        try:
            moment = datetime.fromisoformat(self.time)
        except ValueError:
            return False
        whole = self.id_type == "str" or re.fullmatch(r"-?[0-9]+", self.object_id)
        return bool(whole and moment.tzinfo and (not self.name or _CLASS.fullmatch(self.name)))


@dataclass(frozen=True)
class LabelBook:
    """All labels of one survey, whoever gave them; they outlive its runs and its files."""

    folder: Path

    @classmethod
    def of(cls, home: Path, manifest: Mapping[str, Any]) -> "LabelBook":
        """The labels of the survey of a run.

        Surveys are told apart by name, vectors of one's own by the name of their file, so that a
        survey whose file was written anew keeps its labels.
        """
        known = manifest["dataset"]
        source = known.get("file") or manifest["request"].get("data", {}).get("source", "")
        name = quote(str(known.get("name") or Path(str(source)).stem or "unnamed"), safe=" +")
        if len(name) > LONGEST:  # a letter that is not ASCII takes six to twelve
            name = f"{name[:LONGEST]}-{content_key(name)[:8]}"
        return cls(home / "labels" / re.sub(r"^\.", "%2E", name))

    def events(self) -> tuple[list[Event], int]:
        """All events by time, and how many lines cannot be read.

        Raises:
            StoreError: a file cannot be read.
        """
        events: list[Event] = []
        torn = 0
        for path in sorted(self.folder.glob("*.jsonl")):
            records, lost = read_records(path)
            read = [Event.read(record) for record in records]
            events.extend(event for event in read if event is not None)
            torn += lost + read.count(None)
        return sorted(events, key=lambda event: event.time), torn

    def classes(self) -> set[str]:
        """All classes that an object was ever given."""
        return {event.name for event in self.events()[0]} - {""}

    def add(self, events: Iterable[Event]) -> Path:
        """Append to the file of who runs this on this machine.

        Raises:
            FailedError: the disk is full or the workspace cannot be written to.
        """
        path = self.folder / f"{quote(myself(), safe='@')}.jsonl"
        append_records(path, [event.record() for event in events])
        return path


def check_class(name: str, where: str = "") -> None:
    """Refuse what cannot be the name of a class; `where` names its place in a file.

    Raises:
        ConfigError: it has other signs than letters, digits, hyphens and underscores.
    """
    if not _CLASS.fullmatch(name):
        raise ConfigError(
            f"{where}class {name!r}: name it with letters, digits, hyphens and underscores"
        )


def utc(time: datetime) -> str:
    """A time as events have it; one without a zone is taken as UTC."""
    zoned = time if time.tzinfo else time.replace(tzinfo=UTC)
    return zoned.astimezone(UTC).isoformat(timespec="microseconds")


def myself() -> str:
    """user@host of this process."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a container whose user has no name
        user = str(os.getuid())
    return f"{user}@{socket.gethostname()}"
