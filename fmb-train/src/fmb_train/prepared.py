"""Prepared objects for the training loop: grouped by the inputs they have, cached when small."""

import logging
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from torch.utils.data import DataLoader
from torch.utils.data import Dataset as TorchDataset

from fmb import Array, Batch, Dataset, Inputs
from fmb.datasets import by_slots
from fmb.torch import begin_worker

__all__ = ["Part", "Prepared", "TrainingData", "learnable"]

logger = logging.getLogger(__name__)

_CHUNK = 64
"""Objects read at a time while the cache is filled."""

Slots = tuple[str, ...]
Report = Callable[[int, int], None]


@dataclass(frozen=True)
class Part:
    """Objects of a batch that share their usable inputs."""

    rows: Array
    """(m,) positions in the survey."""
    inputs: Inputs
    """`valid` names the usable slots only."""


@dataclass(frozen=True)
class Prepared:
    """One batch, as the loop takes it."""

    parts: tuple[Part, ...]
    unusable: Mapping[str, int]
    """"slot: why" -> objects whose data are there but cannot be used."""


def learnable(prepared: Prepared, required: Sequence[str]) -> list[Part]:
    """The parts of a batch that have all slots a task requires."""
    return [part for part in prepared.parts if all(slot in part.inputs.valid for slot in required)]


class TrainingData:
    """Reads and prepares batches of rows, in this process or in workers.

    When the prepared inputs of all rows take at most `cache_mb`, each object is prepared once and
    kept in memory; otherwise batches are prepared again in every epoch. Both give the same numbers,
    to rounding where `settle` computes.
    """

    def __init__(
        self,
        dataset: Dataset,
        rows: Array,
        sources: Mapping[str, str],
        prepare: Callable[[Mapping[str, str]], Callable[[Batch], Inputs]],
        *,
        workers: int = 0,
        cache_mb: int = 0,
        settle: Callable[[Inputs], Inputs] = lambda inputs: inputs,
        report: Report = lambda done, total: None,
    ) -> None:
        """Nothing is read before it is needed, but the cache is filled now.

        Args:
            dataset: the survey.
            rows: (n,) positions of all objects that will be asked for.
            sources: slot -> instrument.
            prepare: gives the preparer of objects that have all of the sources given to it.
            workers: reading processes; 0 = this one reads.
            cache_mb: largest cache, in units of 2**20 bytes.
            settle: gives what is kept of prepared inputs, if that fits; where only the inputs fit,
                they are kept as they are.
            report: called with the objects cached and their number.
        """
        patterns = _patterns(dataset, sources)
        preparers = {
            slots: prepare({slot: sources[slot] for slot in slots})
            for slots in sorted({patterns[row] for row in rows.tolist()} - {()})
        }
        self._reader = _Reader(dataset, sources, preparers, patterns)
        self._workers = workers
        self._cache: _Cache | None = None
        fullest = self._fullest(rows)
        for keep in (settle, lambda inputs: inputs):
            kept = [array for piece in fullest for array in keep(piece.inputs).arrays.values()]
            needed = sum(array.nbytes for array in kept) * len(rows)
            if needed <= cache_mb * 2**20:
                self._fill(rows, keep, report)
                break
        told = "kept in memory" if self._cache is not None else "prepared anew in each epoch"
        logger.info("inputs of %d objects take %.0f MB: %s", len(rows), needed / 2**20, told)

    def batches(self, batches: Sequence[Array], largest: int) -> Iterator[Prepared]:
        """Each of `batches` (rows) in turn, in parts of at most `largest` objects."""
        if self._cache is not None:
            for rows in batches:
                yield _prepared(self._cache.take(rows), largest)
        else:
            for pieces in self._read(batches):
                yield _prepared(pieces, largest)

    def _read(self, batches: Sequence[Array]) -> Iterator[list["_Piece"]]:
        yield from DataLoader(
            _Batches(self._reader, batches),
            batch_size=None,
            num_workers=self._workers,
            prefetch_factor=2 if self._workers else None,
            # Workers start afresh: a forked one would share HDF5 handles and OpenMP state.
            multiprocessing_context="spawn" if self._workers else None,
            worker_init_fn=begin_worker,
        )

    def _fullest(self, rows: Array) -> list["_Piece"]:
        """An object that has as many inputs as any, prepared."""
        fullest = sorted(rows.tolist(), key=lambda row: -len(self._reader.patterns[row]))
        return self._reader.read(np.array(fullest[:1]))

    def _fill(self, rows: Array, keep: Callable[[Inputs], Inputs], report: Report) -> None:
        ordered = np.sort(rows)
        chunks = [ordered[at : at + _CHUNK] for at in range(0, len(rows), _CHUNK)]
        cache = _Cache(ordered, self._reader.patterns)
        done = 0
        report(0, len(rows))
        for pieces, chunk in zip(self._read(chunks), chunks, strict=True):
            for piece in pieces:
                cache.put(replace(piece, inputs=keep(piece.inputs)))
            done += len(chunk)
            report(done, len(rows))
        self._cache = cache


@dataclass(frozen=True)
class _Piece:
    """Prepared objects that have the same inputs, usable or not."""

    slots: Slots
    rows: Array
    inputs: Inputs


