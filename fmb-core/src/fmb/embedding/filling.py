"""Fills the store in this process: chunk by chunk, beside whoever else does."""

import time
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from fmb.contract.arrays import Array
from fmb.contract.names import VectorName
from fmb.embedding.inventory import PUBLISH_SECONDS, Inventory
from fmb.embedding.loading import model_job
from fmb.embedding.places import request_digest, survey_folder
from fmb.store.claims import Claims
from fmb.store.cuts import Cut, Group, publish_cut, read_cut
from fmb.store.input_digest import joined

__all__ = ["Filling"]

WAIT_SECONDS = 0.5
"""Between looks at what others have done, where they work on all that is left."""
TIMED = 2
"""Objects that are encoded alone to learn what one takes; the first also pays for imports."""
FIRST = "0"
"""The claim on the chunk that these objects are in."""


_Tag = tuple[str, bool]
"""Chunk, and whether a batch is the last of it."""


class Filling:
    """Encodes what is missing of a plan and one model."""

    def __init__(self, inventory: Inventory, job: Any = None) -> None:
        """What is missing now.

        Args:
            inventory: of the objects.
            job: the loaded model; None = load it when there is something to encode.
        """
        self._inventory, plan = inventory, inventory.plan
        batch_size = plan.request.run.batch_size
        asked = request_digest(inventory.stores, plan.dataset.ids, batch_size)
        folder = survey_folder(plan)
        self._cut_file = folder / "cuts" / f"{asked}.json"
        self._claims_folder = folder / "claims" / asked
        self._limit = batch_size
        self._out = _Outbox(inventory)
        self._todo = int(inventory.missing(np.arange(inventory.n)).sum())
        self._what = f"embed {inventory.model.label}"
        self._job: Any = job
        self._others: set[int] = set()  # chunks that somebody else has had
        self.done = 0
        """Objects that this process has encoded."""

    def run(self, only: Collection[int] | None = None) -> None:
        """Encode until nothing is missing, waiting for what others are working on.

        Args:
            only: numbers of chunks; None = all.

        Raises:
            FmbError: the model, the data or the disk fails; what was encoded is published.
        """
        if not self._todo:
            return
        self._tell()
        try:
            with Claims(self._claims_folder) as claims:
                cut = self._agree(claims)
            chunks = dict(enumerate(cut.chunks(self._inventory.groups())))
            mine = {n: chunk for n, chunk in chunks.items() if only is None or n in only}
            for chunk in mine.values() if only is not None else ():
                self._inventory.read_unknown(_rows(chunk))
            with Claims(self._claims_folder, stale=10 * cut.seconds) as claims:
                while mine := self._left(mine):
                    if not self._pass(claims, mine):
                        time.sleep(WAIT_SECONDS)  # others work on all of it
            self._inventory.plan.progress(self._what, self._todo, self._todo)
        finally:
            self._out.publish()

    def agree(self) -> int:
        """The number of chunks, which all processes with this request share; made where needed."""
        if not self._todo:
            return 0
        try:
            with Claims(self._claims_folder) as claims:
                cut = self._agree(claims)
        finally:
            self._out.publish()
        return len(cut.chunks(self._inventory.groups()))

    def _agree(self, claims: Claims) -> Cut:
        """The cut that holds for this request, found by timing the first objects."""
        while (cut := read_cut(self._cut_file)) is None:
            # Those who see the cut begin with the first chunk, which has what is timed here.
            if not all(claims.take(name) for name in ("cut", FIRST)):
                time.sleep(WAIT_SECONDS)  # somebody is finding it
                continue
            if read_cut(self._cut_file) is None:  # not found between the look and the claim
                publish_cut(self._cut_file, self._timed())
                self._out.publish()
            claims.release(FIRST)
            claims.release("cut")
        return cut

    def _timed(self) -> Cut:
        """The cut for what the first missing objects take, which are encoded alone."""
        self._inventory.look_up(np.arange(self._inventory.n))
        first = [
            (slots, rows[at : at + 1])
            for slots, rows in self._inventory.groups()
            for at in np.flatnonzero(self._inventory.missing(rows))[:TIMED]
        ][:TIMED]
        seconds = [0.0] if not first else []  # others have done all of it meanwhile
        batches = self._encode([(("", True), one) for one in first], workers=0)
        start = time.monotonic()
        for encoded in batches:
            seconds.append(time.monotonic() - start)
            self._take(encoded)
            start = time.monotonic()
        return Cut.of(min(seconds), self._limit, [int(rows[0]) for _, rows in first])

    def _left(self, chunks: dict[int, list[Group]]) -> dict[int, list[Group]]:
        """The chunks of which something is missing still."""
        return {
            n: chunk for n, chunk in chunks.items() if self._inventory.missing(_rows(chunk)).any()
        }

    def _pass(self, claims: Claims, chunks: dict[int, list[Group]]) -> bool:
        """Encode the chunks that nobody else works on; False when there was none."""
        encoded_any = False
        for encoded in self._encode(self._claimed(claims, chunks)):
            number, last = encoded.tag
            encoded_any = True
            self._take(encoded)
            claims.touch()
            if last or self._out.due():
                self._out.publish()
            if last:
                claims.release(number)
        return encoded_any

    def _claimed(
        self, claims: Claims, chunks: dict[int, list[Group]]
    ) -> Iterator[tuple[_Tag, Group]]:
        """Batches of one free chunk after the other: what is missing of them now."""
        for number, chunk in chunks.items():
            if not claims.take(str(number)):
                self._others.add(number)
                continue
            self._inventory.look_up(_rows(chunk))
            if number in self._others:
                self._inventory.read_unknown(_rows(chunk))
            left = [(slots, rows[self._inventory.missing(rows)]) for slots, rows in chunk]
            left = [(slots, rows) for slots, rows in left if len(rows)]
            if not left:
                claims.release(str(number))
            for batch in left:
                yield (str(number), batch is left[-1]), batch

    def _encode(
        self, batches: Iterable[tuple[_Tag, Group]], workers: int | None = None
    ) -> Iterator[Any]:
        if self._job is None:
            self._job = model_job(self._inventory.plan, self._inventory.model)
            self._tell()
        # Imported here: a run whose vectors are all in the store never loads torch for them.
        from fmb.torch.embed_loop import Together, embed

        job = self._job if workers is None else replace(self._job, workers=workers)
        return embed(job, (Together(rows, slots, tag) for tag, (slots, rows) in batches))

    def _take(self, encoded: Any) -> None:
        self._out.take(encoded)
        self.done += len(encoded.rows)
        self._tell()

    def _tell(self) -> None:
        self._inventory.plan.progress(self._what, min(self.done, self._todo - 1), self._todo)


