"""The embed loop: batches read and prepared in workers, encoded and reduced on the device."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch.utils.data import DataLoader
from torch.utils.data import Dataset as TorchDataset

from fmb.contract.arrays import Array
from fmb.contract.dataset import Dataset
from fmb.contract.embedder import Embedder
from fmb.contract.errors import PluginError
from fmb.contract.inputs import Batch, Inputs
from fmb.contract.model import Model, Tokens
from fmb.datasets.objects import by_slots
from fmb.datasets.quality import Finding, findings

__all__ = ["EmbedJob", "Encoded", "embed"]


@dataclass(frozen=True)
class EmbedJob:
    """What one model computes over a survey."""

    model: Model
    embedders: Mapping[str, Embedder]
    """Name -> reduction."""
    views: Mapping[str, Sequence[str]]
    """View -> the slots it needs."""
    unit_mean: bool
    """True when `joint` is the mean of the other views' unit vectors, formed here."""
    sources: Mapping[str, str]
    """Slot -> instrument."""
    dataset: Dataset
    device: str
    batch_size: int
    workers: int


@dataclass(frozen=True)
class Encoded:
    """One shard's vectors, in the order of `rows`."""

    shard: int
    rows: Array
    """(m,) positions of all objects of the shard."""
    ids: Array
    vectors: Mapping[tuple[str, str], tuple[Array, Array]]
    """(embedder, view) -> positions (k,) that have a vector, and the vectors (k, d) float32."""
    reasons: Mapping[str, Mapping[int, str]]
    """Slot -> position -> why there is no usable input."""
    findings: Sequence[Finding]


@dataclass(frozen=True)
class _Chunk:
    shard: int
    rows: Array
    slots: tuple[str, ...]


@dataclass(frozen=True)
class _Prepared:
    chunk: _Chunk
    ids: Array
    inputs: Inputs | None
    findings: list[Finding]


class _Reader(TorchDataset[_Prepared]):
    """Reads, checks and prepares one batch an item; runs in loader workers."""

    def __init__(
        self,
        dataset: Dataset,
        chunks: Sequence[_Chunk],
        preparers: Mapping[tuple[str, ...], Callable[[Batch], Inputs]],
        sources: Mapping[str, str],
    ) -> None:
        self._dataset = dataset
        self._chunks = chunks
        self._preparers = preparers
        self._sources = sources

    def __len__(self) -> int:
        return len(self._chunks)

    def __getitem__(self, index: int) -> _Prepared:
        chunk = self._chunks[index]
        instruments = [self._sources[slot] for slot in chunk.slots]
        batch = self._dataset.read(chunk.rows, instruments)
        found = findings(batch)
        inputs = self._preparers[chunk.slots](batch) if chunk.slots else None
        return _Prepared(chunk, batch.ids, inputs, found)


def embed(
    job: EmbedJob, shards: Mapping[int, Array], advance: Callable[[int], None] = lambda n: None
) -> Iterator[Encoded]:
    """Vectors of whole shards, one forward pass for all embedders and views.

    Args:
        job: the model, what reduces its tokens and the survey.
        shards: shard number -> positions of its objects in the survey.
        advance: called with the number of objects done after each batch.

    Yields:
        One record a shard, in the order of `shards`.

    Raises:
        PluginError: the model or an embedder gives something else than it promised.
    """
    chunks = [c for shard, rows in shards.items() for c in _chunks(job, shard, rows)]
    patterns = sorted({c.slots for c in chunks})
    preparers = {
        slots: job.model.preparer({slot: job.sources[slot] for slot in slots})
        for slots in patterns
        if slots
    }
    reader = _Reader(job.dataset, chunks, preparers, job.sources)
    loader: Iterator[_Prepared] = iter(
        DataLoader(
            reader,
            batch_size=None,
            num_workers=job.workers,
            prefetch_factor=2 if job.workers else None,
            # Workers start afresh: a forked one would share HDF5 handles and OpenMP state.
            multiprocessing_context="spawn" if job.workers else None,
        )
    )
    for shard, rows in shards.items():
        count = sum(c.shard == shard for c in chunks)
        prepared = (next(loader) for _ in range(count))
        yield _encode_shard(job, shard, rows, prepared, advance)


def _chunks(job: EmbedJob, shard: int, rows: Array) -> Iterator[_Chunk]:
    """Batches of one shard in which every object has the same inputs."""
    for slots, members in by_slots(job.dataset, job.sources, rows):
        for start in range(0, len(members), job.batch_size):
            yield _Chunk(shard, members[start : start + job.batch_size], slots)


