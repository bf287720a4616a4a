"""The embed loop: batches read and prepared in workers, encoded and reduced on the device."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch.utils.data import DataLoader
from torch.utils.data import Dataset as TorchDataset

from fmb.contract.arrays import Array
from fmb.contract.dataset import Dataset
from fmb.contract.embedder import Embedder
from fmb.contract.inputs import Batch, Inputs
from fmb.contract.model import Model, Tokens
from fmb.datasets.objects import by_slots, why_unusable
from fmb.datasets.quality import Finding, findings
from fmb.measured.roles import measure
from fmb.messages.errors import PluginError
from fmb.store.input_digest import input_digests
from fmb.torch.workers import begin_worker

__all__ = ["EmbedJob", "Encoded", "Together", "embed"]


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
    workers: int
    measured: Collection[str] = ()
    """Instruments whose inputs are measured as they are read."""


@dataclass(frozen=True)
class Together:
    """Objects that are encoded in one forward pass: the same was observed of all of them."""

    rows: Array
    """(m,), int64: their positions in the survey."""
    slots: tuple[str, ...]
    """What was observed of them."""
    tag: Any = None
    """Comes back with what was encoded."""


@dataclass(frozen=True)
class Encoded:
    """What came of one batch; positions are those in `rows`."""

    tag: Any
    rows: Array
    """(m,), int64: positions in the survey."""
    ids: Array
    digests: Mapping[str, Array]
    """Slot -> (m, 16), uint8, of what was read of each object."""
    vectors: Mapping[tuple[str, str], tuple[Array, Array]]
    """(embedder, view) -> positions (k,) that have a vector, and the vectors (k, d), float32."""
    reasons: Mapping[str, Sequence[str]]
    """Slot -> m texts: why an input is not usable, "" where it is."""
    findings: Sequence[Finding]
    measures: Mapping[str, Array]
    """Slot -> (m, roles), float64, of those that are measured."""


@dataclass(frozen=True)
class _Prepared:
    batch: Together
    ids: Array
    inputs: Inputs
    digests: dict[str, Array]
    findings: list[Finding]
    measures: dict[str, Array]


class _Reader(TorchDataset[_Prepared]):
    """Reads, checks and prepares one batch an item; runs in loader workers."""

    def __init__(
        self,
        dataset: Dataset,
        preparers: Mapping[tuple[str, ...], Callable[[Batch], Inputs]],
        sources: Mapping[str, str],
        measured: Collection[str],
    ) -> None:
        self._dataset = dataset
        self._preparers = preparers
        self._sources = sources
        self._measured = measured

    def __getitem__(self, batch: Together) -> _Prepared:
        sources = {slot: self._sources[slot] for slot in batch.slots}
        read = self._dataset.read(batch.rows, list(sources.values()))
        digests = {slot: input_digests(read.inputs[name]) for slot, name in sources.items()}
        own = {slot: name for slot, name in sources.items() if name in self._measured}
        measures = {slot: measure(read.inputs[name]) for slot, name in own.items()}
        inputs = self._preparers[batch.slots](read)
        return _Prepared(batch, read.ids, inputs, digests, findings(read), measures)


def embed(job: EmbedJob, batches: Iterable[Together]) -> Iterator[Encoded]:
    """Vectors of batches, one forward pass for all embedders and views.

    Args:
        job: the model, what reduces its tokens and the survey.
        batches: what to encode, asked for as it is needed: two for each worker are read ahead.

    Yields:
        One record a batch, in the order of `batches`.

    Raises:
        PluginError: the model or an embedder gives something else than it promised.
    """
    everybody = np.arange(len(job.dataset))
    preparers = {
        slots: job.model.preparer({slot: job.sources[slot] for slot in slots})
        for slots, _ in by_slots(job.dataset, job.sources, everybody)
        if slots
    }
    reader = _Reader(job.dataset, preparers, job.sources, job.measured)
    loader: Iterable[_Prepared] = DataLoader(
        reader,
        sampler=batches,
        batch_size=None,
        num_workers=job.workers,
        prefetch_factor=2 if job.workers else None,
        # Workers start afresh: a forked one would share HDF5 handles and OpenMP state.
        multiprocessing_context="spawn" if job.workers else None,
        worker_init_fn=begin_worker,
    )
    for item in loader:
        vectors: dict[tuple[str, str], list[tuple[Array, Array]]] = {}
        for key, at, values in _encode_batch(job, item.inputs):
            vectors.setdefault(key, []).append((at, values))
        yield Encoded(
            tag=item.batch.tag,
            rows=item.batch.rows,
            ids=item.ids,
            digests=item.digests,
            vectors={key: _in_order(parts) for key, parts in vectors.items()},
            reasons={slot: why_unusable(item.inputs, slot) for slot in item.batch.slots},
            findings=item.findings,
            measures=item.measures,
        )


def _in_order(parts: Sequence[tuple[Array, Array]]) -> tuple[Array, Array]:
    at = np.concatenate([p[0] for p in parts])
    values = np.concatenate([p[1] for p in parts])
    order = np.argsort(at)
    return at[order], values[order]


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
            f" {type(job.model).__name__}; below --precision float32, try that"
        )
    return reduced
