"""How a survey is cut into batches and chunks, found once and kept for whoever goes on."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from fmb.contract.arrays import Array
from fmb.messages.errors import StoreError
from fmb.store.atomic import publish_new_json, read_record

__all__ = ["Cut", "Group", "publish_cut", "read_cut"]

BATCH_SECONDS = 15.0
"""A batch takes at most so long: what is published holds whole batches."""
CHUNK_SECONDS = 10.0
"""A chunk takes at least so long, so that claiming and publishing cost nothing beside it."""
CHUNK_ROWS = 4096

Group = tuple[tuple[str, ...], Array]
"""Slots, and the rows of the objects that have exactly these."""


@dataclass(frozen=True)
class Cut:
    """Which objects are encoded together, whatever is there already.

    The vector of an object depends in its last bits on the batch it is encoded in; with one cut it
    does not depend on who computes it, when, or after which interruption.
    """

    batch: int
    """Objects in a batch."""
    chunk: int
    """Batches in a chunk."""
    seconds: float
    """What a batch was expected to take when the cut was made."""
    alone: tuple[int, ...] = ()
    """Rows that were encoded one by one when it was made."""

    @classmethod
    def of(cls, seconds: float, limit: int, alone: Sequence[int]) -> "Cut":
        """The cut for objects that take so long.

        Args:
            seconds: of one object.
            limit: objects in a batch at most.
            alone: rows that were encoded one by one to learn that.
        """
        batch = limit
        if seconds * limit > BATCH_SECONDS:  # the largest power of two that does not
            batch = 1 << max(1, int(BATCH_SECONDS / seconds)).bit_length() - 1
        chunk = 1
        while chunk * batch * seconds < CHUNK_SECONDS and 2 * chunk * batch <= CHUNK_ROWS:
            chunk *= 2
        return cls(batch, chunk, batch * seconds, tuple(alone))

    def chunks(self, groups: Sequence[Group]) -> list[list[Group]]:
        """The batches of each chunk, in order: rows of at most `batch` objects of one group."""
        first: list[Group] = []
        batches: list[Group] = []
        for slots, rows in groups:
            alone = np.isin(rows, self.alone)
            first.extend((slots, rows[at : at + 1]) for at in np.flatnonzero(alone))
            others = rows[~alone]
            starts = range(0, len(others), self.batch)
            batches.extend((slots, others[at : at + self.batch]) for at in starts)
        chunks = [batches[at : at + self.chunk] for at in range(0, len(batches), self.chunk)]
        if not first:
            return chunks
        return [[*first, *(chunks[0] if chunks else [])], *chunks[1:]]


def read_cut(path: Path) -> Cut | None:
    """The cut that was published; None where none was.

    Raises:
        StoreError: it is damaged.
    """
    if not path.exists():
        return None
    values = read_record(path)
    try:
        return Cut(**{**values, "alone": tuple(values["alone"])})
    except (TypeError, KeyError):
        raise StoreError(f"{path} is damaged; delete it and repeat") from None


def publish_cut(path: Path, cut: Cut) -> Cut:
    """Publish a cut unless somebody was first; gives the one that holds."""
    publish_new_json(path, asdict(cut))
    return read_cut(path) or cut
