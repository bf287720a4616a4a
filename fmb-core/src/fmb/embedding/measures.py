"""Roles measured on the inputs of a plan's objects: what is kept of them, or read in one pass."""

import time
from functools import partial
from typing import Any

import numpy as np

from fmb.contract.arrays import Array
from fmb.datasets.quality import findings
from fmb.embedding.inventory import PUBLISH_SECONDS, ROWS_AT_ONCE, write_new
from fmb.embedding.places import kept_measures, ledger
from fmb.measured.kept import KeptMeasures
from fmb.measured.roles import measure
from fmb.plan.records import Plan
from fmb.store.input_digest import WIDTH, input_digests
from fmb.store.ledger import Ledger

__all__ = ["measured_roles"]


def measured_roles(plan: Plan, instrument: str, digests: Array | None = None) -> dict[str, Array]:
    """Role -> (n,), float64: what is measured on an instrument's input of each object.

    What was measured before is not read again; what was not is read once and kept, about two
    milliseconds an object.

    Args:
        plan: of the objects; what is measured is kept in its workspace.
        instrument: one of `plan.dataset.inputs`.
        digests: (n, 16), uint8, of the inputs as far as they have been read now, zeros elsewhere;
            None = none of them has.

    Returns:
        The roles of `fmb.measured.roles.MEASURED` that the instrument has, in the order of the
        objects; NaN where an object has no such input, or it does not allow the measure.

    Raises:
        FmbError: the data cannot be read, or the workspace cannot be written to.
    """
    reading = _Reading(plan, instrument)
    values = reading.values(digests)
    return {role: values[:, column] for column, role in enumerate(reading.kept.roles)}


class _Reading:
    """The inputs of one instrument, whose digests and measures may be known."""

    def __init__(self, plan: Plan, instrument: str) -> None:
        self.plan, self.instrument, self.n = plan, instrument, len(plan.dataset)
        info = plan.dataset.inputs[instrument]
        self.have = info.have(self.n)
        unknown: Array = np.zeros(self.n, dtype=np.uint64)
        self.origins = unknown if info.origin is None else info.origin
        self.kept: KeptMeasures = kept_measures(plan, instrument)
        self.ledger: Ledger = ledger(plan, instrument)

    def values(self, digests: Array | None) -> Array:
        """(n, roles): the measures, those that are missing measured now."""
        self.kept.open()
        self.ledger.open()
        known = np.zeros((self.n, WIDTH), dtype=np.uint8) if digests is None else digests.copy()
        asked = np.flatnonzero(self.have & ~known.any(axis=1))
        known[asked], _ = self.ledger.find(self.plan.dataset.ids[asked], self.origins[asked])
        values, there = self.kept.find(known)
        left = np.flatnonzero(self.have & ~there)
        if len(left):
            values[left] = self._measure(left)
        values[~self.have] = np.nan
        return values

    def _measure(self, rows: Array) -> Array:
        """(k, roles) of the objects at `rows`, read and kept."""
        plan, what = self.plan, f"measure {self.instrument} of {self.plan.survey}"
        plan.dataset.make([self.instrument], partial(plan.progress, "simulate"))
        values = np.empty((len(rows), len(self.kept.roles)))
        digests = np.empty((len(rows), WIDTH), dtype=np.uint8)
        told: list[tuple[int, dict[str, Any]]] = []
        start, written = 0, time.monotonic()
        for at in range(0, len(rows), ROWS_AT_ONCE):
            some = slice(at, min(at + ROWS_AT_ONCE, len(rows)))
            batch = plan.dataset.read(rows[some], [self.instrument])
            data = batch.inputs[self.instrument]
            values[some], digests[some] = measure(data), input_digests(data)
            place = {str(own): at - start + row for row, own in enumerate(batch.ids.tolist())}
            told += [(place[str(one.object_id)], one.as_dict()) for one in findings(batch)]
            if some.stop == len(rows) or time.monotonic() - written > PUBLISH_SECONDS:
                done = slice(start, some.stop)
                self._publish(rows[done], digests[done], values[done], told)
                told, start, written = [], some.stop, time.monotonic()
            plan.progress(what, some.stop, len(rows))
        return values

    def _publish(
        self, rows: Array, digests: Array, values: Array, told: list[tuple[int, dict[str, Any]]]
    ) -> None:
        write_new(self.ledger, self.plan.dataset.ids[rows], self.origins[rows], digests, told)
        self.kept.write(digests, values)