class _Outbox:
    """What was encoded and is not published yet."""

    def __init__(self, inventory: Inventory) -> None:
        self._inventory = inventory
        self._encoded: list[Any] = []
        self._published = time.monotonic()

    def take(self, encoded: Any) -> None:
        self._inventory.learn(encoded.rows, encoded.digests, encoded.findings, encoded.measures)
        self._encoded.append(encoded)

    def due(self) -> bool:
        """True when what was encoded should not wait any longer."""
        return time.monotonic() - self._published > PUBLISH_SECONDS

    def publish(self) -> None:
        """Publish all of it: what was read, then one part a view."""
        if self._encoded:
            self._inventory.publish_read()
            for name in self._inventory.stores:
                self._publish_view(name)
            self._inventory.encoded(np.concatenate([one.rows for one in self._encoded]))
            self._encoded.clear()
        self._published = time.monotonic()

    def _publish_view(self, name: VectorName) -> None:
        needs = self._inventory.model.spec.views[name.view]
        digests, ids, reasons, values, batches = [], [], [], [], []
        for one in self._encoded:
            if not set(needs) <= set(one.digests):
                continue
            new = np.flatnonzero(self._inventory.lacks(name, one.rows))
            if not len(new):
                continue  # somebody else was faster
            why = _why([one.reasons[slot] for slot in needs], new)
            at, vectors = one.vectors.get((name.embedder, name.view), (new[:0], None))
            digests.append(joined({slot: one.digests[slot][new] for slot in needs}))
            ids.append(one.ids[new])
            reasons += why
            batches.append(len(new))
            if vectors is not None:
                values.append(vectors[np.isin(at, new)])
        if digests:
            matrix = np.concatenate(values) if values else np.empty((0, 0), dtype=np.float32)
            self._inventory.stores[name].write(
                np.concatenate(digests), np.concatenate(ids), reasons, matrix, batches
            )


def _why(by_slot: Sequence[Sequence[str]], rows: Array) -> list[str]:
    """Of each row the first reason why it has no vector, "" where it has one."""
    return [next((texts[row] for texts in by_slot if texts[row]), "") for row in rows.tolist()]


def _rows(chunk: Sequence[Group]) -> Array:
    return np.concatenate([rows for _, rows in chunk])
