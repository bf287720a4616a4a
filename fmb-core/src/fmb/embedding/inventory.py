"""What the store knows of a plan's objects: their digests, their vectors, what is missing."""

import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from fmb.contract.arrays import Array
from fmb.contract.names import VectorName
from fmb.datasets.objects import by_slots
from fmb.datasets.quality import Finding, findings
from fmb.embedding.places import kept_measures, ledgers, vector_stores
from fmb.measured.roles import measure
from fmb.plan.records import ModelPlan, Plan
from fmb.store.cuts import Group
from fmb.store.input_digest import WIDTH, input_digests, joined
from fmb.store.ledger import Ledger
from fmb.store.vector_store import Stored

__all__ = ["PUBLISH_SECONDS", "ROWS_AT_ONCE", "Inventory", "write_new"]

PUBLISH_SECONDS = 60.0
"""What was computed is published at least so often."""
ROWS_AT_ONCE = 256


class Inventory:
    """The objects of a plan and one model: what was read of them and which vectors there are."""

    def __init__(self, plan: Plan, model: ModelPlan) -> None:
        self.plan, self.model = plan, model
        self.dataset, self.n = plan.dataset, len(plan.dataset)
        self.slots: Mapping[str, str] = model.sources
        self.stores = vector_stores(plan, model)
        self.ledgers = ledgers(plan, model)
        inputs = {slot: plan.dataset.inputs[name] for slot, name in self.slots.items()}
        unknown: Array = np.zeros(self.n, dtype=np.uint64)
        self.have = {slot: info.have(self.n) for slot, info in inputs.items()}
        self._origins = {
            slot: unknown if info.origin is None else info.origin for slot, info in inputs.items()
        }
        self._digests = {slot: np.zeros((self.n, WIDTH), dtype=np.uint8) for slot in self.slots}
        self._known = {slot: np.zeros(self.n, dtype=bool) for slot in self.slots}
        self._encoded = np.zeros(self.n, dtype=bool)
        self._read_now: list[tuple[str, Array, list[tuple[int, dict[str, Any]]]]] = []
        self.measured = {
            slot: kept_measures(plan, name)
            for slot, name in self.slots.items()
            if name in plan.measured
        }
        self._measured_now: list[tuple[str, Array, Array]] = []

    @property
    def is_new(self) -> bool:
        """True where a store has no folder yet."""
        return not all(store.folder.exists() for store in self.stores.values())

    def open(self) -> None:
        """Make the folders; look up what is known without reading anything, unless asked to.

        Raises:
            FmbError: a folder cannot be written to, or belongs to something else.
        """
        stores = (self.stores, self.ledgers, self.measured)
        for store in (one for some in stores for one in some.values()):
            store.open()
        if not self.plan.request.run.verify:
            self.look_up(np.arange(self.n))

    def read_unknown(self, rows: Array) -> None:
        """Learn the digests of `rows` where some of them may have vectors already.

        With an empty store there is nothing to learn: what is read to be encoded tells it.
        """
        if any(store.parts() for store in self.stores.values()):
            self._read(rows[self._unknown(rows)])

    def groups(self) -> list[Group]:
        """All objects by what was observed of them, those of one file beside each other."""
        origin = next(iter(self._origins.values()))
        _, first, which = np.unique(origin, return_index=True, return_inverse=True)
        order = np.argsort(first[which], kind="stable")
        return [(slots, rows) for slots, rows in by_slots(self.dataset, self.slots, order) if slots]

    def look_up(self, rows: Array) -> None:
        """Take the digests of `rows` that the ledgers know by now."""
        for slot, ledger in self.ledgers.items():
            unknown = rows[self.have[slot][rows] & ~self._known[slot][rows]]
            if len(unknown):
                ids, origins = self.dataset.ids[unknown], self._origins[slot][unknown]
                digests, known = ledger.find(ids, origins)
                self._digests[slot][unknown[known]] = digests[known]
                self._known[slot][unknown[known]] = True

    def learn(
        self,
        rows: Array,
        digests: Mapping[str, Array],
        problems: Sequence[Finding],
        measures: Mapping[str, Array],
    ) -> None:
        """Take what was read of `rows`; `publish_read` tells it to everybody.

        Args:
            rows: (m,), positions in the survey.
            digests: slot -> (m, 16), uint8.
            problems: what is wrong with their inputs.
            measures: slot -> (m, roles), of the slots in `measured`.
        """
        self._measured_now += [(slot, digests[slot], own) for slot, own in measures.items()]
        place = {str(self.dataset.ids[row]): at for at, row in enumerate(rows.tolist())}
        for slot, own in digests.items():
            self._digests[slot][rows], self._known[slot][rows] = own, True
            told = [
                (place[str(one.object_id)], one.as_dict())
                for one in problems
                if one.input == self.slots[slot]
            ]
            self._read_now.append((slot, rows, told))

    def publish_read(self) -> None:
        """Write what was read into the ledgers, but for what they have."""
        for slot, ledger in self.ledgers.items():
            own = [(rows, told) for name, rows, told in self._read_now if name == slot]
            if not own:
                continue
            rows = np.concatenate([rows for rows, _ in own])
            starts = np.cumsum([0, *(len(some) for some, _ in own)]).tolist()
            told = [
                (s + at, one) for s, (_, all_) in zip(starts, own, strict=False) for at, one in all_
            ]
            ids, origins = self.dataset.ids[rows], self._origins[slot][rows]
            write_new(ledger, ids, origins, self._digests[slot][rows], told)
        for slot, digests, values in self._measured_now:
            self.measured[slot].write(digests, values)
        self._read_now.clear()
        self._measured_now.clear()

    def _unknown(self, rows: Array) -> Array:
        """(k,), bool: which of `rows` have an input whose digest is not known."""
        each = [self.have[slot][rows] & ~self._known[slot][rows] for slot in self.slots]
        return np.asarray(np.logical_or.reduce(each))

    def _read(self, rows: Array) -> None:
        """Learn the digests of `rows` by reading them: about a millisecond an object."""
        what, written = f"read inputs of {self.plan.survey}", time.monotonic()
        for at in range(0, len(rows), ROWS_AT_ONCE):
            for slots, some in by_slots(self.dataset, self.slots, rows[at : at + ROWS_AT_ONCE]):
                batch = self.dataset.read(some, [self.slots[slot] for slot in slots])
                digests = {slot: input_digests(batch.inputs[self.slots[slot]]) for slot in slots}
                own = {slot: self.slots[slot] for slot in slots if slot in self.measured}
                measures = {slot: measure(batch.inputs[name]) for slot, name in own.items()}
                self.learn(some, digests, findings(batch), measures)
            if time.monotonic() - written > PUBLISH_SECONDS:
                self.publish_read()
                written = time.monotonic()
            self.plan.progress(what, min(at + ROWS_AT_ONCE, len(rows)), len(rows))
        self.publish_read()

    def inputs_of(self, view: str) -> list[str]:
        """Instruments that a view reads."""
        return [self.slots[slot] for slot in self.model.spec.views[view]]

    @property
    def read(self) -> dict[str, Array]:
        """Instrument -> (n, 16), uint8: digests of its inputs, zeros where they are not known."""
        return {self.slots[slot]: digests for slot, digests in self._digests.items()}

    def observed(self, view: str, rows: Array) -> Array:
        """(k,), bool: which of `rows` have all inputs of a view."""
        needs = self.model.spec.views[view]
        return np.asarray(np.logical_and.reduce([self.have[slot][rows] for slot in needs]))

    def digests(self, view: str, rows: Array) -> Array:
        """(k, 16), uint8: digests of what a view reads of `rows`; zeros where it has no input."""
        needs = self.model.spec.views[view]
        digests = joined({slot: self._digests[slot][rows] for slot in needs}).copy()
        digests[~self.observed(view, rows)] = 0
        return digests

    def stored(self, name: VectorName, rows: Array) -> Stored:
        """What the store has of `rows` in one view."""
        return self.stores[name].find(self.digests(name.view, rows))

    def lacks(self, name: VectorName, rows: Array) -> Array:
        """(k,), bool: which of `rows` have their inputs and neither a vector nor a reason."""
        stored = self.stored(name, rows)
        there = stored.there & ~self._unknown(rows)
        if self.plan.request.run.retry:
            there &= (stored.at >= 0) | self._encoded[rows]
        return self.observed(name.view, rows) & ~there

    def missing(self, rows: Array) -> Array:
        """(k,), bool: which of `rows` are to be encoded for some view."""
        return np.asarray(np.logical_or.reduce([self.lacks(name, rows) for name in self.stores]))

    def encoded(self, rows: Array) -> None:
        """Remember that this process encoded `rows`: they are not tried again."""
        self._encoded[rows] = True

    def found(self) -> list[Finding]:
        """What is wrong with which object, as far as anybody has read them."""
        every = []
        for slot, ledger in self.ledgers.items():
            rows = np.flatnonzero(self.have[slot] & self._known[slot])
            for at, plain in ledger.findings(self._digests[slot][rows]):
                own = {"object_id": str(self.dataset.ids[rows[at]]), "input": self.slots[slot]}
                every.append(Finding(**{**plain, **own}))
        return every


def write_new(
    ledger: Ledger,
    ids: Array,
    origins: Array,
    digests: Array,
    told: Sequence[tuple[int, Mapping[str, Any]]],
) -> None:
    """Write what was read into a ledger, but for what it has.

    Args:
        ledger: of the instrument.
        ids: (m,).
        origins: (m,), uint64; 0 = not known.
        digests: (m, 16), uint8.
        told: (position among these, what is wrong with the input).
    """
    before, known = ledger.find(ids, origins)
    known &= (before == digests).all(axis=1)  # a file may change without telling
    new = ~known & ~((origins == 0) & ledger.holds(digests))
    if new.any():
        place = np.cumsum(new) - 1
        kept = [{**one, "row": int(place[at])} for at, one in told if new[at]]
        ledger.write(ids[new], origins[new], digests[new], kept)
