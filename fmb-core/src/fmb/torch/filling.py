"""Fills a network with stored tensors, all of them and no others."""

import math
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from fmb.messages.errors import WeightsError

__all__ = ["fill", "refuse_huge"]

_LISTED = 4
MOST_NUMBERS = 10**10
"""Of a network that is drawn: three times the largest that was published, 40 GB."""


def refuse_huge(network: nn.Module, where: str) -> None:
    """Refuse to draw a network of more than 10,000,000,000 numbers.

    Args:
        network: built on the device "meta", where it takes no memory.
        where: names the card in messages.

    Raises:
        WeightsError: it has more.
    """
    numbers = sum(math.prod(tensor.shape) for tensor in network.state_dict().values())
    if numbers > MOST_NUMBERS:
        raise WeightsError(
            f"{where}: a network of {numbers:,} numbers; at most {MOST_NUMBERS:,} are drawn"
        )


def fill(network: nn.Module, state: Mapping[str, Tensor], where: str) -> None:
    """Give `network` the tensors of `state`; what has the right kind already is not copied.

    Floating numbers become float32, whole numbers (tables of codes) what the network has.

    Args:
        network: best built on the device "meta", so that nothing is drawn or allocated twice.
        state: tensors by the network's names.
        where: names the weights in messages.

    Raises:
        WeightsError: missing, unexpected or differently sized tensors, or other numbers than the
            network has, listed in one line before any memory is taken; NaN or infinite numbers.
    """
    held = network.state_dict()
    wanted = {name: tuple(tensor.shape) for name, tensor in held.items()}
    found = {name: tuple(tensor.shape) for name, tensor in state.items()}
    problems = {
        "missing": [name for name in wanted if name not in found],
        "unexpected": [name for name in found if name not in wanted],
        "other size": [
            f"{name} {found[name]}, expected {shape}"
            for name, shape in wanted.items()
            if name in found and found[name] != shape
        ],
        "other numbers": [
            f"{name} is {str(state[name].dtype).removeprefix('torch.')}"
            for name, tensor in held.items()
            if name in found and tensor.is_floating_point() != state[name].is_floating_point()
        ],
    }
    if any(problems.values()):
        told = "; ".join(f"{what}: {_listed(names)}" for what, names in problems.items() if names)
        raise WeightsError(f"{where}: the tensors do not fit the network of the card: {told}")
    tensors = {
        name: state[name].to(torch.float32 if tensor.is_floating_point() else tensor.dtype)
        for name, tensor in held.items()
    }
    _refuse_unfinite(tensors, where)
    network.load_state_dict(tensors, strict=True, assign=True)


def _refuse_unfinite(tensors: Mapping[str, Tensor], where: str) -> None:
    bad = [name for name, tensor in tensors.items() if not _finite(tensor)]
    if bad:
        raise WeightsError(
            f"{where}: {len(bad)} of {len(tensors)} tensors hold NaN or infinity, first {bad[0]}:"
            " the training that made them failed, or they are beyond float32"
        )


def _finite(tensor: Tensor) -> bool:
    """True where all numbers are finite; reads them once and takes no memory for it."""
    if not tensor.is_floating_point() or not tensor.numel():
        return True
    return all(math.isfinite(extreme) for extreme in tensor.aminmax())


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(names[:_LISTED])
    more = len(names) - _LISTED
    return f"{shown} and {more} more" if more > 0 else shown