def _patterns(dataset: Dataset, sources: Mapping[str, str]) -> list[Slots]:
    """The slots that each object of the survey has something for."""
    patterns: list[Slots] = [()] * len(dataset)
    for slots, rows in by_slots(dataset, sources, np.arange(len(dataset))):
        for row in rows.tolist():
            patterns[row] = slots
    return patterns


@dataclass(frozen=True)
class _Reader:
    """Reads and prepares rows; runs in loader workers."""

    dataset: Dataset
    sources: Mapping[str, str]
    preparers: Mapping[Slots, Callable[[Batch], Inputs]]
    patterns: Sequence[Slots]

    def read(self, rows: Array) -> list[_Piece]:
        """The prepared objects of `rows` that have anything, by the slots they have."""
        of = [self.patterns[row] for row in rows.tolist()]
        pieces = []
        for slots in sorted(set(of) - {()}):
            chosen = rows[[found == slots for found in of]]
            batch = self.dataset.read(chosen, [self.sources[slot] for slot in slots])
            pieces.append(_Piece(slots, chosen, self.preparers[slots](batch)))
        return pieces


class _Batches(TorchDataset[list[_Piece]]):
    """One batch an item, for the loader."""

    def __init__(self, reader: _Reader, batches: Sequence[Array]) -> None:
        self._reader, self._batches = reader, batches

    def __len__(self) -> int:
        return len(self._batches)

    def __getitem__(self, index: int) -> list[_Piece]:
        return self._reader.read(self._batches[index])


class _Cache:
    """Prepared inputs of all rows: for each set of slots one block of arrays."""

    def __init__(self, rows: Array, patterns: Sequence[Slots]) -> None:
        self._slots = {row: patterns[row] for row in rows.tolist()}
        self._size = Counter(self._slots.values())
        self._blocks: dict[Slots, Inputs] = {}
        self._at: dict[int, int] = {}
        self._filled: Counter[Slots] = Counter()

    def put(self, piece: _Piece) -> None:
        """Keep prepared objects."""
        block = self._blocks.get(piece.slots)
        if block is None:
            block = _room(piece.inputs, self._size[piece.slots])
            self._blocks[piece.slots] = block
        start = self._filled[piece.slots]
        end = start + len(piece.rows)
        for name, values in piece.inputs.arrays.items():
            block.arrays[name][start:end] = values
        for slot, good in piece.inputs.valid.items():
            block.valid[slot][start:end] = good
            told = piece.inputs.reasons.get(slot, [""] * len(piece.rows))
            block.reasons[slot][start:end] = told  # type: ignore[index]  # a list of our own
        self._at.update(zip(piece.rows.tolist(), range(start, end), strict=True))
        self._filled[piece.slots] = end

    def take(self, rows: Array) -> list[_Piece]:
        """The pieces of a batch, as `_Reader.read` gives them."""
        of = [self._slots[row] for row in rows.tolist()]
        pieces = []
        for slots in sorted(set(of) - {()}):
            chosen = rows[[found == slots for found in of]]
            at = np.array([self._at[row] for row in chosen.tolist()])
            pieces.append(_Piece(slots, chosen, self._blocks[slots].take(at)))
        return pieces


def _room(like: Inputs, n: int) -> Inputs:
    """Space for n objects prepared as those of `like`."""
    arrays = {
        k: np.empty((n, *v.shape[1:]), dtype=np.asarray(v).dtype) for k, v in like.arrays.items()
    }
    return Inputs(
        arrays=arrays,
        valid={slot: np.zeros(n, dtype=bool) for slot in like.valid},
        reasons={slot: [""] * n for slot in like.valid},
    )


def _prepared(pieces: Sequence[_Piece], largest: int) -> Prepared:
    """Pieces regrouped by the slots that are usable, unusable ones counted."""
    parts: list[Part] = []
    unusable: Counter[str] = Counter()
    for piece in pieces:
        valid = {slot: np.asarray(good, dtype=bool) for slot, good in piece.inputs.valid.items()}
        for slot, good in valid.items():
            told = piece.inputs.reasons.get(slot, ())
            unusable.update(
                f"{slot}: {told[i] if len(told) else 'not usable'}"
                for i in np.flatnonzero(~good).tolist()
            )
        parts.extend(_usable(piece, valid, largest))
    return Prepared(tuple(parts), dict(unusable))


def _usable(piece: _Piece, valid: Mapping[str, Array], largest: int) -> Iterator[Part]:
    code = sum(good.astype(np.int64) << bit for bit, good in enumerate(valid.values()))
    for value in sorted(set(np.asarray(code).tolist()) - {0}, reverse=True):
        slots = [slot for bit, slot in enumerate(valid) if value >> bit & 1]
        members = np.flatnonzero(code == value)
        for start in range(0, len(members), largest):
            at = members[start : start + largest]
            whole = len(at) == len(piece.rows)
            arrays = piece.inputs.arrays if whole else piece.inputs.take(at).arrays
            inputs = Inputs(arrays=arrays, valid={slot: np.ones(len(at), bool) for slot in slots})
            yield Part(piece.rows[at], inputs)