def _encode_shard(
    job: EmbedJob,
    shard: int,
    rows: Array,
    prepared: Iterator[_Prepared],
    advance: Callable[[int], None],
) -> Encoded:
    pieces: dict[tuple[str, str], list[tuple[Array, Array]]] = {}
    reasons: dict[str, dict[int, str]] = {}
    found: list[Finding] = []
    ids_at: dict[int, Any] = {}
    for item in prepared:
        found.extend(item.findings)
        ids_at.update(zip(item.chunk.rows.tolist(), item.ids.tolist(), strict=True))
        advance(len(item.ids))
        if item.inputs is None:
            continue
        for slot, texts in item.inputs.reasons.items():
            good = item.inputs.valid[slot]
            bad = [
                (int(r), t) for r, t, ok in zip(item.chunk.rows, texts, good, strict=True) if not ok
            ]
            reasons.setdefault(slot, {}).update(bad)
        for key, at, vectors in _encode_batch(job, item.inputs):
            pieces.setdefault(key, []).append((item.chunk.rows[at], vectors))
    ids = np.asarray([ids_at[int(r)] for r in rows], dtype=job.dataset.ids.dtype)
    ordered = {key: _in_order(parts) for key, parts in pieces.items()}
    return Encoded(shard, rows, ids, ordered, reasons, found)


def _in_order(parts: Sequence[tuple[Array, Array]]) -> tuple[Array, Array]:
    rows = np.concatenate([p[0] for p in parts])
    values = np.concatenate([p[1] for p in parts])
    order = np.argsort(rows)
    return rows[order], values[order]


def _encode_batch(job: EmbedJob, inputs: Inputs) -> Iterator[tuple[tuple[str, str], Array, Array]]:
    """Vectors of one prepared batch: (embedder, view), positions in the batch, values.

    Objects are regrouped by the views they are valid in, so that a model never sees an object
    whose input is unusable.
    """
    usable = {
        view: np.logical_and.reduce([inputs.valid[slot] for slot in needs])
        for view, needs in job.views.items()
        if all(slot in inputs.valid for slot in needs)
    }
    if not usable:
        return
    code = sum(ok.astype(np.int64) << bit for bit, ok in enumerate(usable.values()))
    for value in sorted(set(np.asarray(code).tolist()) - {0}, reverse=True):
        views = [view for bit, view in enumerate(usable) if value >> bit & 1]
        at = np.flatnonzero(code == value)
        group = inputs if len(at) == len(code) else inputs.take(at)
        with torch.inference_mode():
            parts = _encoded_views(job, views)
            tokens = job.model.encode(group, parts)
            for name, embedder in job.embedders.items():
                pooled = {v: _reduce(job, name, embedder, v, tokens, len(at)) for v in parts}
                for view in views:
                    vectors = pooled[view] if view in pooled else _unit_mean(job, pooled)
                    yield (name, view), at, vectors


def _encoded_views(job: EmbedJob, views: Sequence[str]) -> list[str]:
    """The views the model itself encodes: for a unit-mean joint, the views it is made of."""
    if not (job.unit_mean and "joint" in views):
        return list(views)
    parts = [slot for slot in job.views["joint"] if slot not in views]
    return [*(view for view in views if view != "joint"), *parts]


def _unit_mean(job: EmbedJob, pooled: Mapping[str, Array]) -> Array:
    """Mean of the unit vectors of the joint view's parts, (n, d)."""
    parts = [pooled[slot] for slot in job.views["joint"]]
    norms = [np.linalg.norm(part, axis=1, keepdims=True) for part in parts]
    units = [part / norm for part, norm in zip(parts, norms, strict=True)]
    return np.asarray(np.mean(units, axis=0, dtype=np.float32))


def _reduce(
    job: EmbedJob,
    name: str,
    embedder: Embedder,
    view: str,
    tokens: Mapping[str, Tokens],
    n: int,
) -> Array:
    if view not in tokens:
        raise PluginError(
            f"{type(job.model).__name__}.encode gave no tokens for view {view!r};"
            f" it gave {', '.join(tokens) or 'none'}"
        )
    reduced = embedder.reduce(tokens[view]).float().cpu().numpy()
    if reduced.ndim != 2 or len(reduced) != n:
        raise PluginError(f"embedder {name!r} gave shape {reduced.shape}, expected ({n}, d)")
    if not np.isfinite(reduced).all():
        raise PluginError(
            f"embedder {name!r} gave values that are not finite in view {view!r} of"
            f" {type(job.model).__name__}; try --precision float32"
        )
    return reduced
