"""Giving labels: events for objects that are there, written when all of them are right."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches

import numpy as np
import pandas as pd

from fmb.contract.arrays import Array
from fmb.files.ids import find_ids
from fmb.labels.book import Event, LabelBook, check_class, myself, utc
from fmb.labels.held import Labelled, held_against, match
from fmb.messages.errors import DataError

__all__ = ["Occasion", "adopt", "give", "slips"]


@dataclass(frozen=True)
class Occasion:
    """Where objects are looked at."""

    book: LabelBook
    objects: pd.DataFrame
    run: str
    survey: str
    """Digest of the survey."""
    list: str = ""
    """Stem of the list, "" = none in particular."""
    rank: Array | None = None
    """(n,), float64, of the objects in the list, NaN where they are not in it."""

    def labelled(self) -> Labelled:
        """The labels that hold now."""
        events, torn = self.book.events()
        return held_against(events, self.objects, torn)

    def event(self, row: int, name: str, time: str) -> Event:
        """What is kept of a label of one object."""
        ids = self.objects["object_id"].to_numpy()
        rank = np.nan if self.rank is None else float(self.rank[row])
        ra, dec = (_finite(self.objects, column, row) for column in ("ra", "dec"))
        return Event(
            time=time,
            who=myself(),
            object_id=str(ids[row]),
            id_type=str(ids.dtype) if ids.dtype.kind in "iu" else "str",
            name=name,
            ra=ra,
            dec=dec,
            run=self.run,
            list=self.list,
            rank=None if np.isnan(rank) else rank,
            survey=self.survey,
        )


def give(seen: Occasion, ids: Array, name: str) -> int:
    """Label objects, or take their labels away.

    Args:
        seen: where.
        ids: (m,), of the objects.
        name: the class; "" = none any more.

    Returns:
        Objects that were labelled, or that had a label to take away.

    Raises:
        UnknownNameError: an id names no object; nothing is written.
        ConfigError: the class cannot be called so.
        FailedError: the workspace cannot be written to.
    """
    if name:
        check_class(name)
    among = seen.objects["object_id"].to_numpy()
    rows = np.unique(find_ids(ids, among, f"run {seen.run!r}")).tolist()
    last = seen.labelled().last
    if not name:
        rows = [row for row in rows if row in last and last[row].name]
    now = utc(datetime.now(UTC))
    # After what was said before, whatever the clock of the machine on which it was said.
    times = [max(now, _just_after(last[row].time)) if row in last else now for row in rows]
    seen.book.add(seen.event(row, name, time) for row, time in zip(rows, times, strict=True))
    return len(rows)


def adopt(seen: Occasion, events: Sequence[Event], where: str) -> tuple[int, int]:
    """Take labels that were given elsewhere.

    Args:
        seen: where they are taken to; each keeps its own time, author, run, list and rank.
        events: one a label.
        where: names their source in messages.

    Returns:
        Labels taken, and how many of them do not hold because the object was labelled later.

    Raises:
        UnknownNameError: one names no object, by id or position; nothing is written.
        DataError: an object is not where it was labelled; nothing is written.
        FailedError: the workspace cannot be written to.
    """
    rows, moved = match(events, seen.objects)
    ids = seen.objects["object_id"].to_numpy()
    unknown = [event.object_id for event, row in zip(events, rows, strict=True) if row < 0]
    if unknown:
        find_ids(np.array(unknown), ids, f"{where}: run {seen.run!r}")
    if moved.any():
        first = events[int(np.argmax(moved))].object_id
        raise DataError(
            f"{where}: {int(moved.sum())} objects are more than 1 arcsec from where they were"
            f" labelled, first {first}; leave ra and dec out if the ids are right"
        )
    own = [seen.event(int(row), e.name, e.time) for e, row in zip(events, rows, strict=True)]
    taken = [
        replace(
            here,
            who=event.who,
            run=event.run,
            list=event.list,
            rank=event.rank,
            ra=event.ra if here.ra is None else here.ra,
            dec=event.dec if here.dec is None else here.dec,
        )
        for here, event in zip(own, events, strict=True)
    ]
    seen.book.add(taken)
    held = set(seen.labelled().last.values())
    return len(taken), sum(event not in held for event in taken)


def slips(names: Iterable[str], known: Collection[str]) -> Iterator[str]:
    """A line for each class that is not among the known ones and looks like one of them."""
    alike = {one.casefold(): one for one in known}
    for name in names:
        close = get_close_matches(name.casefold(), alike, n=1, cutoff=0.8)
        if close and name not in known:
            yield f"new class {name!r}; you have {alike[close[0]]!r}"


def _just_after(time: str) -> str:
    return utc(datetime.fromisoformat(time) + timedelta(microseconds=1))


def _finite(objects: pd.DataFrame, column: str, row: int) -> float | None:
    if column not in objects:
        return None
    value = objects[column].to_numpy(dtype=np.float64, na_value=np.nan)[row]
    return float(value) if np.isfinite(value) else None
