"""Fills a network with stored tensors, all of them and no others."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from fmb.contract.errors import WeightsError

__all__ = ["fill", "read_tensors"]

_LISTED = 4


def read_tensors(path: Path) -> dict[str, Tensor]:
    """The tensors of a safetensors file by name; they stay on disk until they are used.

    Raises:
        WeightsError: it cannot be read or is not whole.
    """
    try:
        return load_file(path)
    except OSError as error:
        raise WeightsError(f"{path}: cannot be read: {error.strerror or error}") from None
    except SafetensorError as error:
        raise WeightsError(f"{path}: not a whole safetensors file: {error}") from None


def fill(network: nn.Module, state: Mapping[str, Tensor], where: str) -> None:
    """Give `network` the tensors of `state`; what has the right kind already is not copied.

    Floating numbers become float32, whole numbers (tables of codes) what the network has.

    Args:
        network: best built on the device "meta", so that nothing is drawn or allocated twice.
        state: tensors by the network's names.
        where: names the weights in messages.

    Raises:
        WeightsError: missing, unexpected or differently sized tensors, listed in one line.
    """
    kinds = {name: tensor.dtype for name, tensor in network.state_dict().items()}
    wanted = {name: tuple(tensor.shape) for name, tensor in network.state_dict().items()}
    found = {name: tuple(tensor.shape) for name, tensor in state.items()}
    problems = {
        "missing": [name for name in wanted if name not in found],
        "unexpected": [name for name in found if name not in wanted],
        "other size": [
            f"{name} {found[name]}, expected {shape}"
            for name, shape in wanted.items()
            if name in found and found[name] != shape
        ],
    }
    if any(problems.values()):
        told = "; ".join(f"{what}: {_listed(names)}" for what, names in problems.items() if names)
        raise WeightsError(f"{where}: the tensors do not fit the network of the card: {told}")
    tensors = {
        name: state[name].to(torch.float32 if kind.is_floating_point else kind)
        for name, kind in kinds.items()
    }
    network.load_state_dict(tensors, strict=True, assign=True)


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(names[:_LISTED])
    more = len(names) - _LISTED
    return f"{shown} and {more} more" if more > 0 else shown
