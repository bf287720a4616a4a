"""Tensors from files: of weights folders as they are, of checkpoints as people have them."""

import pickle
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from fmb.foreign.archives import check_archive
from fmb.foreign.file_kinds import NO_KIND, OLD_TORCH, ZIP, kind_of
from fmb.foreign.pickle_depth import refuse_deep_tuples
from fmb.foreign.safetensors_header import read_header
from fmb.foreign.shards import INDEX, is_index, read_index
from fmb.messages.errors import WeightsError
from fmb.torch.state_dicts import bare_state

__all__ = ["read_pickle", "read_state", "read_tensors"]

_OLDEST_TORCH = (2, 10)  # earlier ones could be made to corrupt memory: CVE-2026-24747


def read_tensors(path: Path) -> dict[str, Tensor]:
    """The tensors of a safetensors file by name; they stay on disk until they are used.

    Raises:
        WeightsError: it cannot be read, is something else or is not whole.
    """
    read_header(path)
    try:
        return load_file(path)
    except OSError as error:
        raise WeightsError(f"{path}: cannot be read: {error.strerror or error}") from None
    except SafetensorError as error:
        raise WeightsError(f"{path}: not a whole safetensors file: {error}") from None


def read_state(path: Path) -> dict[str, Tensor]:
    """The state dict in safetensors files as people have them, by the bare network's names.

    Args:
        path: a file, whole or the index of shards; where it is not there, `PATH.index.json` is
            taken. Names lose what torch.compile and DataParallel put before them.

    Raises:
        WeightsError: a file is missing or damaged, or index and shards say different things.
    """
    beside = path.with_name(path.name + INDEX.removeprefix("model.safetensors"))
    if not is_index(path) and not path.exists() and beside.exists():
        path = beside
    return bare_state(_sharded(path) if is_index(path) else read_tensors(path), str(path))


def _sharded(index: Path) -> dict[str, Tensor]:
    """The tensors of all shards; each shard holds what the index says, no more and no less."""
    tensors: dict[str, Tensor] = {}
    shards = read_index(index)
    for shard, names in shards.items():
        held = read_tensors(index.parent / shard)
        others = [name for name in held if name not in names]
        twice = [name for name in others if any(name in known for known in shards.values())]
        lacking = [name for name in names if name not in held]
        for found, told in (
            (twice, "is in another shard too"),
            (others, "is not in the index"),
            (lacking, "is not in it, as the index says"),
        ):
            if found:
                raise WeightsError(f"{index.parent / shard}: tensor {found[0]} {told}")
        tensors |= held
    return tensors


def read_pickle(path: Path, harmless: Sequence[Any] = ()) -> Any:
    """What a file of `torch.save` holds, where that is tensors and plain values; no code runs.

    Args:
        path: in the zip format or the one before torch 1.6.
        harmless: classes it may hold besides, or pairs of one and the name it is pickled by.

    Raises:
        WeightsError: something else, not whole, or it asks for more.
    """
    if tuple(int(part) for part in torch.__version__.split(".")[:2]) < _OLDEST_TORCH:
        raise WeightsError(f"{path}: torch {torch.__version__} is too old to read it safely; 2.10")
    kind = kind_of(path)
    if kind not in (OLD_TORCH, ZIP):
        told = "" if kind == NO_KIND else f": this is {kind}"
        raise WeightsError(f"{path}: not a torch checkpoint{told}")
    if kind == ZIP:
        check_archive(path)
    refuse_deep_tuples(path, kind)
    try:
        # What torch warns of here is of its own future, or of a file that is refused anyway.
        with warnings.catch_warnings(), torch.serialization.safe_globals(list(harmless)):
            warnings.simplefilter("ignore")
            return torch.load(path, map_location="cpu", weights_only=True)
    except OSError as error:
        raise WeightsError(f"{path}: cannot be read: {error.strerror or error}") from None
    except pickle.UnpicklingError as error:
        raise WeightsError(f"{path}: not loaded: {_unsafe(error)}") from None
    except (
        *(RuntimeError, EOFError, LookupError, ValueError, TypeError, AttributeError),
        *(AssertionError, MemoryError, RecursionError, OverflowError),
    ):
        # Torch's own reasons for bytes that are no pickle ("101") help nobody.
        raise WeightsError(f"{path}: cut short or damaged") from None


def _unsafe(error: pickle.UnpicklingError) -> str:
    """One line of torch's long message: which name the file asks for."""
    text = str(error)
    for mark in ("Unsupported global: GLOBAL ", "Trying to load unsupported GLOBAL "):
        if mark in text:
            name = text.partition(mark)[2].split()[0]
            return f"it asks for {name}; only tensors and plain values are read, code never"
    return "it is damaged or holds more than tensors and plain values"
