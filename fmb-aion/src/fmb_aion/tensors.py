"""Files of tensors, read strictly and written part by part."""

import contextlib
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from fmb.errors import WeightsError

__all__ = ["fill", "opened", "safetensors_parts", "stored_names"]

_LISTED = 4
_CODES = {torch.float32: "F32", torch.int32: "I32", torch.int64: "I64"}
"""What the tensors of an encoder are, and how safetensors calls it."""


@contextlib.contextmanager
def opened(path: Path) -> Iterator[Any]:
    """The tensors of a safetensors file, each read when it is asked for.

    Raises:
        WeightsError: the file cannot be read, or is not a whole one.
    """
    try:
        with safe_open(path, framework="pt") as file:
            yield file
    except OSError as error:
        raise WeightsError(f"{path}: cannot be read: {error.strerror or error}") from None
    except SafetensorError as error:
        raise WeightsError(f"{path}: not a whole safetensors file: {error}") from None


def stored_names(
    module: nn.Module,
    file: Any,
    where: Path,
    *,
    ignored: Sequence[str] = (),
    alias: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """Name of each tensor of `module` -> its name in `file`, after a check that they fit.

    Args:
        module: what is to be filled; only names and shapes are looked at.
        file: from `opened`.
        where: names the file in messages.
        ignored: beginnings of names that the file may hold besides.
        alias: other names to look under for tensors that are not there by their own.

    Raises:
        WeightsError: missing, unexpected or differently sized tensors, listed in one line.
    """
    wanted = {name: tuple(tensor.shape) for name, tensor in module.state_dict().items()}
    found = {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()}  # noqa: SIM118 a file handle, not a mapping
    other = alias or {}
    names = {name: name if name in found else other.get(name, name) for name in wanted}
    problems = {
        "missing": [name for name, stored in names.items() if stored not in found],
        "unexpected": [
            name for name in found if name not in wanted and not name.startswith(tuple(ignored))
        ],
        "other size": [
            f"{name} {found[stored]}, expected {wanted[name]}"
            for name, stored in names.items()
            if stored in found and found[stored] != wanted[name]
        ],
    }
    if any(problems.values()):
        told = "; ".join(f"{what}: {_listed(list_)}" for what, list_ in problems.items() if list_)
        raise WeightsError(f"{where}: the tensors do not fit the network: {told}")
    return names


def fill(module: nn.Module, path: Path) -> None:
    """Give `module` the tensors of a file, all of them and no others.

    Raises:
        WeightsError: the file is unreadable, or its tensors do not fit.
    """
    with opened(path) as file:
        names = stored_names(module, file, path)
        kinds = {name: tensor.dtype for name, tensor in module.state_dict().items()}
        state = {name: file.get_tensor(stored).to(kinds[name]) for name, stored in names.items()}
    module.load_state_dict(state, strict=True, assign=True)


def safetensors_parts(module: nn.Module, file: Any, names: Mapping[str, str]) -> Iterator[bytes]:
    """A safetensors file with the tensors of `module`, taken from `file` one at a time.

    Source: the format, https://github.com/huggingface/safetensors#format: length of the header
    (8 bytes, little-endian), header (JSON), tensors without gaps.
    """
    header: dict[str, Any] = {}
    end = 0
    state = module.state_dict()
    for name in names:
        begin, end = end, end + state[name].numel() * state[name].element_size()
        shape = list(state[name].shape)
        kind = _CODES[state[name].dtype]
        header[name] = {"dtype": kind, "shape": shape, "data_offsets": [begin, end]}
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    yield len(text).to_bytes(8, "little") + text
    for name, stored in names.items():
        yield _bytes(file.get_tensor(stored).to(state[name].dtype))


def _bytes(tensor: Tensor) -> bytes:
    return tensor.contiguous().reshape(-1).view(torch.uint8).numpy().tobytes()


def _listed(names: Collection[str]) -> str:
    shown = ", ".join(list(names)[:_LISTED])
    more = len(names) - _LISTED
    return f"{shown} and {more} more" if more > 0 else shown
