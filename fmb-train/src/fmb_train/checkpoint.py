"""State of a training in one file, written whole or not at all: network, optimiser, position."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from fmb import StoreError
from fmb.store import publish

__all__ = ["changing_tensors", "load_checkpoint", "load_tensors", "save_checkpoint", "save_tensors"]

_NETWORK, _OPTIMISER = "network.", "optimiser."


def changing_tensors(module: nn.Module) -> dict[str, Tensor]:
    """What training changes of a network, by name: trained parameters, and buffers.

    Frozen parameters are left out: they are those of the weights the training started from.
    """
    frozen = {name for name, value in module.named_parameters() if not value.requires_grad}
    return {name: value for name, value in module.state_dict().items() if name not in frozen}


def save_tensors(path: Path, tensors: Mapping[str, Tensor], state: Any = None) -> None:
    """Publish tensors, with `state` as JSON in the head of the file.

    Raises:
        FailedError: the disk is full or the folder cannot be written to; `path` is as before.
    """
    held = {name: value.detach().cpu().contiguous() for name, value in tensors.items()}
    publish(path, save(held, metadata={"state": json.dumps(state)}))


def load_tensors(path: Path) -> tuple[dict[str, Tensor], Any]:
    """Tensors, on the CPU, and state of a file that `save_tensors` wrote.

    Raises:
        StoreError: it is missing or damaged.
    """
    try:
        with safe_open(path, framework="pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  # no mapping
            return tensors, json.loads(file.metadata()["state"])
    except (OSError, SafetensorError, KeyError, TypeError, ValueError) as error:
        raise StoreError(f"{path} is damaged ({error}); delete its folder and repeat") from None


def save_checkpoint(
    path: Path, module: nn.Module, optimiser: torch.optim.Optimizer, state: Mapping[str, Any]
) -> None:
    """Publish all that a training needs to go on.

    Raises:
        FailedError: the disk is full; the checkpoint before this one stays.
    """
    tensors = {_NETWORK + name: value for name, value in changing_tensors(module).items()}
    for index, held in optimiser.state_dict()["state"].items():
        tensors |= {f"{_OPTIMISER}{index}.{key}": value for key, value in held.items()}
    save_tensors(path, tensors, state)


def load_checkpoint(path: Path, module: nn.Module, optimiser: torch.optim.Optimizer) -> Any:
    """Put network and optimiser back to where `path` was written; gives the state.

    Raises:
        StoreError: the file is missing, damaged or of another network.
    """
    tensors, state = load_tensors(path)
    restore(path, module, {k.removeprefix(_NETWORK): v for k, v in tensors.items() if _is(k)})
    held: dict[int, dict[str, Tensor]] = {}
    for name, value in tensors.items():
        if not _is(name):
            index, _, key = name.removeprefix(_OPTIMISER).partition(".")
            held.setdefault(int(index), {})[key] = value
    optimiser.load_state_dict({**optimiser.state_dict(), "state": held})
    return state


def restore(path: Path, module: nn.Module, tensors: Mapping[str, Tensor]) -> None:
    """Put the tensors that training changes back into `module`.

    Raises:
        StoreError: they are not those of this network.
    """
    wanted = {name: value.shape for name, value in changing_tensors(module).items()}
    if {name: value.shape for name, value in tensors.items()} != wanted:
        raise StoreError(f"{path} holds another network; delete its folder and repeat")
    module.load_state_dict(tensors, strict=False)


def _is(name: str) -> bool:
    return name.startswith(_NETWORK)
