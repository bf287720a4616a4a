"""Labels held against the objects of a run: which row was called what, last and by whom."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from fmb.contract.arrays import Array
from fmb.files.ids import locate, parse_ids
from fmb.labels.book import Event

__all__ = ["Labelled", "held_against", "match"]

RADIUS_ARCSEC = 1.0
"""An object that is further from where it was labelled is another one."""


@dataclass(frozen=True)
class Labelled:
    """The labels that hold for the objects of a run."""

    n: int
    """Objects of the run."""
    last: Mapping[int, Event]
    """Row of the objects -> the last event of its object, removals among them."""
    lost: int = 0
    """Labels that name no object."""
    moved: int = 0
    """Labels whose id is now somewhere else."""
    torn: int = 0
    """Lines that cannot be read."""

    @property
    def held(self) -> dict[int, Event]:
        """Row -> the event that labels it, in the order of the objects."""
        return {row: self.last[row] for row in sorted(self.last) if self.last[row].name}

    @property
    def classes(self) -> Array:
        """(n,), str: the class of each object, "" where it has none."""
        return self.column("name")

    def column(self, field: str) -> Array:
        """(n,), str: a text field of the event that labels each object, "" where none does."""
        values = np.full(self.n, "", dtype=object)
        for row, event in self.held.items():
            values[row] = getattr(event, field)
        return values.astype(np.str_)

    def remarks(self) -> Iterator[str]:
        """What was left out and why, one line each."""
        if self.lost:
            is_of = (
                "label is of an object that is"
                if self.lost == 1
                else ("labels are of objects that are")
            )
            yield f"{self.lost:,} {is_of} not in this run"
        if self.moved:
            yield (
                f"{self.moved:,} {_labels(self.moved)} an object that is now more than"
                f" {RADIUS_ARCSEC:g} arcsec away: left out"
            )
        if self.torn:
            lines = "lines" if self.torn > 1 else "line"
            yield f"{self.torn:,} {lines} of labels cannot be read: left out"


def _labels(n: int) -> str:
    return "label names" if n == 1 else "labels name"


def held_against(events: Sequence[Event], objects: pd.DataFrame, torn: int = 0) -> Labelled:
    """The last word on each object.

    Args:
        events: by time.
        objects: object_id, and ra and dec (degrees) where known.
        torn: lines that could not be read.
    """
    latest = {event.key: event for event in events}
    chosen = sorted(latest.values(), key=lambda event: event.time)
    rows, moved = match(chosen, objects)
    last: dict[int, Event] = {}
    for event, row, away in zip(chosen, rows.tolist(), moved.tolist(), strict=True):
        if row >= 0 and not away:
            last[row] = event
    named = np.array([bool(event.name) for event in chosen], dtype=bool)
    lost = int(((rows < 0) & named).sum())
    return Labelled(len(objects), last, lost, int((moved & named).sum()), torn)


def match(events: Sequence[Event], objects: pd.DataFrame) -> tuple[Array, Array]:
    """The object that each event speaks of.

    An id that is there is that object, unless it lies more than 1 arcsec from where it was
    labelled. An id that is gone is the object nearest to that place, within 1 arcsec.

    Returns:
        (m,), int: rows of `objects`, -1 where it is none of them; (m,), bool: too far away.
    """
    place = np.array(
        [[np.nan if v is None else v for v in (e.ra, e.dec)] for e in events], dtype=np.float64
    ).reshape(-1, 2)
    here = np.full((len(objects), 2), np.nan)
    if {"ra", "dec"} <= set(objects):
        here = objects[["ra", "dec"]].to_numpy(dtype=np.float64, na_value=np.nan)
    rows = _rows_of(events, objects["object_id"].to_numpy())
    there = rows >= 0
    moved = np.zeros(len(events), dtype=bool)
    # NaN, where a position is unknown, is not above the limit.
    moved[there] = separation_arcsec(place[there], here[rows[there]]) > RADIUS_ARCSEC
    rows[~there] = nearest(place[~there], here)
    return rows, moved


def _rows_of(events: Sequence[Event], ids: Array) -> Array:
    """(m,), int: the row whose id each event names, -1 where there is none."""
    text = ids.dtype.kind not in "iu"
    alike = [at for at, event in enumerate(events) if (event.id_type == "str") is text]
    rows = np.full(len(events), -1)
    if alike:
        names = [events[at].object_id for at in alike]
        wanted = np.array(names, dtype=np.str_) if text else parse_ids(names, "labels")
        rows[alike] = locate(wanted, ids.astype(np.str_) if text else ids)
    return rows


def separation_arcsec(a: Array, b: Array) -> Array:
    """(m,), float64: angles between the positions a and b, (m, 2) in degrees; NaN where unknown."""
    chord = np.linalg.norm(_unit(a) - _unit(b), axis=-1)
    angles: Array = np.degrees(2 * np.arcsin(np.clip(chord / 2, 0, 1))) * 3600
    return angles


def nearest(places: Array, among: Array) -> Array:
    """(m,), int: the row of `among` within 1 arcsec of each place, the nearest; -1 = none.

    Args:
        places: (m, 2), ra and dec in degrees, NaN where unknown.
        among: (n, 2), likewise.
    """
    rows = np.full(len(places), -1)
    known = np.flatnonzero(np.isfinite(among).all(axis=1)) if len(places) else np.empty(0, int)
    order = known[np.argsort(among[known, 1], kind="stable")]
    dec, reach = among[order, 1], RADIUS_ARCSEC / 3600
    for at, place in enumerate(places):
        if np.isfinite(place).all():
            first, end = np.searchsorted(dec, [place[1] - reach, place[1] + reach])
            near = np.sort(order[first : end + 1])
            angles = separation_arcsec(np.broadcast_to(place, (len(near), 2)), among[near])
            if len(near) and angles.min() <= RADIUS_ARCSEC:
                rows[at] = near[np.argmin(angles)]
    return rows


def _unit(position: Array) -> Array:
    lon, lat = np.radians(position[..., 0]), np.radians(position[..., 1])
    return np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], axis=-1)
